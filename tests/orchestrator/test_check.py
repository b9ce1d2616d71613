"""`orchestrator check`: what it finds, what it says, and the status that it ends with."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from click.testing import CliRunner

from orchestrator.check import CARRIED_OUT, WITHOUT_EFFECT, check, notices, unusable_steps
from orchestrator.cli import main
from orchestrator.source import Source
from orchestrator.supervisor.command import ACTIONS, SHORT
from webhook.action import CATALOGUE

COMMAND = str(Path(sys.executable).with_name("orchestrator"))
GOOD = """\
projects:
  - {name: chatbot, url: "http://127.0.0.1:3011", mode: act}
  - {name: crm, url: "http://127.0.0.1:3013"}
playbooks:
  ProjectDown: [restart_service]
"""


def _run(
    folder: Path, *arguments: str, text: str | None = GOOD, **environment: str
) -> tuple[int, str, str]:
    if text is not None:
        (folder / "orchestrator.yml").write_text(dedent(text), encoding="utf-8")
    done = subprocess.run(  # noqa: S603  our own command, no shell
        [COMMAND, "check", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_good_file_is_status_0_and_one_line(tmp_path: Path) -> None:
    said = "orchestrator.yml: 2 projects, 1 in mode act, 1 playbook; it can be used\n"
    assert _run(tmp_path) == (0, said, "")


def test_notices_stand_before_the_summary(tmp_path: Path) -> None:
    text = GOOD + "guards: {fleet_min: 5}\n"
    assert _run(tmp_path, text=text) == (
        0,
        (
            "orchestrator.yml: guards.fleet_min: has no effect in this release\n"
            "orchestrator.yml: 2 projects, 1 in mode act, 1 playbook; it can be used\n"
        ),
        "",
    )


def test_every_mistake_is_named_by_its_path_on_standard_error(tmp_path: Path) -> None:
    text = """\
        projects:
          - {name: chatbot, url: "http://127.0.0.1:3011", timout: 2s}
          - {name: crm, url: "ftp://127.0.0.1"}
        playbooks: {ProjectDown: [restart]}
        """
    assert _run(tmp_path, text=text) == (
        1,
        "",
        (
            "orchestrator.yml: projects[0].timout: unknown key, did you mean timeout?\n"
            "orchestrator.yml: projects[1].url: 'ftp://127.0.0.1' is not a URL like"
            " http://127.0.0.1:3010\n"
            "orchestrator.yml: playbooks.ProjectDown[0]: 'restart' is no action, did you mean"
            " restart_service?\n"
        ),
    )


def test_a_file_that_is_not_there_is_status_1(tmp_path: Path) -> None:
    error = "orchestrator.yml: No such file or directory\n"
    assert _run(tmp_path, text=None) == (1, "", error)


@pytest.mark.parametrize("arguments", [["--nonsense"], ["more"], ["--config"]])
def test_a_wrong_option_is_status_2(tmp_path: Path, arguments: list[str]) -> None:
    status, out, _ = _run(tmp_path, *arguments)
    assert (status, out) == (2, "")


@pytest.mark.parametrize("by_option", [True, False])
def test_projects_are_those_of_option_and_variable_too(tmp_path: Path, *, by_option: bool) -> None:
    more = "chatbot:http://127.0.0.1:3011"
    option, variable = (["--projects", more], {}) if by_option else ([], {"PROJECTS": more})
    said = "orchestrator.yml: 1 project, 0 in mode act, 0 playbooks; it can be used\n"
    assert _run(tmp_path, *option, text=None, **variable) == (0, said, "")


def test_the_file_is_found_by_the_variable_too(tmp_path: Path) -> None:
    other = tmp_path / "other.yml"
    other.write_text(GOOD, encoding="utf-8")
    status, out, _ = _run(tmp_path, text=None, ORCHESTRATOR_CONFIG="other.yml")
    assert (status, out.startswith("other.yml: 2 projects")) == (0, True)


SECRETS = """\
projects:
  - name: chatbot
    url: https://127.0.0.1:3011
    auth: {bearer_env: CHATBOT_TOKEN}
    tls: {ca_file: ca.pem}
