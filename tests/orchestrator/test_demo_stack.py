"""The files of the demo stack: each is one its program accepts, on the ports of your choice."""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter import reading
from orchestrator import config
from orchestrator.answer import Answer
from orchestrator.config import Verification
from orchestrator.demo.binaries import Binaries
from orchestrator.demo.business import BUSINESS, metrics
from orchestrator.demo.fault import FAULTS
from orchestrator.demo.stack import (
    FAST,
    PLAYBOOKS,
    PORTS,
    PROGRAMS_NEED,
    PROJECTS,
    SHIPPED,
    Pace,
    Stack,
    write,
)
from orchestrator.guards import Guards
from orchestrator.metrics import METRICS
from orchestrator.project import Mode, Thresholds
from orchestrator.supervisor import service
from orchestrator.supervisor.service import Restart, Service
from webhook.app import check_playbooks

CHECKOUT = Path(__file__).parents[2]
BINARIES = Binaries(
    prometheus=Path("/bin/prometheus"),
    promtool=Path("/bin/promtool"),
    alertmanager=Path("/bin/alertmanager"),
    amtool=Path("/bin/amtool"),
)
CHOSEN = {name: 20_001 + place for place, name in enumerate(PORTS)}
SWAPPED = PORTS | {
    "prometheus": PORTS["alertmanager"],
    "alertmanager": PORTS["prometheus"],
    "exporter": PORTS["webhook"],
    "webhook": PORTS["exporter"],
}
NAMED = tuple(yaml.safe_load((CHECKOUT / "rules/prometheus.yml").read_text())["rule_files"])


def written(
    folder: Path,
    *,
    ports: Mapping[str, int] = PORTS,
    pace: Pace = SHIPPED,
    mode: Mode = Mode.ACT,
    thresholds: Mapping[str, Mapping[str, float]] | None = None,
    stand_in: bool = True,
) -> Path:
    """Write a stack of this checkout into *folder*, and return that."""
    stack = Stack(
        checkout=CHECKOUT,
        folder=folder,
        binaries=BINARIES,
        ports=ports,
        mode=mode,
        pace=pace,
        thresholds=thresholds or {},
        stand_in=stand_in,
    )
    assert write(stack) == folder / "services.yml"
    return folder


def content(path: Path) -> Any:  # noqa: ANN401  any YAML
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_files_are_these(tmp_path: Path) -> None:
    assert sorted(path.name for path in written(tmp_path).iterdir()) == sorted(
        [
            "prometheus.yml",
            *NAMED,
            "alertmanager.yml",
            "messages.key",
            "orchestrator.yml",
            "services.yml",
        ]
    )


def test_no_usual_port_is_left_when_all_are_chosen(tmp_path: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in written(tmp_path, ports=CHOSEN).iterdir()]
    found = {int(port) for text in texts for port in re.findall(r"127\.0\.0\.1:(\d+)", text)}
    assert found == set(CHOSEN.values())


WAYS = ("control", "faults")


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("ports", [PORTS, CHOSEN, SWAPPED], ids=["usual", "others", "swapped"])
def test_the_configuration_loads_and_names_every_address(
    tmp_path: Path, ports: dict[str, int], mode: Mode
) -> None:
    loaded = config.load(written(tmp_path, ports=ports, mode=mode) / "orchestrator.yml")
    at = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    assert (
        [
            (each.name, each.url, each.control.url, each.faults, each.mode)
            for each in loaded.projects.values()
        ],
        loaded.playbooks,
        loaded.alertmanagers,
        loaded.prometheus,
        loaded.url,
    ) == (
        [
            (name, at[name], *(f"{at['supervisor']}/{way}/{name}" for way in WAYS), mode)
            for name in PROJECTS
        ],
        {name: tuple(steps) for name, steps in PLAYBOOKS.items()},
        (at["alertmanager"],),
        at["prometheus"],
        at["webhook"],
    )


def test_every_business_figure_of_a_project_is_a_gauge_of_it(tmp_path: Path) -> None:
    loaded = config.load(written(tmp_path) / "orchestrator.yml")
    assert {
        name: [gauge.source for gauge in each.metrics] for name, each in loaded.projects.items()
    } == {name: [f"business.{key}" for key in figures] for name, figures in BUSINESS.items()}


@pytest.mark.parametrize("name", PROJECTS)
def test_the_gauges_of_a_project_are_read_from_what_it_answers(tmp_path: Path, name: str) -> None:
    project = config.load(written(tmp_path) / "orchestrator.yml").projects[name]
    said = metrics(name, 0.0, {}, paused=False)
    answer = Answer(reason=None, status=200, body=json.dumps(said).encode())
    found = reading.of_metrics(answer, project.metrics)
    own = {key: value for key, value in found.values.items() if key not in METRICS}
    assert (found.wrong, list(own)) == ((), [f"project_{each.name}" for each in project.metrics])


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("pace", "probing", "guards", "verification"),
    [
        (SHIPPED, (SECOND * 5, SECOND * 30, SECOND * 2), Guards(), Verification()),
        (
            FAST,
            (SECOND / 2, SECOND / 2, SECOND * 2),
            Guards(cooldown=SECOND, resume_after=SECOND * 3),
            Verification(recover_within=SECOND * 4, prove_within=SECOND * 20, every=SECOND / 10),
        ),
    ],
    ids=["shipped", "fast"],
)
def test_the_pace_is_in_the_configuration(
    tmp_path: Path,
    pace: Pace,
    probing: tuple[timedelta, timedelta, timedelta],
    guards: Guards,
    verification: Verification,
) -> None:
    loaded = config.load(written(tmp_path, pace=pace) / "orchestrator.yml")
    rates = {
        (each.health_interval, each.metrics_interval, each.timeout)
        for each in loaded.projects.values()
    }
    limits = loaded.guards.of("email-blast", "restart_service")
    assert (rates, limits, loaded.verification) == ({probing}, guards, verification)


