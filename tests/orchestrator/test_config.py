"""What orchestrator.yml may say, and how it is told what it may not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import get_type_hints

import pytest
import trustme
import yaml

from orchestrator import config, written
from orchestrator.analyzing import RUNBOOKS, WrittenAnalyzer, WrittenPrice
from orchestrator.commands import Command
from orchestrator.config import Analyzer, Config, Retention, Verification, decode, load
from orchestrator.guards import Asking, Guarding, Guards, WrittenGuards, WrittenLimits
from orchestrator.prices import Price, Rate
from orchestrator.project import Auth, Control, Gauge, Mode, Paths, Project, Thresholds, Tls
from orchestrator.stamp import stamp

WHOLE = """
defaults: {mode: act, health_interval: 500ms, metrics_interval: 10s, timeout: 1s, slow_after: 400ms,
           labels: {environment: production, client: none}}
thresholds: {cpu: 0.5, memory: 0.6, errors: 0.01}
projects:
  - name: email-blast
    url: http://127.0.0.1:3010/
    control: {url: "http://127.0.0.1:3009/control/email-blast/", token_file: secrets/email}
    labels: {client: acme}
    thresholds: {errors: 0.1}
    metrics: {response_rate_ratio: business.response_rate, backlog_seconds: business.backlog.ms}
    auth: {bearer_file: bearer}
    faults: http://127.0.0.1:3009/faults/email-blast/
  - name: chatbot
    url: https://chatbot.example.org/base
    control: {url: "http://127.0.0.1:3009", token_file: /run/token}
    mode: observe
    health_interval: 1m30s
    metrics_interval: 2m
    timeout: 10s
    slow_after: 3s
    critical: true
    depends_on: [email-blast, billing]
    slo: 0.999
    thresholds: {cpu: 1, memory: 0.9}
    auth: {username: alice, password_env: CHATBOT_PASSWORD}
    tls: {ca_file: ca.pem, cert_file: client.pem, key_file: client.key, server_name: internal,
          insecure_skip_verify: true}
    paths: {health: /healthz, metrics: null, status: "/status?full=1", logs: null}
    guards: {cooldown: 1m, actions: {restart_service: {cooldown: 2m}}}
  - {name: billing, url: "http://127.0.0.1:3020", auth: {header: X-Api-Key, value_file: bearer}}
  - {name: crm, url: "http://127.0.0.1:3030", auth: {username: bob, password_file: bearer}}
  - {name: erp, url: "http://127.0.0.1:3040", auth: {header: X-Api-Key, value_env: ERP_KEY}}
  - {name: shop, url: "http://127.0.0.1:3050", auth: {bearer_env: ERP_KEY}}
playbooks: {ProjectDown: [restart_service, "command:free-memory"], Idle: []}
guards: {attempts: 5, window: 2h, breaker: 1, cooldown: 0s, approval: always, approval_within: 1h,
         concurrency: 8, fleet_share: 0.5, fleet_min: 2, fleet_within: 2m, recent_deployment: 2h,
         resume_after: 1m, dry_run: true, actions: {clear_cache: {attempts: 9}}}
commands:
  free-memory: {argv: [/bin/free, "{project}"], timeout: 9s, disruptive: false, repeatable: true}
verification: {recover_within: 4s, prove_within: 20s, every: 100ms}
analyzer:
  {mode: always, model: some-model, fallback_model: null, effort: high, auto_above: 0.9,
   daily_budget_usd: 2, monthly_budget_usd: 0.5, calls_per_hour: 7, url: "http://127.0.0.1:8080/",
   allow: {ProjectSlow: [clear_cache]}, runbooks: books, key_file: bearer,
   prices: {some-model: {input: 1, output: 2.5, cache_read: 0.1, write_5m: 1.25, write_1h: 2,
                         since: 2026-10-07}}}
retention: {raw: 7d, events: 90d, audit: 1000d}
alertmanagers: ["http://127.0.0.1:9093/", "http://[::1]:9094"]
receiver: repairs
prometheus: http://127.0.0.1:9090/prefix/
url: https://orchestrator.example.org/console/
"""
PRICE = Price(
    rate=Rate(input=1_000, output=2_500, cache_read=100, write_5m=1_250, write_1h=2_000),
    since=date(2026, 10, 7),
)
ENVIRONMENT = {"CHATBOT_PASSWORD": "open sesame", "ERP_KEY": "k-1"}
SHAPES = (
    config._File,
    *(WrittenGuards, WrittenLimits, Command, Verification, Retention),
    *(WrittenAnalyzer, WrittenPrice),
    *(written.WrittenDefaults, written.WrittenProject, written.WrittenControl),
    *(written.WrittenThresholds, written.WrittenAuth, written.WrittenTls, written.WrittenPaths),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Fill a folder with the files that the whole configuration names."""
    authority = trustme.CA()
    shown = authority.issue_cert("monitor.example.org")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    shown.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
    shown.private_key_pem.write_to_path(tmp_path / "client.key")
    (tmp_path / "bearer").write_text("t0ken\n", encoding="utf-8")
    (tmp_path / "books").mkdir()
    return tmp_path


