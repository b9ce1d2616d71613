"""pause_service: when it is not tried, and what comes of it."""

import pytest

from orchestrator.health import State
from tests.webhook.remedies.conftest import Patient
from tests.webhook.remedies.look import look
from webhook.remedies.pause_service import REMEDY


@pytest.mark.parametrize(
    ("state", "why_not"),
    [
        (State.HEALTHY, None),
        (State.DEGRADED, None),
        (State.DOWN, "does not answer"),
        (State.PAUSED, "is paused already"),
    ],
)
def test_it_is_tried_only_on_what_works(state: State, why_not: str | None) -> None:
    assert REMEDY.precondition(look(state)) == why_not


async def test_a_busy_project_says_paused_and_is_calm_until_that_is_taken_back(
    patient: Patient,
) -> None:
    await patient.suffer("cpu_load")
    busy = [await patient.figure("/metrics", "cpu_percent") > 80]
    await patient.take(REMEDY)
    paused = await patient.state()
    busy.append(await patient.figure("/metrics", "cpu_percent") > 80)
    await patient.undo(REMEDY)
    assert (busy, paused, await patient.state()) == ([True, False], State.PAUSED, State.HEALTHY)
