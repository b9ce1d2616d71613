"""What is committed is what the program writes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dashboards.__main__ import DASHBOARDS, FOLDER, drifted, files, main
from dashboards.variables import Places
from tests.dashboards.written import EVERY, panels, urls


def test_the_committed_dashboards_are_those_that_are_written() -> None:
    assert drifted(files(), FOLDER) == [], "run `make dashboards`"


def test_the_same_is_written_every_time() -> None:
    assert files() == files()


def test_the_check_is_content_with_what_was_just_written(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["--into", str(tmp_path)]).exit_code == 0
    assert CliRunner().invoke(main, ["--check", "--into", str(tmp_path)]).exit_code == 0


@pytest.mark.parametrize("name", ["orchestrator-fleet.json", "of-nobody.json"])
def test_the_check_names_what_drifted(tmp_path: Path, name: str) -> None:
    CliRunner().invoke(main, ["--into", str(tmp_path)])
    (tmp_path / name).write_text("{}\n")
    said = CliRunner().invoke(main, ["--check", "--into", str(tmp_path)])
    wanted = f"{tmp_path / name} is not as `python -m dashboards` writes it\n"
    assert (said.exit_code, said.stderr) == (1, wanted)


def test_the_check_names_what_is_missing(tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["--check", "--into", str(tmp_path)])
    assert (said.exit_code, len(said.stderr.splitlines())) == (1, len(files()))


def test_the_check_writes_nothing(tmp_path: Path) -> None:
    CliRunner().invoke(main, ["--check", "--into", str(tmp_path)])
    assert list(tmp_path.iterdir()) == []


def test_the_pages_are_where_one_says() -> None:
    here = files(Places(webhook="https://hook.example.org"))["orchestrator-fleet.json"]
    assert '"query": "https://hook.example.org"' in here


def test_no_dashboard_takes_the_uid_of_another() -> None:
    assert len(files()) == len(DASHBOARDS)


def test_runbooks_are_links_where_it_is_known_where_they_are() -> None:
    here = files(Places(runbooks="https://git.example.org/runbooks"))
    fleet = json.loads(here["orchestrator-fleet.json"])
    described = [each.get("description", "") for each in panels(fleet)]
    page = "https://git.example.org/runbooks/ProjectDown.md"
    assert any(f"[ProjectDown]({page})" in each for each in described)
    assert "`docs/runbooks/" not in "".join(described)
    assert "${runbooks:raw}/${__data.fields.Alert}.md" in urls(fleet)


def test_no_runbook_is_a_link_where_nobody_said_where_they_are() -> None:
    assert [url for each in EVERY.values() for url in urls(each) if "runbooks" in url] == []
