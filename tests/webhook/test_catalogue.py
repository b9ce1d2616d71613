"""The catalogue: whole, consistent, known to controls, and explained."""

import re
from pathlib import Path

import pytest

from orchestrator.commands import Command
from orchestrator.supervisor.command import ACTIONS
from webhook.catalogue import CATALOGUE, UnknownStep, remedy
from webhook.remedies import command
from webhook.remedy import Goal, Way

ROOT = Path(__file__).parents[2]
NO_REMEDY_ITSELF = {"__init__", "command"}  # command.py makes one of each of your commands
TRUE = Command(argv=("/bin/true",))
PROVEN = {Goal.HEALED: "healed", Goal.PAUSED: "paused", Goal.STOPPED: "stopped"}


def test_every_remedy_has_its_module_and_its_line_in_the_catalogue() -> None:
    modules = {each.stem for each in (ROOT / "webhook/remedies").glob("*.py")}
    assert modules - NO_REMEDY_ITSELF == set(CATALOGUE)


def test_every_remedy_has_its_test() -> None:
    tests = {each.name for each in (ROOT / "tests/webhook/remedies").glob("test_*.py")}
    assert {f"test_{name}.py" for name in CATALOGUE} - tests == set()


def test_what_takes_a_remedy_back_is_a_remedy_that_goes_the_other_way() -> None:
    undone = {each.name: each.undo for each in CATALOGUE.values() if each.undo}
    assert {name: undone.get(undo) for name, undo in undone.items()} == {
        name: name for name in undone
    }


def test_the_supervisor_and_the_check_know_every_remedy_and_no_other() -> None:
    sent = {each.name for each in CATALOGUE.values() if each.way is Way.CONTROL}
    assert sent == ACTIONS.keys()


def _rows(page: str) -> dict[str, list[str]]:
    lines = [line for line in (ROOT / page).read_text().splitlines() if line.startswith("| `")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: row for row in rows for name in re.findall(r"`(\w+)`", row[0])}


def test_the_page_on_actions_says_what_the_catalogue_says() -> None:
    rows = {name: row for name, row in _rows("docs/actions.md").items() if name in CATALOGUE}
    told = {name: (row[2], row[3].strip("`"), row[5]) for name, row in rows.items()}
    assert told == {
        each.name: ("yes" if each.disruptive else "no", each.undo or "no", PROVEN[each.goal])
        for each in CATALOGUE.values()
    }


def test_the_contract_tells_projects_what_each_remedy_asks_of_them() -> None:
    assert CATALOGUE.keys() - _rows("docs/endpoint-contract.md").keys() == set()


def test_a_step_is_a_remedy_or_one_of_your_commands() -> None:
    commands = {"restart": TRUE, "restart_service": TRUE}
    steps = ["restart_service", "command:restart", "command:restart_service"]
    assert [remedy(step, commands) for step in steps] == [
        CATALOGUE["restart_service"],
        command.remedy("restart", TRUE),
        command.remedy("restart_service", TRUE),
    ]


@pytest.mark.parametrize(
    "step", ["restart", "drop-logs", "command:", "command:gone", "command:command:drop-logs", ""]
)
def test_any_other_step_is_unknown_and_the_known_ones_are_told(step: str) -> None:
    with pytest.raises(UnknownStep) as caught:
        remedy(step, {"drop-logs": TRUE})
    known = ", ".join([*CATALOGUE, "command:drop-logs"])
    assert str(caught.value) == f"{step!r} is no action; known: {known}"


@pytest.mark.parametrize("page", ["docs/configuration.md", "docs/supervisor.md"])
def test_the_pages_that_list_actions_list_every_remedy(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [name for name in CATALOGUE if f"`{name}`" not in text] == []
