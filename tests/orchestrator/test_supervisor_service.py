"""What the services file may say, and how it is told what it may not."""

from dataclasses import fields
from pathlib import Path

import pytest

from orchestrator.supervisor.service import BadServices, Fleet, Restart, Service, decode, load

WHOLE = """
state: run
services:
  - name: email-blast
    argv: [python, -m, orchestrator.demo.project]
    env: {LOG_LEVEL: debug}
    cwd: there
    restart: backoff
    url: http://127.0.0.1:3010/
    ready: http://127.0.0.1:3010/health
  - {name: bare, argv: [/bin/true]}
"""


def test_every_key_is_read_and_every_default_filled_in() -> None:
    blast = Service(
        name="email-blast",
        argv=("python", "-m", "orchestrator.demo.project"),
        env={"LOG_LEVEL": "debug"},
        cwd=Path("/etc/fleet/there"),
        restart=Restart.BACKOFF,
        url="http://127.0.0.1:3010",
        ready="http://127.0.0.1:3010/health",
    )
    bare = Service(name="bare", argv=("/bin/true",))
    assert decode(WHOLE, source="s.yml", folder=Path("/etc/fleet")) == Fleet(
        state=Path("/etc/fleet/run"), services={"email-blast": blast, "bare": bare}
    )


def _service(line: str) -> str:
    return f"state: s\nservices:\n  - {{name: a, argv: [x], {line}}}"


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("", ["state: is missing", "services: is missing"]),
        ("[]", ["the file: must be a mapping of keys to values"]),
        ("state: s\nservices: []", ["services: must not be empty"]),
        ("state: s\nservices: {}", ["services: must be a list"]),
        ("state: s\nservices: [1]", ["services[0]: must be a mapping of keys to values"]),
        ("state: s\nservices: [{name: a}]", ["services[0].argv: is missing"]),
        ("state: s\nservices: [{name: a, argv: []}]", ["services[0].argv: must not be empty"]),
        (_service("restrat: never"), ["services[0].restrat: unknown key, did you mean restart?"]),
        (
            _service("zzz: 1"),
            ["services[0].zzz: unknown key; known here: name, argv, env, cwd, restart, url, ready"],
        ),
        (
            _service("restart: always"),
            ["services[0].restart: input should be 'never' or 'backoff'"],
        ),
        (
            _service("env: {PORT: 80}"),
            ["services[0].env.PORT: must be text; put it in quotes"],
        ),
        (
            _service("url: 'ftp://x'"),
            ["services[0].url: 'ftp://x' is not a URL like http://127.0.0.1:3010"],
        ),
        (
            _service("ready: 'http://[::1'"),
            ["services[0].ready: 'http://[::1' is not a URL like http://127.0.0.1:3010"],
        ),
        (
            'state: s\nservices: [{name: a, argv: ["x\\0"]}]',
            ["services[0].argv[0]: has a NUL character, which no program can be given"],
        ),
        (
            "state: s\nservices: [{name: ../a, argv: [x]}]",
            ["services[0].name: '../a' is not a name; use a-z, 0-9 and inner hyphens, 63 at most"],
        ),
        (
            "state: s\nservices: [{name: a, argv: [x]}, {name: a, argv: [y]}]",
            ["services: a stands twice; a service's name is its identity"],
        ),
        (
            "state: s\nstate: t\nservices: []",
            ["key 'state' stands twice at line 2, column 1"],
        ),
        (
            "state: s\nserv: []",
            ["services: is missing", "serv: unknown key, did you mean services?"],
        ),
    ],
)
def test_a_mistake_is_named_by_its_path(text: str, mistakes: list[str]) -> None:
    with pytest.raises(BadServices) as caught:
        decode(text, source="s.yml")
    assert caught.value.mistakes == mistakes


def test_an_environment_variable_needs_a_name() -> None:
    with pytest.raises(BadServices, match="'A=B' is not a name of an environment variable"):
        decode(_service("env: {A=B: c}"), source="s.yml")


def test_a_key_that_is_a_list_is_a_mistake_like_others() -> None:
    with pytest.raises(BadServices, match="unhashable key"):
        decode("[a]: b", source="s.yml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadServices) as caught:
        load(tmp_path / "none.yml")
    assert str(caught.value) == f"{tmp_path}/none.yml: No such file or directory"


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.yml").write_bytes(b"state: \xff")
    with pytest.raises(BadServices) as caught:
        load(tmp_path / "s.yml")
    assert caught.value.mistakes == ["not UTF-8: invalid start byte at byte 7"]


def test_the_example_in_the_documentation_is_read_and_every_key_explained() -> None:
    text = (Path(__file__).parents[2] / "docs" / "supervisor.md").read_text(encoding="utf-8")
    fleet = decode(text.split("```yaml\n")[1].split("```")[0], source="supervisor.md")
    keys = [f"`services[].{each.name}`" for each in fields(Service)]
    assert (list(fleet.services), [key for key in keys if key not in text]) == (["email-blast"], [])