"""


def test_secrets_and_certificates_have_to_be_there(tmp_path: Path) -> None:
    assert _run(tmp_path, text=SECRETS) == (
        1,
        "",
        (
            "orchestrator.yml: projects[0].auth.bearer_env: the variable CHATBOT_TOKEN is not set\n"
            "orchestrator.yml: projects[0].tls.ca_file: ca.pem: No such file or directory\n"
        ),
    )


def test_a_secret_is_never_told(tmp_path: Path) -> None:
    status, out, err = _run(tmp_path, text=SECRETS, CHATBOT_TOKEN="hunter2\x07")  # noqa: S106  made up
    assert (status, "hunter2" in out + err) == (1, False)


def test_json_of_a_good_file_is_all_there_is(tmp_path: Path) -> None:
    status, out, err = _run(tmp_path, "--json", text=GOOD + "retention: {raw: 7d}\n")
    assert (status, json.loads(out), err) == (
        0,
        {
            "ok": True,
            "projects": [
                {"name": "chatbot", "url": "http://127.0.0.1:3011", "mode": "act"},
                {"name": "crm", "url": "http://127.0.0.1:3013", "mode": "observe"},
            ],
            "mistakes": [],
            "notices": ["orchestrator.yml: retention.raw: has no effect in this release"],
        },
        "",
    )


def test_json_of_a_bad_file_has_the_mistakes(tmp_path: Path) -> None:
    status, out, err = _run(tmp_path, "--json", text="projects: 3\n")
    assert (status, json.loads(out), err) == (
        1,
        {
            "ok": False,
            "projects": [],
            "mistakes": ["orchestrator.yml: projects: must be a list"],
            "notices": [],
        },
        "",
    )


def test_help_names_every_option_and_its_examples_are_accepted() -> None:
    said = CliRunner().invoke(main, ["check", "--help"]).output
    options = re.findall(r"(?m)^  (--[a-z]+)", said)
    examples = re.findall(
        r"(?m)^ *orchestrator (check.*?)(?: >.*)?$", said.partition("Examples")[2]
    )
    outcomes = [
        CliRunner().invoke(main, [*shlex.split(each), "--help"]).exit_code for each in examples
    ]
    assert (options, outcomes) == (["--config", "--projects", "--json", "--help"], [0] * 4)


def test_what_can_be_carried_out_is_what_the_webhook_can() -> None:
    assert set(CATALOGUE) == CARRIED_OUT <= set(ACTIONS)


KNOWN = ", ".join(ACTIONS)
LATER = "is not carried out by this release; it has restart_service"


@pytest.mark.parametrize(
    ("playbooks", "found"),
    [
        ({}, []),
        ({"A": ["restart_service", "restart_service"]}, []),
        *(({"A": [name]}, [f"A[0]: {name} {LATER}"]) for name in ACTIONS.keys() - CARRIED_OUT),
        *(
            ({"A": [short]}, [f"A[0]: {short!r} is no action, did you mean {name}?"])
            for short, name in SHORT.items()
        ),
        (
            {"A": ["restart_service", "restart_servise"]},
            ["A[1]: 'restart_servise' is no action, did you mean restart_service?"],
        ),
        (
            {"A": ["dance"], "B": ["clear_cache"]},
            [f"A[0]: 'dance' is no action; known: {KNOWN}", f"B[0]: clear_cache {LATER}"],
        ),
    ],
)
def test_a_step_is_an_action_that_is_carried_out(
    playbooks: dict[str, list[str]], found: list[str]
) -> None:
    said = unusable_steps({"playbooks": playbooks})
    assert [each.removeprefix("playbooks.") for each in said] == found


@pytest.mark.parametrize(
    "playbooks", [None, 3, "text", [1], {"A": None}, {"A": "restart"}, {"A": [3, None, ["x"]]}]
)
def test_what_is_no_playbook_is_left_to_the_configuration(playbooks: object) -> None:
    assert list(unusable_steps({"playbooks": playbooks})) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{}", []),
        (GOOD, []),
        ("guards: {attempts: 3, fleet_share: 0.3, fleet_min: 3}", ["fleet_share", "fleet_min"]),
        ("guards: {}", []),
        ("analyzer: {mode: 'off', model: x, auto_above: 0.9}", ["mode", "model", "auto_above"]),
        (
            "analyzer: {daily_budget_usd: 1.0, monthly_budget_usd: 2.0}",
            ["daily_budget_usd", "monthly_budget_usd"],
        ),
        ("retention: {raw: 1d, events: 2d}", ["raw", "events"]),
        (
            "projects: [{name: a}, {critical: false, depends_on: [a], slo: 0.99}]",
            ["critical", "depends_on"],
        ),
        ("projects: [{paths: {logs: null, metrics: null}}]", ["logs"]),
    ],
)
def test_a_key_that_is_said_in_vain_is_a_notice(text: str, found: list[str]) -> None:
    told = [
        re.match(r"(?:.*\.)?(\w+): has no effect in this release$", each)
        for each in notices(yaml.safe_load(text))
    ]
    assert [each and each[1] for each in told] == found


def test_a_notice_names_the_project_by_its_place() -> None:
    said = {"projects": [{"name": "a"}, {"name": "b", "critical": True}]}
    assert list(notices(said)) == ["projects[1].critical: has no effect in this release"]


@pytest.mark.parametrize("key", sorted(WITHOUT_EFFECT))
def test_every_key_without_effect_is_one_of_the_file(tmp_path: Path, key: str) -> None:
    values = {"depends_on": "[a]", "critical": "true", "logs": "null"}
    values |= {"fleet_share": "0.5", "fleet_min": "2", "mode": '"off"', "model": "x"}
    values |= {"auto_above": "0.9", "daily_budget_usd": "1.0", "monthly_budget_usd": "2.0"}
    values |= {"raw": "1d", "events": "2d"}
    steps = key.split(".")
    own = f"{steps[-1]}: {values[steps[-1]]}"
    own = f"{steps[1]}: {{{own}}}" if len(steps) > 2 else own
    one = '{name: a, url: "http://127.0.0.1:1"}'
    two = f'{{name: b, url: "http://127.0.0.1:2", {own}}}'
    ours = steps[0] == "projects[]"
    text = f"projects: [{one}, {two}]" if ours else f"{steps[0]}: {{{own}}}"
    path = tmp_path / "orchestrator.yml"
    path.write_text(text, encoding="utf-8")
    checked = check(Source(path=path))
    named = key.replace("[]", "[1]")
    assert (checked.mistakes, checked.notices) == (
        (),
        (f"{path}: {named}: has no effect in this release",),
    )


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]",
        "- 1",
        "{",
        "1: 2",
        "playbooks: &p {A: *p}",
        "projects: &p [*p]",
        "\x00",
        "a: 1\na: 2",
    ],
)
def test_no_file_is_too_strange_to_be_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "orchestrator.yml"
    path.write_text(text, encoding="utf-8")
    assert check(Source(path=path)).mistakes != ()
