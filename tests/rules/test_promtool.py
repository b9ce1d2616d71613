"""What promtool and amtool say of rules/."""

import subprocess
from pathlib import Path

import pytest

from orchestrator.demo.binaries import Binaries
from tests.rules import ruleset


def _passes(*command: str | Path) -> None:
    done = subprocess.run(  # noqa: S603  a program that the user chose, no shell
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=140,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}"


def test_prometheus_accepts_its_configuration(tools: Binaries) -> None:
    _passes(tools.promtool, "check", "config", ruleset.RULES / "prometheus.yml")


def test_prometheus_accepts_every_rule(tools: Binaries) -> None:
    check = (tools.promtool, "check", "rules", "--lint=all", "--lint-fatal")
    _passes(*check, *ruleset.rule_files())


def test_alertmanager_accepts_its_configuration(tools: Binaries) -> None:
    _passes(tools.amtool, "check-config", ruleset.RULES / "alertmanager.yml")


@pytest.mark.parametrize("path", ruleset.test_files(), ids=lambda path: path.name)
def test_the_rules_do_as_the_file_says(tools: Binaries, path: Path) -> None:
    _passes(tools.promtool, "test", "rules", path)
