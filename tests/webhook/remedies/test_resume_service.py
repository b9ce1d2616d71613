"""resume_service: when it is not tried, and what comes of it."""

import pytest

from orchestrator.health import State
from tests.webhook.remedies.conftest import Patient
from tests.webhook.remedies.look import look
from webhook.remedies import pause_service
from webhook.remedies.resume_service import REMEDY


@pytest.mark.parametrize(
    ("state", "why_not"),
    [
        (State.HEALTHY, "is not paused"),
        (State.DEGRADED, "is not paused"),
        (State.DOWN, "is not paused"),
        (State.PAUSED, None),
    ],
)
def test_it_is_tried_only_on_what_says_that_it_is_paused(state: State, why_not: str | None) -> None:
    assert REMEDY.precondition(look(state)) == why_not


async def test_a_paused_project_works_again_until_that_is_taken_back(patient: Patient) -> None:
    await patient.take(pause_service.REMEDY)
    done = await patient.take(REMEDY)
    states = [await patient.state()]
    await patient.undo(REMEDY)
    states.append(await patient.state())
    assert (done.detail, states) == ("resumed", [State.HEALTHY, State.PAUSED])
