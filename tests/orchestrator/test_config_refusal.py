"""How orchestrator.yml and PROJECTS are told what they may not say."""

from pathlib import Path

import pytest

from orchestrator.config import BadConfig, decode, load


def _project(line: str = "") -> str:
    return f"projects:\n  - {{name: a, url: 'http://127.0.0.1:3010', {line}}}"


FORM = "write it like 500ms, 5s, 1m30s, 2h or 30d"
HERE = "projects[0]"
NO_NAME = "is not a name; use a-z, 0-9 and inner hyphens, 63 at most"
NO_URL = "is not a URL like http://127.0.0.1:3010"
TOP = (
    "defaults, thresholds, projects, playbooks, guards, commands, verification, analyzer, "
    "retention, alertmanagers, receiver, prometheus, url"
)
DEFAULTS = "mode, health_interval, metrics_interval, timeout, slow_after, labels"
ANALYZER = (
    "mode, model, fallback_model, effort, auto_above, daily_budget_usd, monthly_budget_usd, "
    "calls_per_hour, allow, url, prices, runbooks, key_file"
)
GUARDS = (
    "attempts, window, breaker, cooldown, approval, approval_within, concurrency, fleet_share, "
    "fleet_min, fleet_within, recent_deployment, resume_after, dry_run, actions"
)
NO_COUNT = "input should be a valid integer"
MISTAKES = [
    # shapes
    ("[]", ["the file: must be a mapping of keys to values"]),
    ("projects: {}", ["projects: must be a list"]),
    ("projects: [1]", [f"{HERE}: must be a mapping of keys to values"]),
    ("projects: [{}]", [f"{HERE}.name: is missing", f"{HERE}.url: is missing"]),
    (_project("control: x"), [f"{HERE}.control: must be a mapping of keys to values"]),
    (_project("control: {}"), [f"{HERE}.control.url: is missing"]),
    ("guards:", ["guards: must be a mapping of keys to values"]),
    ("verification: []", ["verification: must be a mapping of keys to values"]),
    ("playbooks: []", ["playbooks: must be a mapping of keys to values"]),
    ("playbooks: {ProjectDown: restart}", ["playbooks.ProjectDown: must be a list"]),
    ("playbooks: {A: [1]}", ["playbooks.A[0]: must be text; put it in quotes"]),
    ("alertmanagers: http://h", ["alertmanagers: must be a list"]),
    ("alertmanagers: []", ["alertmanagers: must not be empty"]),
    # unknown keys
    ("project: []", ["project: unknown key, did you mean projects?"]),
    (
        "zzzz: 1",
        [f"zzzz: unknown key; known here: {TOP}"],
    ),
    ("defaults: {tiemout: 5s}", ["defaults.tiemout: unknown key, did you mean timeout?"]),
    (_project("moed: act"), [f"{HERE}.moed: unknown key, did you mean mode?"]),
    (
        _project("control: {url: 'http://h', zzzz: x}"),
        [f"{HERE}.control.zzzz: unknown key; known here: url, token_file"],
    ),
    ("guards: {attemps: 1}", ["guards.attemps: unknown key, did you mean attempts?"]),
    ("guards: {zzzz: 1}", [f"guards.zzzz: unknown key; known here: {GUARDS}"]),
    (
        "defaults: {zzzz: 1}",
        [f"defaults.zzzz: unknown key; known here: {DEFAULTS}"],
    ),
    ("thresholds: {zz: 1}", ["thresholds.zz: unknown key; known here: cpu, memory, errors"]),
    (
        "analyzer: {zzzz: 1}",
        [f"analyzer.zzzz: unknown key; known here: {ANALYZER}"],
    ),
    ("retention: {zzzz: 1d}", ["retention.zzzz: unknown key; known here: raw, events, audit"]),
    ("retention: {event: 1d}", ["retention.event: unknown key, did you mean events?"]),
    (
        "verification: {zzzz: 1}",
        ["verification.zzzz: unknown key; known here: recover_within, prove_within, every"],
    ),
    # names
    ("projects: [{name: A, url: 'http://h'}]", [f"{HERE}.name: 'A' {NO_NAME}"]),
    ("projects: [{name: '', url: 'http://h'}]", [f"{HERE}.name: '' {NO_NAME}"]),
    ("projects: [{name: a-, url: 'http://h'}]", [f"{HERE}.name: 'a-' {NO_NAME}"]),
    (
        f"projects: [{{name: {'a' * 64}, url: 'http://h'}}]",
        [f"{HERE}.name: '{'a' * 64}' {NO_NAME}"],
    ),
    ("projects: [{name: 1, url: 'http://h'}]", [f"{HERE}.name: must be text; put it in quotes"]),
    (
        "projects: [{name: a, url: 'http://h'}, {name: a, url: 'http://i'}]",
        ["projects: a stands twice; a project's name is its identity"],
    ),
    # addresses
    ("prometheus: x", [f"prometheus: 'x' {NO_URL}"]),
    ("prometheus: 'ftp://h'", [f"prometheus: 'ftp://h' {NO_URL}"]),
    ("prometheus: 'http://'", [f"prometheus: 'http://' {NO_URL}"]),
    ("prometheus: 'http://h:0'", [f"prometheus: 'http://h:0' {NO_URL}"]),
    ("prometheus: 'http://h:65536'", [f"prometheus: 'http://h:65536' {NO_URL}"]),
    ("prometheus: 'http://[::1'", [f"prometheus: 'http://[::1' {NO_URL}"]),
    ("prometheus: 'http://h?q=1'", [f"prometheus: 'http://h?q=1' {NO_URL}"]),
    ("prometheus: 'http://h#f'", [f"prometheus: 'http://h#f' {NO_URL}"]),
    ("alertmanagers: [x]", [f"alertmanagers[0]: 'x' {NO_URL}"]),
    (_project("control: {url: x}"), [f"{HERE}.control.url: 'x' {NO_URL}"]),
    # durations
    (_project("timeout: 5"), [f"{HERE}.timeout: 5 is not a duration; {FORM}"]),
    (_project("timeout: 5 s"), [f"{HERE}.timeout: '5 s' is not a duration; {FORM}"]),
    (_project("timeout: 0s"), [f"{HERE}.timeout: must be longer than 0s"]),
    (_project("timeout: 9999999999d"), [f"{HERE}.timeout: '9999999999d' is too long a time"]),
    ("defaults: {timeout: 0s}", ["defaults.timeout: must be longer than 0s"]),
    (
        "defaults: {health_interval: 199ms, metrics_interval: 0s}",
        [
            f"defaults.{key}: must be 200ms at least"
            for key in ("health_interval", "metrics_interval")
        ],
    ),
    ("defaults: {slow_after: 0s}", ["defaults.slow_after: must be longer than 0s"]),
    (
        "retention: {raw: 0s, events: 0s, audit: 0s}",
        [f"retention.{each}: must be longer than 0s" for each in ("raw", "events", "audit")],
    ),
    ("guards: {window: 0s}", ["guards.window: must be longer than 0s"]),
    ("guards: {cooldown: 1}", [f"guards.cooldown: 1 is not a duration; {FORM}"]),
    ("verification: {every: 0s}", ["verification.every: must be longer than 0s"]),
    # figures and choices
    (_project("mode: fix"), [f"{HERE}.mode: input should be 'observe' or 'act'"]),
    (_project("slo: 0"), [f"{HERE}.slo: input should be greater than 0"]),
    (_project("slo: null"), [f"{HERE}.slo: input should be a valid number"]),
    ("defaults: {mode: fix}", ["defaults.mode: input should be 'observe' or 'act'"]),
    ("guards: {attempts: 0}", ["guards.attempts: input should be greater than or equal to 1"]),
    ("guards: {breaker: 101}", ["guards.breaker: input should be less than or equal to 100"]),
    ("guards: {attempts: true}", ["guards.attempts: input should be a valid integer"]),
    ("guards: {attempts: '3'}", ["guards.attempts: input should be a valid integer"]),
    ("guards: {attempts: 2.0}", ["guards.attempts: input should be a valid integer"]),
    ("guards: {fleet_share: 0}", ["guards.fleet_share: input should be greater than 0"]),
    ("guards: {fleet_share: 30}", ["guards.fleet_share: input should be less than or equal to 1"]),
    ("guards: {fleet_min: 0}", ["guards.fleet_min: input should be greater than or equal to 1"]),
    ("guards: {concurrency: 1.5}", [f"guards.concurrency: {NO_COUNT}"]),
    ("thresholds: {memory: 85}", ["thresholds.memory: input should be less than or equal to 1"]),
    ("analyzer: {mode: never}", ["analyzer.mode: input should be 'always', 'on_failure' or 'off'"]),
    ("analyzer: {model: ''}", ["analyzer.model: string should have at least 1 character"]),
    (
        "analyzer: {auto_above: 0.5}",
        ["analyzer.auto_above: input should be greater than or equal to 0.7"],
    ),
    (
        "analyzer: {auto_above: .nan}",
        ["analyzer.auto_above: input should be less than or equal to 1"],
    ),
    (
        "analyzer: {daily_budget_usd: -1}",
        ["analyzer.daily_budget_usd: input should be greater than or equal to 0"],
    ),
    (
        "analyzer: {monthly_budget_usd: .inf}",
        ["analyzer.monthly_budget_usd: input should be less than or equal to 100000"],
    ),
    # all at once
    (
        "projects: [{name: a}]\nprometheus: x\nzzzprojects: 1",
        [
            f"{HERE}.url: is missing",
            f"prometheus: 'x' {NO_URL}",
            "zzzprojects: unknown key, did you mean projects?",
        ],
    ),
]


