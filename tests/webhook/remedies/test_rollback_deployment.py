"""rollback_deployment: when it is not tried, and what comes of it."""

from datetime import timedelta

import pytest

from orchestrator.health import State
from tests.webhook.remedies.conftest import Patient
from tests.webhook.remedies.look import HOUR, look
from webhook.remedies.rollback_deployment import REMEDY

SECOND = timedelta(seconds=1)


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
    assert REMEDY.precondition(look(state, deployed_ago=HOUR)) == why_not


@pytest.mark.parametrize(
    ("deployed_ago", "why_not"),
    [
        (-HOUR, None),  # its clock is ahead of Prometheus'
        (24 * HOUR - SECOND, None),
        (24 * HOUR, "was last deployed 1d ago; nothing to roll back"),
        (76 * HOUR + 90 * SECOND, "was last deployed 3d4h1m ago; nothing to roll back"),
        (None, "does not tell when it was deployed; there may be nothing to roll back"),
    ],
)
def test_it_is_tried_only_where_a_recent_deployment_may_be_to_blame(
    deployed_ago: timedelta | None, why_not: str | None
) -> None:
    assert REMEDY.precondition(look(State.DEGRADED, deployed_ago=deployed_ago)) == why_not


async def test_a_project_that_a_release_made_worse_runs_the_one_before(patient: Patient) -> None:
    await patient.suffer("error_burst")
    probes = [await patient.probe()]
    done = await patient.take(REMEDY)
    probes.append(await patient.probe())
    seen = [(each.state, each.version) for each in probes]
    expected = [(State.DEGRADED, "1.5.0"), (State.HEALTHY, "1.4.2")]
    assert (done.detail, seen) == ("rolled back to 1.4.2", expected)
