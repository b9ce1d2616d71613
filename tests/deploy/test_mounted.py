"""What Prometheus and Alertmanager mount is what rules/ says, with the addresses of containers."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import mounted
from deploy.keys import make
from deploy.mounted import Put, Unlike
from orchestrator.demo.binaries import Binaries
from tests.deploy.compose import ROOT, SERVICES, lay_out

ADDRESSES = {
    "exporter:4010": "127.0.0.1:4010",
    "webhook:4001": "127.0.0.1:4001",
    "alertmanager-1:9093": "127.0.0.1:9093",
}
SECOND = "alertmanager-2:9093"
SHOWN = ("basic_auth", "authorization")
GRAFANA = {"job_name": "grafana", "static_configs": [{"targets": ["grafana:3000"]}]}


def test_the_files_are_what_rules_makes() -> None:
    assert mounted.drifted(ROOT) == []


def test_a_file_that_was_changed_by_hand_is_told(tmp_path: Path) -> None:
    for folder in ("rules", "deploy"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("secrets"))
    changed = tmp_path / "deploy/prometheus/prometheus.yml"
    changed.write_text(changed.read_text().replace("15s", "30s", 1))
    assert mounted.drifted(tmp_path) == [changed]


def _back(value: Any) -> Any:  # noqa: ANN401  YAML
    """Undo what a container needs: addresses, what callers show, and who is there in addition."""
    if isinstance(value, dict):
        return {key: _back(each) for key, each in value.items() if key not in SHOWN}
    if isinstance(value, list):
        backs = [_back(each) for each in value if each != SECOND]
        return [each for each in backs if each != GRAFANA]
    if isinstance(value, str):
        for new, old in ADDRESSES.items():
            value = value.replace(new, old)
        return value.removeprefix("../rules/")
    return value


@pytest.mark.parametrize("name", mounted.MOUNTED)
def test_they_differ_from_rules_in_who_is_there_and_what_callers_show_alone(name: str) -> None:
    made = yaml.safe_load((ROOT / f"deploy/{name}/{name}.yml").read_text(encoding="utf-8"))
    shipped = yaml.safe_load((ROOT / f"rules/{name}.yml").read_text(encoding="utf-8"))
    assert made != shipped
    assert _back(made) == shipped


def test_what_is_not_there_to_be_replaced_is_told() -> None:
    with pytest.raises(Unlike) as refused:
        mounted.replaced("a b", (Put("c", "d"),))
    assert str(refused.value) == "'c' stands 0 times in the file; see deploy/mounted.py"


def _run(*command: object) -> str:
    done = subprocess.run(  # noqa: S603  the tool that was found, no shell
        [*map(str, command)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def laid_out(tmp_path: Path) -> Callable[[str], Path]:
    """Lay out what a service mounts, secrets included, below a folder that stands for its /."""

    def lay(name: str) -> Path:
        made, root = tmp_path / "made", tmp_path / "root"
        made.mkdir()
        make(made)
        lay_out(SERVICES[name], root, made)
        return root

    return lay


def _rooted(root: Path, name: str) -> Path:
    """Return the configuration that *name* is started with, with its secrets below *root*."""
    [flag] = [word for word in SERVICES[name]["command"] if word.startswith("--config.file=")]
    path = Path(root, flag.partition("=")[2].lstrip("/"))
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("/run/secrets/", f"{root}/run/secrets/"), encoding="utf-8")
    return path


def test_promtool_accepts_what_prometheus_mounts_with_every_rule_of_it(
    tools: Binaries, laid_out: Callable[[str], Path]
) -> None:
    path = _rooted(laid_out("prometheus"), "prometheus")
    rules = yaml.safe_load((ROOT / "rules/prometheus.yml").read_text(encoding="utf-8"))[
        "rule_files"
    ]
    said = _run(tools.promtool, "check", "config", path)
    assert said.count("rules found") == len(rules)


@pytest.mark.parametrize("name", ["alertmanager-1", "alertmanager-2"])
def test_amtool_accepts_what_alertmanager_mounts(
    tools: Binaries, laid_out: Callable[[str], Path], name: str
) -> None:
    path = _rooted(laid_out(name), name)
    assert "SUCCESS" in _run(tools.amtool, "check-config", path)
    routes = _run(
        *(tools.amtool, "config", "routes", "test", f"--config.file={path}"),
        *("alertname=ProjectDown", "remediate=true", "project=chatbot"),
    )
    assert routes.strip() == "webhook,people"


def test_promtool_accepts_what_the_exporter_is_given(
    tools: Binaries, laid_out: Callable[[str], Path]
) -> None:
    path = laid_out("exporter") / "run/secrets/exporter.web.yml"
    _run(tools.promtool, "check", "web-config", path)