@pytest.mark.parametrize(("text", "mistakes"), MISTAKES)
def test_every_mistake_is_named_by_its_path(text: str, mistakes: list[str]) -> None:
    with pytest.raises(BadConfig) as refused:
        decode(text, source="o.yml")
    assert refused.value.mistakes == mistakes


def test_every_line_of_the_error_names_the_file() -> None:
    with pytest.raises(BadConfig) as refused:
        decode("projects: [{}]", source="o.yml")
    assert str(refused.value) == (
        "o.yml: projects[0].name: is missing\no.yml: projects[0].url: is missing"
    )


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("prometheus: http://h\nprometheus: http://i", "key 'prometheus' stands twice"),
        ("guards: {attempts: 1, attempts: 1}", "key 'attempts' stands twice"),
        ("projects: [{name: a, name: b}]", "key 'name' stands twice"),
        ("projects: [", "while parsing a flow node"),
        ("{[a]: 1}", "while constructing a mapping"),
        ("{{ projects }}: 1", "while constructing a mapping"),
        ("a: !!python/object:os.system {}", "could not determine a constructor for the tag"),
        ("a: \x01", "unacceptable character #x0001"),
    ],
)
def test_what_is_not_yaml_of_one_meaning_is_one_mistake(text: str, begin: str) -> None:
    with pytest.raises(BadConfig) as refused:
        decode(text, source="o.yml")
    assert [mistake[: len(begin)] for mistake in refused.value.mistakes] == [begin]


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    path = tmp_path / "o.yml"
    with pytest.raises(BadConfig) as refused:
        load(path)
    assert str(refused.value) == f"{path}: No such file or directory; --config names another"


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as refused:
        load(tmp_path)
    assert str(refused.value) == f"{tmp_path}: Is a directory"


