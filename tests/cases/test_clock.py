"""E51: a webhook whose clock is ten minutes wrong does all as one whose clock is right."""

import json
from pathlib import Path

import pytest

from orchestrator.health import State
from tests.cases.conftest import Begin, StartPeer
from tests.cases.rig import Case, down
from tests.e2e.people import People, people
from tests.e2e.situation import Clock, first_broken
from tests.waiting import until

__all__ = ["people"]  # a fixture

pytestmark = [pytest.mark.e2e, pytest.mark.long]

WRONG = pytest.mark.parametrize("wrong", [600, -600], ids=["ahead", "behind"])
HEALED = [  # the names of the events, without the project in them
    "ProjectDown",
    "STATUS_CHANGED",
    "ActionStarted",
    "ActionExecuted",
    "RecoveryObserved",
    "STATUS_CHANGED",
    "PROBLEM_RESOLVED",
]
ASKED = "EscalationRequired"


async def _outage(case: Case) -> None:
    """Let the first project go down, see it healed, and hear copies of both messages late."""
    project, repaired = case.first, len(case.first.actions)
    project.state, done = State.DOWN, len(case.doorway.stored)
    alert = down(project.name)
    await case.fire(alert)
    await case.until_stored(done + 1)
    await _again(case, case.doorway.stored[done])

    async def restarted() -> bool:
        return len(project.actions) == repaired + 1

    await until(restarted, within=20, what="a restart")
    await case.end(alert)
    await case.until_stored(done + 2)
    await case.until_states(project, ["resolved"])
    for copy in case.doorway.stored[done : done + 2]:
        await _again(case, copy)


async def _again(case: Case, told: object) -> None:
    assert await case.webhook.post(json.dumps(told).encode()) == 200


@WRONG
async def test_e51_a_wrong_clock_changes_nothing_of_a_healing_and_of_late_copies(
    begin: Begin, start_peer: StartPeer, tmp_path: Path, wrong: float
) -> None:
    case = await begin([start_peer()], guards={"cooldown": "10ms"})  # or the second may be held
    clock, project = Clock(tmp_path), case.first
    clock.set(wrong)
    await clock.given_to(case)
    await _outage(case)
    await _outage(case)
    names = [each["name"] for each in case.webhook.rows("SELECT name FROM events ORDER BY id")]
    slug = project.name.upper().replace("-", "_")
    assert [name.removeprefix(f"{slug}_") for name in names] == 2 * HEALED
    meant = await case.webhook.meanings()
    meant["repeated"] += meant.pop("opened", 0) - 2  # a round of reconciling may come first
    assert meant == {"repeated": 4, "ended": 2, "late": 2}
    assert project.actions == ["restart_service"] * 2
    assert case.webhook.incidents(project.name) == ["resolved"]
    assert all(each.ended for each in case.webhook.episodes(project.name))
    assert first_broken(tmp_path) is None


@pytest.mark.parametrize("wrong", [600, -600], ids=["ahead", "behind"])
async def test_e51_people_are_asked_and_hear_the_end_at_once_by_a_wrong_clock(
    begin: Begin, start_peer: StartPeer, people: People, tmp_path: Path, wrong: float
) -> None:
    case = await begin([start_peer(people.calling())])
    clock, project = Clock(tmp_path), case.first
    clock.set(wrong)
    await clock.given_to(case)
    project.state, project.deaf = State.DOWN, True
    alert = down(project.name)
    await case.fire(alert)
    await people.until_heard(ASKED, "firing")
    project.state = State.HEALTHY
    await case.end(alert)
    await case.until_states(project, ["closed"])
    await people.until_heard(ASKED, "firing", "resolved")
    assert project.actions == ["restart_service"] * 2
