"""What promtool and amtool say of rules/."""

import subprocess
from pathlib import Path

import pytest

from orchestrator.demo.binaries import Binaries
from tests.rules import ruleset

# A quarter of a minute each; `make test` has the same figures at an hour, or the faster burn.
SLOW = {"slo-month.yml", "slo-burn-slow.yml", "trends-unstable.yml"}


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


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.name, marks=[pytest.mark.long] * (path.name in SLOW))
        for path in ruleset.test_files()
    ],
)
def test_the_rules_do_as_the_file_says(tools: Binaries, path: Path) -> None:
    _passes(tools.promtool, "test", "rules", path)
