"""What one entry of `projects` may say, and how it is told what it may not."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from orchestrator import strict
from orchestrator.config import BadConfig, Config, decode
from orchestrator.guards import Guarding, Guards
from orchestrator.project import Control, Gauge, Mode, Project, Thresholds, Tls

HERE = "projects[0]"
SECRET = "s3same"  # noqa: S105  to be looked for where it must not be


def _project(line: str = "") -> str:
    return f"projects:\n  - {{name: a, url: 'http://127.0.0.1:3010', {line}}}"


def _mistakes(text: str, folder: Path = Path(), **environment: str) -> list[str]:
    with pytest.raises(BadConfig) as refused:
        decode(text, source="o.yml", folder=folder, environment=environment)
    return refused.value.mistakes


NO_NAME = "is not a name; use a-z, 0-9 and inner hyphens, 63 at most"
NO_LABEL = "is no name of a label"
TAKEN = "is a label of the orchestrator's or of Prometheus' own"
NO_VALUE = "not one line of 1 to 200 printable characters"
NO_PATH = "is not a path like /health"
WAYS = (
    "say one of: bearer_env; bearer_file; username and password_env; username and password_file; "
    "value_env and header; value_file and header"
)
KEYS = (
    "name, url, control, mode, health_interval, metrics_interval, timeout, slow_after, labels, "
    "thresholds, metrics, critical, depends_on, slo, auth, tls, paths, faults, guards"
)
MISTAKES = [
    # unknown keys
    ("zzzz: 1", f"zzzz: unknown key; known here: {KEYS}"),
    ("slowafter: 1s", "slowafter: unknown key, did you mean slow_after?"),
    ("thresholds: {zzzz: 1}", "thresholds.zzzz: unknown key; known here: cpu, memory, errors"),
    ("tls: {cafile: x}", "tls.cafile: unknown key, did you mean ca_file?"),
    ("paths: {heath: /}", "paths.heath: unknown key, did you mean health?"),
    ("auth: {bearer: x}", "auth.bearer: unknown key, did you mean bearer_env?"),
    # where it can be broken on purpose
    ("faults: 3009", "faults: must be text; put it in quotes"),
    ("faults: 'http://u:p@h'", f"faults: {strict.HAS_LOGIN}"),
    # intervals
    ("health_interval: 199ms", "health_interval: must be 200ms at least"),
    ("metrics_interval: 199ms", "metrics_interval: must be 200ms at least"),
    ("slow_after: 0s", "slow_after: must be longer than 0s"),
    # labels
    ("labels: {a: 1}", "labels.a: must be text; put it in quotes"),
    ("labels: {a: ''}", f"labels: a: {NO_VALUE}"),
    (f"labels: {{a: {'x' * 201}}}", f"labels: a: {NO_VALUE}"),
    ('labels: {a: "x\\ny"}', f"labels: a: {NO_VALUE}"),
    ("labels: {a-b: x}", f"labels: 'a-b' {NO_LABEL}"),
    ("labels: {é: x}", f"labels: 'é' {NO_LABEL}"),
    ("labels: {__a: x}", f"labels: '__a' {NO_LABEL}"),
    (f"labels: {{{'a' * 61}: x}}", f"labels: '{'a' * 61}' {NO_LABEL}"),
    ("labels: {exported_a: x}", f"labels: 'exported_a' {TAKEN}"),
    # thresholds, slo, critical
    ("thresholds: {cpu: 80}", "thresholds.cpu: input should be less than or equal to 1"),
    ("thresholds: {cpu: true}", "thresholds.cpu: input should be a valid number"),
    ("thresholds: {cpu: .nan}", "thresholds.cpu: input should be less than or equal to 1"),
    ("slo: 1", "slo: input should be less than 1"),
    ("slo: 99%", "slo: input should be a valid number"),
    # metrics
    ("metrics: [up]", "metrics: must be a mapping of keys to values"),
    ("metrics: {a: 1}", "metrics.a: must be text; put it in quotes"),
    ("metrics: {A: a}", "metrics.A: 'A' is no name of a metric; use a-z, 0-9 and _, 60 at most"),
    ("metrics: {up: a}", "metrics.up: project_up is a metric of the orchestrator's own"),
    (
        f"metrics: {{{', '.join(f'm{each}: a' for each in range(51))}}}",
        "metrics: dictionary should have at most 50 items after validation, not more",
    ),
    # dependencies
    ("depends_on: b", "depends_on: must be a list"),
    ("depends_on: [B!]", f"depends_on[0]: 'B!' {NO_NAME}"),
    ("depends_on: [zzzz]", "depends_on[0]: no project zzzz"),
    # auth
    ("auth: t0ken", "auth: must be a mapping of keys to values"),
    ("auth: {}", f"auth: {WAYS}"),
    ("auth: {username: u}", f"auth: {WAYS}"),
    ("auth: {header: H}", f"auth: {WAYS}"),
    ("auth: {bearer_file: f, bearer_env: X}", f"auth: {WAYS}"),
    ("auth: {bearer_file: f, header: H, value_file: f}", f"auth: {WAYS}"),
    ("auth: {header: Host, value_env: X}", "auth.header: 'Host' is no header that can be set"),
    (
        "auth: {username: 'a:b', password_env: X}",
        "auth.username: string should match pattern '^[ -9;-~]+$'",
    ),
    ("auth: {bearer_env: NOPE}", "auth.bearer_env: the variable NOPE is not set"),
    ("auth: {header: H, value_env: NOPE}", "auth.value_env: the variable NOPE is not set"),
    ("auth: {bearer_file: /no}", "auth.bearer_file: /no: No such file or directory"),
    (
        "auth: {username: u, password_file: /no}",
        "auth.password_file: /no: No such file or directory",
    ),
    # TLS and paths
    ("tls: {key_file: k}", "tls: key_file without cert_file"),
    ("tls: {ca_file: /no}", "tls.ca_file: /no: No such file or directory"),
    (
        "tls: {server_name: 'a b'}",
        "tls.server_name: string should match pattern '^[A-Za-z0-9.-]+$'",
    ),
    ("paths: {health: null}", "paths.health: must be text; put it in quotes"),
    ("paths: {health: health}", f"paths.health: 'health' {NO_PATH}"),
    ("paths: {logs: '/a b'}", f"paths.logs: '/a b' {NO_PATH}"),
    ("paths: {status: '/a#b'}", f"paths.status: '/a#b' {NO_PATH}"),
]


@pytest.mark.parametrize(("line", "mistake"), MISTAKES)
def test_every_mistake_of_a_project_is_named_by_its_path(line: str, mistake: str) -> None:
    assert _mistakes(_project(line)) == [f"{HERE}.{mistake}"]


def test_every_metric_that_cannot_be_is_named() -> None:
    assert _mistakes(_project("metrics: {lag: queue.ms, up: a}")) == [
        f"{HERE}.metrics.lag: queue.ms is in ms, which becomes seconds; end the name in _seconds",
        f"{HERE}.metrics.up: project_up is a metric of the orchestrator's own",
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("project", "instance", "job", "endpoint", "le", "mode", "quantile", "reason", "resource"),
        *("state", "version", "alertname", "remediate", "scope", "severity", "source"),
    ],
)
@pytest.mark.parametrize(
    ("text", "path"),
    [(_project("labels: {NAME: x}"), HERE), ("defaults: {labels: {NAME: x}}", "defaults")],
)
def test_a_label_of_ours_is_refused_wherever_it_is_written(name: str, text: str, path: str) -> None:
    assert _mistakes(text.replace("NAME", name)) == [f"{path}.labels: {name!r} {TAKEN}"]


def test_an_interval_may_be_as_short_as_four_slots_of_the_wheel() -> None:
    made = decode(_project("health_interval: 200ms, metrics_interval: 200ms"), source="o.yml")
    shortest = timedelta(milliseconds=200)
    assert made.projects["a"] == Project(
        name="a",
        url="http://127.0.0.1:3010",
        control=Control(url="http://127.0.0.1:3010/control"),
        health_interval=shortest,
        metrics_interval=shortest,
    )


def _fleet(**parents: str) -> str:
    return "projects:\n" + "".join(
        f"  - {{name: {name}, url: 'http://{name}', depends_on: [{each}]}}\n"
        for name, each in parents.items()
    )


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        (_fleet(a="b", b=""), None),
        (_fleet(a="b, c", b="d", c="d", d=""), None),
        (
            _fleet(a="", billing="a, biling"),
            ["projects[1].depends_on[1]: no project biling, did you mean billing?"],
        ),
        (
            _fleet(a="x", b="y"),
            ["projects[0].depends_on[0]: no project x", "projects[1].depends_on[0]: no project y"],
        ),
        (_fleet(a="a"), ["projects: depends_on goes in a circle: a -> a"]),
        (_fleet(a="b", b="a"), ["projects: depends_on goes in a circle: a -> b -> a"]),
    ],
)
def test_a_dependency_leads_to_a_project_and_never_in_a_circle(
    text: str, mistakes: list[str] | None
) -> None:
    try:
        decode(text, source="o.yml")
    except BadConfig as refused:
        assert refused.mistakes == mistakes  # noqa: PT017  some of the table are fine
    else:
        assert mistakes is None


def test_what_a_project_says_goes_before_the_defaults() -> None:
    text = (
        "defaults: {labels: {a: general, b: general}}\nthresholds: {cpu: 0.1, memory: 0.2}\n"
        + _project("labels: {b: own, c: own}, thresholds: {memory: 0.3}")
    )
    made = decode(text, source="o.yml").projects["a"]
    assert (made.labels, made.thresholds) == (
        (("a", "general"), ("b", "own"), ("c", "own")),
        Thresholds(cpu=0.1, memory=0.3, errors=0.05),
    )


@pytest.mark.parametrize(
    "line",
    ["auth: {bearer_file: secret}", "auth: {username: u, password_env: SECRET}"],
)
def test_a_secret_is_not_shown_with_its_project(tmp_path: Path, line: str) -> None:
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    made = decode(_project(line), source="o", folder=tmp_path, environment={"SECRET": SECRET})
    auth = made.projects["a"].auth
    assert auth is not None
    assert [each for each in (SECRET, auth.value) if each in repr(made)] == []


def test_a_secret_that_cannot_be_one_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n{SECRET}", encoding="utf-8")
    line = "not one line of printable ASCII, 8192 characters at most"
    assert _mistakes(_project("auth: {bearer_file: secret}"), tmp_path) == [
        f"{HERE}.auth.bearer_file: {tmp_path / 'secret'}: {line}"
    ]


def test_what_is_no_certificate_is_told_with_the_key_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("not PEM", encoding="utf-8")
    keys = ("ca_file", "cert_file")
    found = [_mistakes(_project(f"tls: {{{key}: bad.pem}}"), tmp_path) for key in keys]
    why = f"{tmp_path / 'bad.pem'}: no PEM file, or certificate and key do not fit"
    assert found == [[f"{HERE}.tls.{key}: {why}"] for key in keys]


def test_a_certificate_that_is_written_anew_makes_another_project(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    text = _project("tls: {ca_file: ca.pem}")

    def made() -> Tls:
        trustme.CA().cert_pem.write_to_path(path)
        return decode(text, source="o", folder=tmp_path).projects["a"].tls

    first, second = made(), made()
    assert (first.ca_file, second.ca_file, first == second) == (path, path, False)


DESIGN = """
defaults: {mode: observe, health_interval: 5s, metrics_interval: 30s, timeout: 2s, slow_after: 1s,
           labels: {environment: production}}