def _keys(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
        yield from _keys(each)


def test_the_whole_file_holds_every_key_that_there_is() -> None:
    there_are = {key for each in SHAPES for key in get_type_hints(each) if "config" not in key}
    assert there_are - set(_keys(yaml.safe_load(WHOLE))) == set()


def _email(folder: Path) -> Project:
    return Project(
        name="email-blast",
        url="http://127.0.0.1:3010",
        control=Control(
            url="http://127.0.0.1:3009/control/email-blast", token_file=folder / "secrets/email"
        ),
        mode=Mode.ACT,
        health_interval=timedelta(milliseconds=500),
        metrics_interval=timedelta(seconds=10),
        timeout=timedelta(seconds=1),
        slow_after=timedelta(milliseconds=400),
        labels=(("client", "acme"), ("environment", "production")),
        thresholds=Thresholds(cpu=0.5, memory=0.6, errors=0.1),
        metrics=(
            Gauge(name="response_rate_ratio", source="business.response_rate"),
            Gauge(name="backlog_seconds", source="business.backlog.ms", times=1, per=1000),
        ),
        auth=Auth(header="Authorization", value="Bearer t0ken"),
        faults="http://127.0.0.1:3009/faults/email-blast",
    )


def _chatbot(folder: Path) -> Project:
    files = {
        "ca_file": folder / "ca.pem",
        "cert_file": folder / "client.pem",
        "key_file": folder / "client.key",
    }
    return Project(
        name="chatbot",
        url="https://chatbot.example.org/base",
        control=Control(url="http://127.0.0.1:3009", token_file=Path("/run/token")),
        mode=Mode.OBSERVE,
        health_interval=timedelta(seconds=90),
        metrics_interval=timedelta(minutes=2),
        timeout=timedelta(seconds=10),
        slow_after=timedelta(seconds=3),
        labels=(("client", "none"), ("environment", "production")),
        thresholds=Thresholds(cpu=1.0, memory=0.9, errors=0.01),
        critical=True,
        depends_on=("email-blast", "billing"),
        slo=0.999,
        auth=Auth(header="Authorization", value="Basic YWxpY2U6b3BlbiBzZXNhbWU="),
        tls=Tls(
            **files,
            server_name="internal",
            verify=False,
            stamp=tuple(path.stat().st_mtime_ns for path in files.values()),
        ),
        paths=Paths(health="/healthz", metrics=None, status="/status?full=1", logs=None),
    )


WHO, STEPS = ("crm", "chatbot"), ("clear_cache", "restart_service")
LIMITS = Guards(
    attempts=5,
    window=timedelta(hours=2),
    breaker=1,
    cooldown=timedelta(seconds=0),
    approval=Asking.ALWAYS,
    approval_within=timedelta(hours=1),
    concurrency=8,
    fleet_share=0.5,
    fleet_min=2,
    fleet_within=timedelta(minutes=2),
    recent_deployment=timedelta(hours=2),
    resume_after=timedelta(minutes=1),
    dry_run=True,
)


def test_every_key_is_read(folder: Path) -> None:
    made = decode(WHOLE, source="o.yml", folder=folder, environment=ENVIRONMENT)
    others = {name: made.projects[name] for name in ("billing", "crm", "erp", "shop")}
    assert made == Config(
        projects={"email-blast": _email(folder), "chatbot": _chatbot(folder), **others},
        playbooks={"ProjectDown": ("restart_service", "command:free-memory"), "Idle": ()},
        guards=made.guards,  # the test below
        commands={
            "free-memory": Command(
                argv=("/bin/free", "{project}"),
                timeout=timedelta(seconds=9),
                disruptive=False,
                repeatable=True,
            )
        },
        verification=Verification(
            recover_within=timedelta(seconds=4),
            prove_within=timedelta(seconds=20),
            every=timedelta(milliseconds=100),
        ),
        analyzer=Analyzer(
            mode="always",
            model="some-model",
            fallback_model=None,
            effort="high",
            auto_above=0.9,
            daily_budget_usd=2.0,
            monthly_budget_usd=0.5,
            calls_per_hour=7,
            allow={"ProjectSlow": ("clear_cache",)},
            url="http://127.0.0.1:8080",
            prices={"some-model": PRICE},
            runbooks=folder / "books",
            key="t0ken",
        ),
        retention=Retention(
            raw=timedelta(days=7), events=timedelta(days=90), audit=timedelta(days=1000)
        ),
        alertmanagers=("http://127.0.0.1:9093", "http://[::1]:9094"),
        receiver="repairs",
        prometheus="http://127.0.0.1:9090/prefix",
        url="https://orchestrator.example.org/console",
    )
    assert {name: each.auth for name, each in others.items()} == {
        "billing": Auth(header="X-Api-Key", value="t0ken"),
        "crm": Auth(header="Authorization", value="Basic Ym9iOnQwa2Vu"),
        "erp": Auth(header="X-Api-Key", value="k-1"),
        "shop": Auth(header="Authorization", value="Bearer k-1"),
    }


def test_every_guard_is_read_at_each_of_its_places(folder: Path) -> None:
    guards = decode(WHOLE, source="o.yml", folder=folder, environment=ENVIRONMENT).guards
    cleared = replace(LIMITS, attempts=9)
    assert {(who, step): guards.of(who, step) for who in WHO for step in STEPS} == {
        ("crm", "clear_cache"): cleared,
        ("crm", "restart_service"): LIMITS,
        ("chatbot", "clear_cache"): replace(cleared, cooldown=timedelta(minutes=1)),
        ("chatbot", "restart_service"): replace(LIMITS, cooldown=timedelta(minutes=2)),
    }


def test_the_files_that_were_read_are_named_with_their_stamps(folder: Path) -> None:
    made = decode(WHOLE, source="o.yml", folder=folder, environment=ENVIRONMENT)
    files = [folder / name for name in ("bearer", "ca.pem", "client.pem", "client.key")]
    assert made.read == {file: stamp(file) for file in files}


def test_every_default_is_filled_in() -> None:
    bare = Project(
        name="a",
        url="http://127.0.0.1:3010",
        control=Control(url="http://127.0.0.1:3010/control", token_file=None),
        mode=Mode.OBSERVE,
        health_interval=timedelta(seconds=5),
        metrics_interval=timedelta(seconds=30),
        timeout=timedelta(seconds=2),
        slow_after=timedelta(seconds=1),
        labels=(),
        thresholds=Thresholds(cpu=0.80, memory=0.85, errors=0.05),
        metrics=(),
        critical=False,
        depends_on=(),
        slo=0.99,
        auth=None,
        tls=Tls(ca_file=None, cert_file=None, key_file=None, server_name=None, verify=True),
        paths=Paths(health="/health", metrics="/metrics", status="/status", logs="/logs"),
    )
    assert decode(_project(), source="o.yml") == Config(
        projects={"a": bare},
        playbooks={},
        guards=Guarding(general=WrittenGuards(), projects={}),  # test_guards.py has the defaults
        commands={},
        verification=Verification(
            recover_within=timedelta(seconds=15),
            prove_within=timedelta(seconds=60),
            every=timedelta(milliseconds=500),
        ),
        analyzer=Analyzer(
            mode="on_failure",
            model="claude-sonnet-5-5",
            fallback_model="claude-haiku-5-5",
            effort="medium",
            auto_above=0.70,
            daily_budget_usd=1.0,
            monthly_budget_usd=10.0,
            calls_per_hour=30,
            allow={},
            url="https://api.anthropic.com",
            prices={},
            runbooks=RUNBOOKS,
            key=None,
        ),
        retention=Retention(raw=timedelta(days=30), events=timedelta(days=365)),
        alertmanagers=("http://127.0.0.1:9093",),
        receiver="webhook",
        prometheus="http://127.0.0.1:9090",
        url="http://127.0.0.1:4001",
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "null"])
def test_an_empty_file_watches_no_project(text: str) -> None:
    assert decode(text, source="o.yml") == Config(projects={})


def _project(line: str = "") -> str:
    return f"projects:\n  - {{name: a, url: 'http://127.0.0.1:3010', {line}}}"


def test_a_project_may_use_what_another_mapping_holds() -> None:
    text = (
        "projects:\n"
        "  - &one {name: a, url: 'http://127.0.0.1:3010', mode: act}\n"
        "  - {<<: *one, name: b}\n"
    )
    assert {each.name: each.mode for each in decode(text, source="o").projects.values()} == {
        "a": Mode.ACT,
        "b": Mode.ACT,
    }


def test_a_token_file_begins_where_the_configuration_lies(tmp_path: Path) -> None:
    path = tmp_path / "o.yml"
    path.write_text(_project("control: {url: 'http://h', token_file: token}"), encoding="utf-8")
    assert load(path).projects["a"].control == Control(
        url="http://h", token_file=tmp_path / "token"
    )
