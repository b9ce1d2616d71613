"""`orchestrator check`: what it finds, what it says, and the status that it ends with."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner

from orchestrator.check import check
from orchestrator.cli import main
from orchestrator.source import Source

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
    error = "orchestrator.yml: No such file or directory; --config names another\n"
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
    status, out, err = _run(tmp_path, "--json")
    assert (status, json.loads(out), err) == (
        0,
        {
            "ok": True,
            "projects": [
                {"name": "chatbot", "url": "http://127.0.0.1:3011", "mode": "act"},
                {"name": "crm", "url": "http://127.0.0.1:3013", "mode": "observe"},
            ],
            "mistakes": [],
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
