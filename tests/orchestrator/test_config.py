"""What orchestrator.yml may say, and how it is told what it may not."""

from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.config import BadConfig, Config, Guards, Verification, decode, load
from orchestrator.project import Control, Mode, Project

WHOLE = """
defaults: {mode: act, health_interval: 500ms, timeout: 1s}
projects:
  - name: email-blast
    url: http://127.0.0.1:3010/
    control: {url: "http://127.0.0.1:3009/control/email-blast/", token_file: secrets/email}
  - name: chatbot
    url: https://chatbot.example.org/base
    control: {url: "http://127.0.0.1:3009", token_file: /run/token}
    mode: observe
    health_interval: 1m30s
    timeout: 10s
playbooks: {ProjectDown: [restart_service, restart_service], Idle: []}
guards: {attempts: 5, window: 2h, breaker: 1, cooldown: 0s}
verification: {recover_within: 4s, prove_within: 20s, every: 100ms}
alertmanagers: ["http://127.0.0.1:9093/", "http://[::1]:9094"]
prometheus: http://127.0.0.1:9090/prefix/
"""


def test_every_key_is_read() -> None:
    email = Project(
        name="email-blast",
        url="http://127.0.0.1:3010",
        control=Control(
            url="http://127.0.0.1:3009/control/email-blast",
            token_file=Path("/etc/fleet/secrets/email"),
        ),
        mode=Mode.ACT,
        health_interval=timedelta(milliseconds=500),
        timeout=timedelta(seconds=1),
    )
    chatbot = Project(
        name="chatbot",
        url="https://chatbot.example.org/base",
        control=Control(url="http://127.0.0.1:3009", token_file=Path("/run/token")),
        mode=Mode.OBSERVE,
        health_interval=timedelta(seconds=90),
        timeout=timedelta(seconds=10),
    )
    assert decode(WHOLE, source="o.yml", folder=Path("/etc/fleet")) == Config(
        projects={"email-blast": email, "chatbot": chatbot},
        playbooks={"ProjectDown": ("restart_service", "restart_service"), "Idle": ()},
        guards=Guards(
            attempts=5, window=timedelta(hours=2), breaker=1, cooldown=timedelta(seconds=0)
        ),
        verification=Verification(
            recover_within=timedelta(seconds=4),
            prove_within=timedelta(seconds=20),
            every=timedelta(milliseconds=100),
        ),
        alertmanagers=("http://127.0.0.1:9093", "http://[::1]:9094"),
        prometheus="http://127.0.0.1:9090/prefix",
    )


def test_every_default_is_filled_in() -> None:
    bare = Project(
        name="a",
        url="http://127.0.0.1:3010",
        control=Control(url="http://127.0.0.1:3010/control", token_file=None),
        mode=Mode.OBSERVE,
        health_interval=timedelta(seconds=5),
        timeout=timedelta(seconds=2),
    )
    assert decode(_project(), source="o.yml") == Config(
        projects={"a": bare},
        playbooks={},
        guards=Guards(
            attempts=3, window=timedelta(hours=1), breaker=2, cooldown=timedelta(seconds=30)
        ),
        verification=Verification(
            recover_within=timedelta(seconds=15),
            prove_within=timedelta(seconds=60),
            every=timedelta(milliseconds=500),
        ),
        alertmanagers=("http://127.0.0.1:9093",),
        prometheus="http://127.0.0.1:9090",
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "null"])
def test_an_empty_file_watches_no_project(text: str) -> None:
    assert decode(text, source="o.yml") == Config(projects={})


def _project(line: str = "") -> str:
    return f"projects:\n  - {{name: a, url: 'http://127.0.0.1:3010', {line}}}"


FORM = "write it like 500ms, 5s, 1m30s, 2h or 30d"
HERE = "projects[0]"
NO_NAME = "is not a name; use a-z, 0-9 and inner hyphens, 63 at most"
NO_URL = "is not a URL like http://127.0.0.1:3010"
TOP = "defaults, projects, playbooks, guards, verification, alertmanagers, prometheus"
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
    (_project("health_interval: 0ms"), [f"{HERE}.health_interval: must be longer than 0s"]),
    (_project("timeout: 9999999999d"), [f"{HERE}.timeout: '9999999999d' is too long a time"]),
    ("defaults: {timeout: 0s}", ["defaults.timeout: must be longer than 0s"]),
    ("guards: {window: 0s}", ["guards.window: must be longer than 0s"]),
    ("guards: {cooldown: 1}", [f"guards.cooldown: 1 is not a duration; {FORM}"]),
    ("verification: {every: 0s}", ["verification.every: must be longer than 0s"]),
    # figures and choices
    (_project("mode: fix"), [f"{HERE}.mode: input should be 'observe' or 'act'"]),
    ("defaults: {mode: fix}", ["defaults.mode: input should be 'observe' or 'act'"]),
    ("guards: {attempts: 0}", ["guards.attempts: input should be greater than or equal to 1"]),
    ("guards: {breaker: 101}", ["guards.breaker: input should be less than or equal to 100"]),
    ("guards: {attempts: true}", ["guards.attempts: input should be a valid integer"]),
    ("guards: {attempts: '3'}", ["guards.attempts: input should be a valid integer"]),
    ("guards: {attempts: 2.0}", ["guards.attempts: input should be a valid integer"]),
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
        ("projects: [", "while parsing a flow node expected the node content"),
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


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    path = tmp_path / "o.yml"
    with pytest.raises(BadConfig) as refused:
        load(path)
    assert str(refused.value) == f"{path}: No such file or directory"


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
