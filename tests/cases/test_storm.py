"""E20, E21: more alerts at once than a message, or a fleet, should have."""

import json

import pytest

from orchestrator.health import State
from tests.cases import mesh
from tests.cases.conftest import Begin, StartPeer
from tests.cases.mesh import Json
from tests.cases.rig import Alert, Case, down
from tests.waiting import until

pytestmark = pytest.mark.e2e

STORM = 3000
LONG = "It is down. " * 40  # as long as all annotations of a rule


async def _stored(case: Case, count: int, *, within: float) -> int:
    async def all_of_them() -> int | None:
        [row] = case.webhook.rows("SELECT count(*) AS n FROM episodes WHERE ended_at IS NULL")
        return row["n"] if row["n"] >= count else None

    return await until(all_of_them, within=within, what=f"{count} episodes")


@pytest.mark.long
async def test_e20_three_thousand_alerts_in_one_body_are_stored_and_are_one_action(
    case: Case,
) -> None:
    project = case.first
    alerts = [down(project.name, part=str(part)) for part in range(STORM)]
    await case.fire(*(Alert(each.labels, each.started, {"summary": LONG}) for each in alerts))
    assert await _stored(case, STORM, within=20) == STORM
    await case.until_restarted(project)

    async def whole() -> Json | None:
        found = [each for each in case.doorway.stored if len(each["alerts"]) == STORM]
        return found[0] if found else None

    message = await until(whole, within=30, what="a message of all alerts")
    assert len(json.dumps(message)) > 2_000_000
    assert len(case.webhook.incidents(project.name)) == 1
    assert project.actions == ["restart_service"]


@pytest.mark.long
async def test_e20_a_fleet_that_is_down_at_once_is_stored_and_not_restarted(
    begin: Begin, start_peer: StartPeer
) -> None:
    case = await begin([start_peer()], projects=STORM)
    for project in case.projects:
        project.state = State.DOWN
    await case.fire(*(down(project.name) for project in case.projects))
    assert await _stored(case, STORM, within=60) == STORM

    async def held() -> bool:
        [row] = case.webhook.rows(
            "SELECT count(*) AS n FROM incidents WHERE held LIKE '%projects went down within%'"
        )
        return bool(row["n"] >= 300)

    await until(held, within=60, what="300 projects that are held")
    [begun] = case.webhook.rows("SELECT count(*) AS n FROM actions")
    # The first alerts come before it is known that they are many; `concurrency` bounds those.
    assert begun["n"] <= 4
    assert sum(len(project.actions) for project in case.projects) <= 4


@pytest.mark.long
async def test_e21_what_max_alerts_cut_off_is_fetched_at_once(
    begin: Begin, start_peer: StartPeer
) -> None:
    def cut(config: Json) -> None:
        mesh.hook(config)["max_alerts"] = 1

    case = await begin([start_peer(cut)])
    project = case.first
    await case.fire(*(down(project.name, part=part) for part in "abc"))
    assert await _stored(case, 3, within=8) == 3  # sooner than the next round of reconciling
    assert max(message["truncatedAlerts"] for message in case.doorway.stored) == 2