thresholds: {cpu: 0.80, memory: 0.85, errors: 0.05}
projects:
  - name: email-blast            # also the value of the label `project`
    url: http://127.0.0.1:3010
    control: {url: http://127.0.0.1:3009/control/email-blast, token_file: control.token}
    mode: act                    # observe (default): decide and record, do nothing
    thresholds: {errors: 0.10}
    labels: {client: acme, domain: outreach}
    metrics: {response_rate_ratio: business.response_rate}
  - {name: billing, url: http://127.0.0.1:3020, critical: true, depends_on: [email-blast],
     slo: 0.999}
playbooks:
  ProjectDown:          [restart_service]
  ProjectHighMemory:    [clear_cache, restart_service]
  ProjectHighCPU:       [pause_service]
  ProjectHighErrorRate: [restart_service, rollback_deployment]
guards: {attempts: 3, window: 1h, breaker: 2, cooldown: 30s, fleet_share: 0.3, fleet_min: 3,
         concurrency: 4}
analyzer: {mode: on_failure, model: claude-sonnet-5-5, auto_above: 0.70, daily_budget_usd: 1,
           monthly_budget_usd: 10}
retention: {raw: 30d, events: 365d}
alertmanagers: [http://127.0.0.1:9093]
prometheus: http://127.0.0.1:9090
"""


def test_the_example_of_the_design_says_the_defaults_and_two_projects(tmp_path: Path) -> None:
    (tmp_path / "control.token").write_text("t0ken", encoding="utf-8")
    environment = ("environment", "production")
    email = Project(
        name="email-blast",
        url="http://127.0.0.1:3010",
        control=Control(
            url="http://127.0.0.1:3009/control/email-blast", token_file=tmp_path / "control.token"
        ),
        mode=Mode.ACT,
        labels=(("client", "acme"), ("domain", "outreach"), environment),
        thresholds=Thresholds(errors=0.10),
        metrics=(Gauge(name="response_rate_ratio", source="business.response_rate"),),
    )
    billing = Project(
        name="billing",
        url="http://127.0.0.1:3020",
        control=Control(url="http://127.0.0.1:3020/control"),
        labels=(environment,),
        critical=True,
        depends_on=("email-blast",),
        slo=0.999,
    )
    made = decode(DESIGN, source="o.yml", folder=tmp_path)
    assert made.guards.of("billing", "restart_service") == Guards()
    assert replace(made, guards=Guarding()) == Config(
        projects={"email-blast": email, "billing": billing},
        playbooks={
            "ProjectDown": ("restart_service",),
            "ProjectHighMemory": ("clear_cache", "restart_service"),
            "ProjectHighCPU": ("pause_service",),
            "ProjectHighErrorRate": ("restart_service", "rollback_deployment"),
        },
    )
