"""A configuration comes from its file, from PROJECTS and from the secrets that they name."""

from collections.abc import Mapping
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from orchestrator import config, source
from orchestrator.config import BadConfig, Config, decode, load
from orchestrator.project import Auth, Control, Project
from orchestrator.source import Source
from orchestrator.stamp import changed

SECRET = "s3same"  # noqa: S105  to be looked for where it must not be


def _project(line: str = "") -> str:
    return f"projects:\n  - {{name: a, url: 'http://127.0.0.1:3010', {line}}}"


def _bare(name: str, url: str) -> Project:
    return Project(name=name, url=url, control=Control(url=f"{url}/control"))


@pytest.mark.parametrize(
    ("projects", "added"),
    [
        ("", []),
        (" , ", []),
        ("b:http://127.0.0.1:3020/", [_bare("b", "http://127.0.0.1:3020")]),
        (
            " b:http://h,c:https://[::1]:8443/base , ",
            [_bare("b", "http://h"), _bare("c", "https://[::1]:8443/base")],
        ),
        ("a:http://elsewhere", []),  # the file knows more of it
    ],
)
def test_the_variable_adds_projects_to_those_of_the_file(
    projects: str, added: list[Project]
) -> None:
    first = _bare("a", "http://127.0.0.1:3010")
    assert decode(_project(), source="o.yml", projects=projects) == Config(
        projects={each.name: each for each in [first, *added]}
    )


def test_a_project_of_the_variable_gets_the_defaults_and_may_be_depended_on() -> None:
    text = "defaults: {mode: act}\n" + _project("depends_on: [b]")
    made = decode(text, source="o.yml", projects="b:http://h")
    assert [(each.name, each.mode) for each in made.projects.values()] == [
        ("a", "act"),
        ("b", "act"),
    ]


def test_with_the_variable_the_file_need_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(config.DEFAULT, projects="b:http://h") == Config(
        projects={"b": _bare("b", "http://h")}
    )


def test_a_file_that_is_named_has_to_exist_also_with_the_variable(tmp_path: Path) -> None:
    path = tmp_path / "o.yml"
    with pytest.raises(BadConfig) as refused:
        load(path, projects="b:http://h")
    assert str(refused.value) == f"{path}: No such file or directory; --config names another"


def test_a_source_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "o.yml"
    come_from = Source(path=path, projects="b:http://h", environment={"KEY": SECRET})
    path.write_text(_project("auth: {bearer_env: KEY}"), encoding="utf-8")
    first = come_from.load()
    path.write_text("", encoding="utf-8")
    assert ({name: each.auth for name, each in first.projects.items()}, come_from.load()) == (
        {"a": Auth(header="Authorization", value=f"Bearer {SECRET}"), "b": None},
        Config(projects={"b": _bare("b", "http://h")}),
    )


def test_a_source_does_not_show_its_secrets() -> None:
    shown = repr(Source(path=Path("o.yml"), environment={"KEY": SECRET}))
    assert shown == "Source(path=PosixPath('o.yml'), projects='', dry_run=False)"


def test_of_a_dry_run_every_project_is_observed_whatever_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "o.yml"
    path.write_text(
        "defaults: {mode: act}\nprojects: [{name: a, url: 'http://127.0.0.1:1'},"
        " {name: b, url: 'http://127.0.0.1:1', mode: observe}]"
    )
    told = [
        (made.dry_run, [each.observed for each in made.projects.values()])
        for made in (Source(path=path).load(), Source(path=path, dry_run=True).load())
    ]
    assert told == [(False, [None, "mode: observe"]), (True, ["--dry-run", "--dry-run"])]


@pytest.mark.parametrize("name", ["o.yml", "token"])
@pytest.mark.parametrize("change", ["written", "replaced", "removed"])
def test_a_configuration_knows_when_a_file_of_it_has_changed(
    tmp_path: Path, name: str, change: str
) -> None:
    path = tmp_path / "o.yml"
    path.write_text(_project("auth: {bearer_file: token}"), encoding="utf-8")
    (tmp_path / "token").write_text("as it was", encoding="utf-8")
    made = Source(path=path).load()
    before = changed(made.read)
    _change(tmp_path / name, change)
    assert (before, changed(made.read)) == (False, True)


@pytest.mark.parametrize("name", ["o.yml", "token"])
def test_a_refusal_knows_when_a_file_that_was_missing_has_come(tmp_path: Path, name: str) -> None:
    path = tmp_path / "o.yml"
    if name != "o.yml":
        path.write_text(_project("auth: {bearer_file: token}"), encoding="utf-8")
    with pytest.raises(BadConfig) as refused:
        Source(path=path).load()
    before = changed(refused.value.read)
    (tmp_path / name).write_text("here", encoding="utf-8")
    assert (before, changed(refused.value.read)) == (False, True)


def _change(path: Path, how: str) -> None:
    if how == "written":
        path.write_text("another length", encoding="utf-8")
    elif how == "replaced":
        fresh = path.with_suffix(".new")
        fresh.write_text("as it was", encoding="utf-8")
        fresh.rename(path)
    else:
        path.unlink()


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        ([], {}, "orchestrator.yml||"),
        (["--config", "a.yml", "--projects", "a:http://h"], {}, "a.yml|a:http://h|"),
        ([], {"ORCHESTRATOR_CONFIG": "b.yml", "PROJECTS": "b:http://h"}, "b.yml|b:http://h|"),
        (["--config", "a.yml"], {"ORCHESTRATOR_CONFIG": "b.yml"}, "a.yml||"),
    ],
)
def test_every_program_takes_the_file_and_projects(
    arguments: list[str], environment: Mapping[str, str], said: str
) -> None:
    @click.command()
    @source.options
    def command(path: Path, projects: str) -> None:
        click.echo(f"{path}|{projects}|", nl=False)

    unset = {"ORCHESTRATOR_CONFIG": None, "PROJECTS": None}
    ran = CliRunner().invoke(command, arguments, env={**unset, **environment})
    assert (ran.exit_code, ran.output) == (0, said)