def test_a_threshold_of_its_own_is_that_projects_alone(tmp_path: Path) -> None:
    own = {"chatbot": {"errors": 0.1}}
    loaded = config.load(written(tmp_path, thresholds=own) / "orchestrator.yml")
    assert {name: each.thresholds for name, each in loaded.projects.items()} == {
        **dict.fromkeys(PROJECTS, Thresholds()),
        "chatbot": replace(Thresholds(), errors=0.1),
    }


def test_the_supervisor_runs_the_projects_and_then_their_watchers(tmp_path: Path) -> None:
    fleet = service.load(written(tmp_path, ports=CHOSEN) / "services.yml")
    assert (fleet.state, list(fleet.services)) == (
        tmp_path / "state",
        [*PROJECTS, "messages", "exporter", "webhook", "alertmanager", "prometheus"],
    )


def test_a_project_is_a_service_that_takes_commands_and_stays_down(tmp_path: Path) -> None:
    fleet = service.load(written(tmp_path, ports=CHOSEN) / "services.yml")
    where = f"127.0.0.1:{CHOSEN['chatbot']}"
    argv = [sys.executable, "-m", "orchestrator.demo.project", "chatbot"]
    assert fleet.services["chatbot"] == Service(
        name="chatbot",
        argv=(*argv, "--listen", where, "--data", str(tmp_path / "chatbot")),
        restart=Restart.NEVER,
        url=f"http://{where}",
        ready=f"http://{where}/health",
    )


@pytest.mark.parametrize("name", ["exporter", "webhook"])
def test_our_programs_run_from_the_checkout_and_come_back(tmp_path: Path, name: str) -> None:
    found = service.load(written(tmp_path, ports=CHOSEN) / "services.yml").services[name]
    listen = found.argv[found.argv.index("--listen") + 1]
    path = found.argv[found.argv.index("--config") + 1]
    assert (found.argv[:3], found.cwd, found.restart, listen, path) == (
        (sys.executable, "-m", name),
        CHECKOUT,
        Restart.BACKOFF,
        f"127.0.0.1:{CHOSEN[name]}",
        str(tmp_path / "orchestrator.yml"),
    )


@pytest.mark.parametrize(("pace", "flags"), [(SHIPPED, ()), (FAST, FAST.prometheus_flags)])
def test_prometheus_is_started_with_the_files_of_the_demo(
    tmp_path: Path, pace: Pace, flags: tuple[str, ...]
) -> None:
    fleet = service.load(written(tmp_path, ports=CHOSEN, pace=pace) / "services.yml")
    assert fleet.services["prometheus"].argv == (
        "/bin/prometheus",
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/prometheus",
        f"--web.listen-address=127.0.0.1:{CHOSEN['prometheus']}",
        *flags,
    )


def test_alertmanager_is_started_alone_with_the_files_of_the_demo(tmp_path: Path) -> None:
    fleet = service.load(written(tmp_path, ports=CHOSEN) / "services.yml")
    assert fleet.services["alertmanager"].argv == (
        "/bin/alertmanager",
        f"--config.file={tmp_path}/alertmanager.yml",
        f"--storage.path={tmp_path}/alertmanager",
        f"--web.listen-address=127.0.0.1:{CHOSEN['alertmanager']}",
        "--cluster.listen-address=",
    )


def test_the_webhook_can_follow_every_playbook(tmp_path: Path) -> None:
    check_playbooks(config.load(written(tmp_path) / "orchestrator.yml"))


def test_every_alert_that_is_to_be_repaired_and_that_a_fault_makes_has_a_playbook() -> None:
    rules = [
        rule
        for name in NAMED
        for group in content(CHECKOUT / "rules" / name)["groups"]
        for rule in group["rules"]
    ]
    repaired = {rule["alert"] for rule in rules if rule.get("labels", {}).get("remediate")}
    made = {name for fault in FAULTS.values() for name in fault.alerts}
    assert repaired & made == set(PLAYBOOKS)


def test_every_program_has_a_port_and_no_two_share_one() -> None:
    assert len(set(PORTS.values())) == len(PORTS)


def test_a_checkout_has_the_programs_that_the_demo_needs() -> None:
    assert [name for name in PROGRAMS_NEED if not (CHECKOUT / name).is_dir()] == []


def test_an_address_is_on_this_machine(tmp_path: Path) -> None:
    stack = Stack(checkout=CHECKOUT, folder=tmp_path, binaries=BINARIES, ports=CHOSEN)
    assert {name: stack.url(name) for name in CHOSEN} == {
        name: f"http://127.0.0.1:{port}" for name, port in CHOSEN.items()
    }


def test_without_a_key_a_stand_in_answers_for_claude_and_with_one_nobody_does(
    tmp_path: Path,
) -> None:
    stood_in = config.load(written(tmp_path, ports=CHOSEN) / "orchestrator.yml").analyzer
    asked = config.load(written(tmp_path, stand_in=False) / "orchestrator.yml").analyzer
    assert (stood_in.url, stood_in.key) == (
        f"http://127.0.0.1:{CHOSEN['messages']}",
        "a key that opens nothing",
    )
    assert (asked.url, asked.key) == ("https://api.anthropic.com", None)
    fleet = service.load(tmp_path / "services.yml")
    assert "messages" not in fleet.services
