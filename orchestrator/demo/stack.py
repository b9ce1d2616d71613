"""The demo stack: every program of it, on ports of your choice, as the files that describe it."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from orchestrator import duration
from orchestrator.demo.binaries import Binaries
from orchestrator.project import Mode

PROJECTS = ("email-blast", "chatbot", "social-media")
PORTS = {
    "email-blast": 3010,
    "chatbot": 3011,
    "social-media": 3012,
    "supervisor": 3009,
    "exporter": 4010,
    "webhook": 4001,
    "prometheus": 9090,
    "alertmanager": 9093,
    "messages": 3090,
}
METRICS = {  # business gauges in base units: the name, after `project_`, and where it comes from
    "email-blast": {
        "response_rate_ratio": "business.response_rate",
        "delivery_rate_ratio": "business.delivery_rate",
        "cost_per_lead_usd": "business.cost_per_lead_usd",
    },
    "chatbot": {
        "ticket_reduction_ratio": "business.ticket_reduction",
        "customer_satisfaction_points": "business.customer_satisfaction",
        "response_time_seconds": "business.response_time_seconds",
    },
    "social-media": {
        "engagement_rate_ratio": "business.engagement_rate",
        "posting_consistency_ratio": "business.posting_consistency",
        "time_saved_seconds": "business.time_saved_hours",
    },
}
PLAYBOOKS = {  # the worst alert first
    "ProjectDown": ["restart_service"],
    "ProjectHighErrorRate": ["rollback_deployment", "restart_service"],
    "ProjectHighMemory": ["clear_cache", "restart_service"],
    "ProjectHighCPU": ["pause_service"],
}
KEY = "messages.key"  # for the stand-in, which takes any
PROGRAMS_NEED = ("exporter", "webhook", "rules")  # what a checkout has and the wheel has not


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast everything goes round. The default is what we ship; FAST is for tests."""

    defaults: Mapping[str, str] = field(default_factory=dict)  # of orchestrator.yml
    guards: Mapping[str, str | int] = field(default_factory=dict)
    verification: Mapping[str, str] = field(default_factory=dict)
    scrapes: Mapping[str, str] = field(default_factory=dict)  # a job's name -> its interval
    interval: str | None = None  # of every group of rules
    hold: str | None = None  # the longest `for` of an alert that is not about ourselves
    settle: str | None = None  # the longest that such an alert needs to see a change
    group_interval: str | None = None
    prometheus_flags: tuple[str, ...] = ()
    give_up_after: timedelta = timedelta(minutes=7)  # without news; what is paused rests for 5


