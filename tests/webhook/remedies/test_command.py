"""A command of orchestrator.yml as a remedy."""

import pytest

from orchestrator.commands import Command
from orchestrator.health import State
from tests.webhook.remedies.look import look
from webhook.remedies import command
from webhook.remedy import Goal, Remedy, Way

TRUE = Command(argv=("/bin/true",), disruptive=False, repeatable=True)


def test_it_is_what_the_configuration_says_of_it() -> None:
    assert command.remedy("drop-logs", TRUE) == Remedy(
        name="command:drop-logs",
        done="command:drop-logs",
        way=Way.COMMAND,
        disruptive=False,
        precondition=command.why_not,
        goal=Goal.HEALED,
        undo=None,
        repeatable=True,
        failed_event=None,
    )


@pytest.mark.parametrize(
    ("state", "why_not"),
    [
        (State.HEALTHY, None),
        (State.DEGRADED, None),
        (State.DOWN, None),
        (State.PAUSED, "is paused; somebody chose so"),
    ],
)
def test_it_is_tried_on_every_project_but_a_paused_one(state: State, why_not: str | None) -> None:
    assert command.remedy("drop-logs", TRUE).precondition(look(state)) == why_not
