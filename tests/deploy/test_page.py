"""docs/compose.md: what it shows can be typed, and what it tells is so."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from deploy import fault
from deploy.keys import make
from orchestrator import config
from orchestrator.cli import main as orchestrator
from orchestrator.demo.fault import FAULTS
from orchestrator.demo.stack import PROJECTS
from tests.deploy.compose import COMPOSE, ROOT, RUNNING, SERVICES, names

PAGE = (ROOT / "docs/compose.md").read_text(encoding="utf-8")


def test_the_example_for_own_projects_can_be_used(tmp_path: Path) -> None:
    make(tmp_path)
    [written] = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    demo = (ROOT / "deploy/compose/orchestrator.yml").read_text(encoding="utf-8")
    own, shipped = (
        config.decode(text.replace("/run/secrets/", f"{tmp_path}/"), source="here")
        for text in (written, demo)
    )
    assert (own.prometheus, own.alertmanagers) == (shipped.prometheus, shipped.alertmanagers)


def test_the_page_says_who_is_in_which_network_and_where_each_is_reached() -> None:
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in PAGE.splitlines()
        if "|" in line
    ]
    told = {
        name: set(row[1].split(", "))
        for row in rows
        if len(row) == 4
        for name in re.findall(r"`([\w-]+)`", row[0])
        if name in SERVICES
    }
    assert told == {name: names(name).keys() for name in RUNNING}
    published = [port for each in RUNNING.values() for port in each.get("ports", [])]
    addresses = re.findall(r"\| `http://(127\.0\.0\.1:\d+)` \|", PAGE)
    assert sorted(addresses) == sorted(port.rpartition(":")[0] for port in published)


def _shown(program: str) -> list[list[str]]:
    """Return what the page gives to *program* in a container, a command each."""
    called = rf"docker compose (?:exec|run --rm) {program} (.+?)(?:`|$)"
    return [shlex.split(words) for words in re.findall(called, PAGE, re.MULTILINE)]


@pytest.mark.parametrize(
    "words", [*_shown("orchestrator"), *_shown("webhook orchestrator")], ids=" ".join
)
def test_every_command_that_the_page_shows_is_taken_as_it_stands(words: list[str]) -> None:
    with orchestrator.make_context("orchestrator", [*words]) as group:
        name, command, given = orchestrator.resolve_command(group, words)
        assert command is not None
        with command.make_context(name, given, parent=group) as context:
            assert context.args == []


@pytest.mark.parametrize("words", _shown("fleet python -m deploy.fault"), ids=" ".join)
def test_every_fault_that_the_page_shows_is_one_that_there_is(words: list[str]) -> None:
    with fault.main.make_context("deploy.fault", [*words]) as context:
        assert context.params["project"] in PROJECTS
        assert context.params["fault"] in FAULTS


def test_every_service_and_program_that_the_page_calls_exists() -> None:
    commands = r"exec|run --rm(?: --build)?|logs|cp|restart|kill -s HUP"
    called = re.findall(rf"docker compose (?:{commands}) ((?:[\w-]+ ?)+)", PAGE)
    first = {words.split()[0] for words in called}
    assert first - SERVICES.keys() == set()
    for module in re.findall(r"python -m (deploy\.\w+)", PAGE):
        assert importlib.util.find_spec(module)


def test_every_secret_that_the_page_names_is_one_that_is_made(tmp_path: Path) -> None:
    named = set(re.findall(r"deploy/secrets/([\w.]+\w)", PAGE))
    assert named - set(make(tmp_path)) == set()
    assert named < {Path(each["file"]).name for each in COMPOSE["secrets"].values()}
