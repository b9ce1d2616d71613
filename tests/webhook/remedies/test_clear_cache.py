"""clear_cache: when it is not tried, and what comes of it."""

import pytest

from orchestrator.health import State
from tests.waiting import until
from tests.webhook.remedies.conftest import Patient
from tests.webhook.remedies.look import look
from webhook.remedies.clear_cache import REMEDY


@pytest.mark.parametrize(
    ("state", "why_not"),
    [
        (State.HEALTHY, None),
        (State.DEGRADED, None),
        (State.DOWN, "does not answer"),
        (State.PAUSED, "is paused; somebody chose so"),
    ],
)
def test_it_is_tried_only_on_what_works(state: State, why_not: str | None) -> None:
    assert REMEDY.precondition(look(state)) == why_not


async def test_a_project_holds_less_afterwards(patient: Patient) -> None:
    async def look() -> float:
        held = await patient.figure("/status", "cache_bytes")
        return held if held > 1_000 else 0

    before = await until(look, within=5, what="something in the cache")
    await patient.take(REMEDY)
    after = await patient.figure("/status", "cache_bytes")
    assert (after < before, await patient.state()) == (True, State.HEALTHY)