def test_a_file_in_another_encoding_says_at_which_byte(tmp_path: Path) -> None:
    path = tmp_path / "o.yml"
    path.write_bytes(b"# caf\xe9\n")
    with pytest.raises(BadConfig) as refused:
        load(path)
    assert str(refused.value) == f"{path}: not UTF-8: invalid continuation byte at byte 5"


@pytest.mark.parametrize(
    "url",
    [
        "http://user:s3same@h",
        "http://s3same@h",
        "ftp://user:s3same@h",
        "http://user:s3same@",
        "http://user:s3same@h:65536",
        "http://user:s3same@h:port",
        "http://user:s3same@[::1",
        "http://user:s3#same@h",
        "http://user:s3?same@h",
        "http://user:s3/same@h",
        "user:s3same@h",
    ],
)
def test_a_url_with_a_user_name_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(BadConfig) as refused:
        decode(f"prometheus: '{url}'", source="o.yml")
    assert refused.value.mistakes == [
        "prometheus: holds a user name or password; keep those out of URLs"
    ]


@pytest.mark.parametrize("url", ["http://h\\x", "http://\u00ad"])
def test_a_url_that_cannot_be_asked_is_refused(url: str) -> None:
    with pytest.raises(BadConfig) as refused:
        decode("", source="o.yml", projects=f"a:{url}")
    assert refused.value.mistakes == [f"PROJECTS[0].url: {url!r} {NO_URL}"]


@pytest.mark.parametrize(
    ("projects", "mistakes"),
    [
        ("a", [f"PROJECTS[0].url: '' {NO_URL}"]),
        ("a:x", [f"PROJECTS[0].url: 'x' {NO_URL}"]),
        ("b:http://h,a:http://h:0", [f"PROJECTS[1].url: 'http://h:0' {NO_URL}"]),
        ("A:http://h", [f"PROJECTS[0].name: 'A' {NO_NAME}"]),
        (":http://h", [f"PROJECTS[0].name: '' {NO_NAME}"]),
        (
            "a:http://h,a:http://i",
            ["PROJECTS: a stands twice; a project's name is its identity"],
        ),
    ],
)
def test_a_mistake_in_the_variable_is_named_by_its_place(
    projects: str, mistakes: list[str]
) -> None:
    with pytest.raises(BadConfig) as refused:
        decode("", source="o.yml", projects=projects)
    assert refused.value.mistakes == mistakes
