"""start_service: when it is not tried, and what comes of it."""

import pytest

from orchestrator.health import State
from tests.webhook.remedies.conftest import Patient
from tests.webhook.remedies.look import look
from webhook.remedies.start_service import REMEDY


@pytest.mark.parametrize(
    ("state", "why_not"),
    [
        (State.HEALTHY, "answers, so it runs already"),
        (State.DEGRADED, "answers, so it runs already"),
        (State.DOWN, None),
        (State.PAUSED, "answers, so it runs already"),
    ],
)
def test_it_is_tried_only_on_what_does_not_answer(state: State, why_not: str | None) -> None:
    assert REMEDY.precondition(look(state)) == why_not


async def test_a_killed_project_runs_again_and_is_stopped_to_take_that_back(
    patient: Patient,
) -> None:
    await patient.suffer("process_killed")
    states = [await patient.state()]
    await patient.take(REMEDY)
    states.append(await patient.state())
    await patient.undo(REMEDY)
    states.append(await patient.state())
    assert states == [State.DOWN, State.HEALTHY, State.DOWN]
