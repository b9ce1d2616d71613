"""restart_service: when it is not tried, and what comes of it."""

import pytest

from orchestrator.health import State
from tests.webhook.remedies.conftest import Patient
from tests.webhook.remedies.look import look
from webhook.remedies.restart_service import REMEDY


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
    assert REMEDY.precondition(look(state)) == why_not


async def test_a_project_that_is_down_answers_from_a_new_process(patient: Patient) -> None:
    before = await patient.pid()
    await patient.suffer("db_lost")
    ill = await patient.state()
    await patient.take(REMEDY)
    after = await patient.pid()
    assert (ill, await patient.state(), after != before) == (State.DOWN, State.HEALTHY, True)
