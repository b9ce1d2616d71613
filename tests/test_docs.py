"""The docs and the files that we ship are true."""

import re
import zipfile
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import yaml
from hatchling.builders.wheel import WheelBuilder

from orchestrator import config
from orchestrator.demo.fault import FAULTS, Outcome
from orchestrator.demo.stack import PORTS
from orchestrator.supervisor import service
from webhook.action import CATALOGUE
from webhook.app import check_playbooks

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/*.md")])


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _alerts() -> list[str]:
    groups = [
        group
        for path in sorted((ROOT / "rules").glob("*.yml"))
        for group in yaml.safe_load(path.read_text(encoding="utf-8")).get("groups", [])
    ]
    return [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if not link.startswith("http")]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_every_alert_has_its_runbook_and_names_it() -> None:
    assert _alerts() == ["ProjectDown"]
    for alert in _alerts():
        assert (ROOT / f"docs/runbooks/{alert}.md").exists()
        assert f"runbook_url: docs/runbooks/{alert}.md" in _text("rules/availability.yml")


def test_every_event_is_explained() -> None:
    built = set(re.findall(r'_of\(incident, "(\w+)"', _text("webhook/event.py")))
    failures = {kind.failed_event for kind in CATALOGUE.values()}
    explained = set(re.findall(r"^\| `([\w<>]+)`", _text("docs/events.md"), re.MULTILINE))
    assert explained == built | failures | {"ProjectDown", "<PROJECT>_STATUS_CHANGED"}


def test_every_key_of_the_configuration_is_explained_and_no_other() -> None:
    shown = set(re.findall(r"`([a-z_]+(?:\[\])?(?:\.[a-z_<>]+)*)`", _text("docs/configuration.md")))
    keys = {
        *(f"defaults.{key}" for key in get_type_hints(config._Defaults) if key != "model_config"),
        *(
            f"projects[].{key}"
            for key in get_type_hints(config._Project)
            if key not in {"model_config", "control"}
        ),
        *(f"projects[].control.{key}" for key in ("url", "token_file")),
        *(f"guards.{key}" for key in config.Guards.__slots__),
        *(f"verification.{key}" for key in config.Verification.__slots__),
        "playbooks.<alert>",
        "alertmanagers",
        "prometheus",
    }
    dotted = {key for key in shown if "." in key and key.split(".")[0].rstrip("[]") in _ROOTS}
    assert dotted | {"alertmanagers", "prometheus"} == keys
    assert {"alertmanagers", "prometheus"} <= shown


_ROOTS = {"defaults", "projects", "guards", "verification", "playbooks"}


def test_every_action_is_in_the_configuration_page() -> None:
    assert [name for name in CATALOGUE if f"`{name}`" not in _text("docs/configuration.md")] == []


def test_the_readme_names_every_fault_that_there_is_a_rule_for() -> None:
    told = [name for name, fault in FAULTS.items() if fault.outcome is not Outcome.NO_RULE_YET]
    assert [name for name in told if name not in _text("README.md")] == []


def test_every_target_of_the_makefile_that_the_docs_name_exists() -> None:
    named = {
        name
        for page in PAGES
        for name in re.findall(r"(?:`|\$ )make ([a-z-]+)", page.read_text(encoding="utf-8"))
    }
    targets = set(re.findall(r"^([a-z-]+):", _text("Makefile"), re.MULTILINE))
    assert named - targets == set()


def test_the_example_configuration_says_the_defaults() -> None:
    example = config.load(ROOT / "orchestrator.example.yml")
    check_playbooks(example)
    assert (example.guards, example.verification, example.alertmanagers, example.prometheus) == (
        config.Guards(),
        config.Verification(),
        config.Config(projects={}).alertmanagers,
        config.Config(projects={}).prometheus,
    )


def _compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(_text("docker-compose.yml"))
    return found


def test_every_file_that_compose_mounts_exists() -> None:
    mounts = [
        mount.split(":")[0]
        for each in _compose()["services"].values()
        for mount in each["volumes"]
        if mount.startswith("./")
    ]
    assert mounts
    assert [mount for mount in mounts if not (ROOT / mount).exists()] == []


def test_the_files_of_compose_are_valid_and_use_the_ports_of_the_rules() -> None:
    fleet = service.load(ROOT / "deploy/compose/services.yml")
    loaded = config.load(ROOT / "deploy/compose/orchestrator.yml")
    check_playbooks(loaded)
    assert {name: each.url for name, each in fleet.services.items()} == {
        name: f"http://127.0.0.1:{PORTS[name]}" for name in fleet.services
    }
    assert {name: each.url for name, each in loaded.projects.items()} == {
        name: each.url for name, each in fleet.services.items()
    }


def test_nothing_that_compose_starts_listens_beyond_loopback() -> None:
    services = _compose()["services"]
    listening = [
        word
        for each in services.values()
        for word in each["command"]
        if "listen-address" in word and not word.endswith("=")
    ]
    assert [word.split("=")[1].split(":")[0] for word in listening] == ["127.0.0.1"] * 2
    assert [name for name, each in services.items() if "ports" in each] == []


def test_the_wheel_holds_the_package_orchestrator_and_nothing_else(tmp_path: Path) -> None:
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path))
    with zipfile.ZipFile(wheel) as opened:
        tops = {name.split("/")[0] for name in opened.namelist()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"orchestrator"}