SHIPPED = Pace()
FAST = Pace(
    defaults={"health_interval": "500ms", "metrics_interval": "500ms"},
    guards={"cooldown": "1s", "resume_after": "3s"},
    verification={"recover_within": "4s", "prove_within": "20s", "every": "100ms"},
    scrapes={"exporter-health": "500ms", "exporter-resources": "1s"},
    interval="500ms",
    hold="2s",
    settle="2s",
    group_interval="1s",
    prometheus_flags=("--rules.alert.resend-delay=1s",),
    give_up_after=timedelta(seconds=60),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Everything that decides how the demo runs, before anything does."""

    checkout: Path
    folder: Path  # everything that the demo writes
    binaries: Binaries
    ports: Mapping[str, int] = field(default_factory=lambda: PORTS)
    mode: Mode = Mode.ACT
    pace: Pace = SHIPPED
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # by project
    stand_in: bool = True  # for Claude; without one, the webhook's environment has a key
    analyzer: Mapping[str, Any] = field(default_factory=dict)  # of orchestrator.yml

    def url(self, name: str) -> str:
        """Return the address of one of the programs in PORTS."""
        return f"http://127.0.0.1:{self.ports[name]}"


def write(stack: Stack) -> Path:
    """Write every file of the stack into its folder; return the supervisor's."""
    rules = stack.checkout / "rules"
    prometheus = _prometheus(stack, _shipped(rules / "prometheus.yml", stack))
    files = {
        "orchestrator.yml": _orchestrator(stack),
        "prometheus.yml": prometheus,
        **{name: _rules(stack, _shipped(rules / name, stack)) for name in prometheus["rule_files"]},
        "alertmanager.yml": _alertmanager(stack, _shipped(rules / "alertmanager.yml", stack)),
        "services.yml": {"state": "state", "services": _services(stack)},
    }
    for name, content in files.items():
        text = yaml.safe_dump(content, sort_keys=False)
        (stack.folder / name).write_text(text, encoding="utf-8")
    if stack.stand_in:
        (stack.folder / KEY).write_text("a key that opens nothing\n", encoding="utf-8")
    return stack.folder / "services.yml"


def _orchestrator(stack: Stack) -> dict[str, Any]:
    control = stack.url("supervisor")
    pace = stack.pace
    return {
        "defaults": {"mode": str(stack.mode), **pace.defaults},
        "projects": [
            {
                "name": name,
                "url": stack.url(name),
                "control": {"url": f"{control}/control/{name}"},
                "faults": f"{control}/faults/{name}",
                "metrics": dict(METRICS[name]),
                "thresholds": dict(stack.thresholds.get(name, {})),
            }
            for name in PROJECTS
        ],
        "playbooks": {name: list(steps) for name, steps in PLAYBOOKS.items()},
        "guards": dict(pace.guards),
        "verification": dict(pace.verification),
        "analyzer": _analyzer(stack),
        "alertmanagers": [stack.url("alertmanager")],
        "prometheus": stack.url("prometheus"),
        "url": stack.url("webhook"),
    }


def _analyzer(stack: Stack) -> dict[str, Any]:
    asked = {"url": stack.url("messages"), "key_file": KEY} if stack.stand_in else {}
    return {**asked, **stack.analyzer}


def _prometheus(stack: Stack, shipped: dict[str, Any]) -> dict[str, Any]:
    for job in shipped["scrape_configs"]:
        interval = stack.pace.scrapes.get(job["job_name"])
        if interval:
            job["scrape_interval"] = job["scrape_timeout"] = interval
    return shipped


def _rules(stack: Stack, shipped: dict[str, Any]) -> dict[str, Any]:
    for group in shipped["groups"]:
        if stack.pace.interval:
            group["interval"] = stack.pace.interval
        for rule in group["rules"]:
            if rule.get("labels", {}).get("scope") != "self":  # those keep their own patience
                _shorten(rule, "for", stack.pace.hold)
                _shorten(rule.get("annotations", {}), "settle", stack.pace.settle)
    return shipped


def _shorten(part: dict[str, Any], key: str, longest: str | None) -> None:
    """Put *longest* for a longer length of time, where there is one."""
    if longest and key in part and duration.parse(part[key]) > duration.parse(longest):
        part[key] = longest


def _alertmanager(stack: Stack, shipped: dict[str, Any]) -> dict[str, Any]:
    if stack.pace.group_interval:
        for route in shipped["route"]["routes"]:
            if route["receiver"] == "webhook" and 'remediate="true"' in route["matchers"]:
                route["group_interval"] = stack.pace.group_interval
    return shipped


def _services(stack: Stack) -> list[dict[str, Any]]:
    python = [sys.executable, "-m"]
    at = {name: f"127.0.0.1:{port}" for name, port in stack.ports.items()}
    ours = {"cwd": str(stack.checkout), "restart": "backoff"}
    config = ["--config", str(stack.folder / "orchestrator.yml")]
    db = ["--db", str(stack.folder / "orchestrator.db")]
    return [
        *(_project(stack, name) for name in PROJECTS),
        *([_messages(at["messages"])] if stack.stand_in else []),
        {
            "name": "exporter",
            "argv": [*python, "exporter", *config, "--listen", at["exporter"]],
            **ours,
        },
        {
            "name": "webhook",
            "argv": [
                *python,
                *("webhook", *config, *db, "--listen", at["webhook"]),
                "--enable-test-endpoints",
            ],
            **ours,
        },
        {
            "name": "alertmanager",
            "argv": [
                str(stack.binaries.alertmanager),
                f"--config.file={stack.folder / 'alertmanager.yml'}",
                f"--storage.path={stack.folder / 'alertmanager'}",
                f"--web.listen-address={at['alertmanager']}",
                "--cluster.listen-address=",
            ],
        },
        {
            "name": "prometheus",
            "argv": [
                str(stack.binaries.prometheus),
                f"--config.file={stack.folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={stack.folder / 'prometheus'}",
                f"--web.listen-address={at['prometheus']}",
                *stack.pace.prometheus_flags,
            ],
        },
    ]


def _messages(listen: str) -> dict[str, Any]:
    module = [sys.executable, "-m", "orchestrator.demo.messages"]
    return {"name": "messages", "argv": [*module, "--listen", listen]}


def _project(stack: Stack, name: str) -> dict[str, Any]:
    where = f"127.0.0.1:{stack.ports[name]}"
    module = [sys.executable, "-m", "orchestrator.demo.project"]
    return {
        "name": name,
        "argv": [*module, name, "--listen", where, "--data", str(stack.folder / name)],
        "url": stack.url(name),
        "ready": f"{stack.url(name)}/health",
    }


def _shipped(path: Path, stack: Stack) -> dict[str, Any]:
    text = _readdressed(path.read_text(encoding="utf-8"), stack.ports)
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def _readdressed(text: str, ports: Mapping[str, int]) -> str:
    """Put the chosen ports for the usual ones, which are those in the files that we ship."""
    chosen = {str(usual): str(ports[name]) for name, usual in PORTS.items()}
    return re.sub(
        r"(?<=127\.0\.0\.1:)\d+", lambda found: chosen.get(found.group(), found.group()), text
    )
