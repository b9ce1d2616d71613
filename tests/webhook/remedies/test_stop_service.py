"""stop_service: when it is not tried, and what comes of it."""

import pytest

from orchestrator.health import State
from tests.webhook.remedies.conftest import Patient
from tests.webhook.remedies.look import look
from webhook.remedies.stop_service import REMEDY


@pytest.mark.parametrize(
    ("state", "why_not"),
    [
        (State.HEALTHY, None),
        (State.DEGRADED, None),
        (State.DOWN, "does not answer"),
        (State.PAUSED, None),
    ],
)
def test_it_is_tried_only_on_what_answers(state: State, why_not: str | None) -> None:
    assert REMEDY.precondition(look(state)) == why_not


async def test_a_project_does_not_answer_any_more_until_that_is_taken_back(
    patient: Patient,
) -> None:
    done = await patient.take(REMEDY)
    states = [await patient.state()]
    await patient.undo(REMEDY)
    states.append(await patient.state())
    assert (done.detail, states) == ("chatbot was stopped", [State.DOWN, State.HEALTHY])
