"""A part of the chain fails, lies or is away: nothing is called fixed, and nobody is told so."""

import signal
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator import clock
from orchestrator.health import State
from tests.cases.conftest import Begin, StartPeer, begin, door, start_peer, tools
from tests.cases.mesh import Peer
from tests.cases.rig import APART, GOOD_FOR, Alert, Case, down
from tests.e2e.people import OURS, People, people
from tests.e2e.situation import Clock, first_broken
from tests.waiting import until

__all__ = ["begin", "door", "people", "start_peer", "tools"]  # fixtures

pytestmark = pytest.mark.e2e

ASKED = "EscalationRequired"
FAR_AHEAD = timedelta(hours=3, minutes=59)  # four hours, less what the test takes


async def _asked(case: Case, people: People) -> None:
    """Let the first project go down for good, until people are asked."""
    case.first.state, case.first.deaf = State.DOWN, True
    await case.fire(down(case.first.name))
    await people.until_heard(ASKED, "firing")


async def test_a_project_that_answers_200_and_does_nothing_is_escalated_and_not_called_fixed(
    begin: Begin, start_peer: StartPeer, people: People
) -> None:
    case = await begin([start_peer(people.calling())])
    await _asked(case, people)
    states = [row["state"] for row in case.webhook.rows("SELECT state FROM actions")]
    names = [row["name"] for row in case.webhook.rows("SELECT name FROM events ORDER BY id")]
    assert (case.first.actions, states) == (["restart_service"] * 2, ["failed"] * 2)
    assert (names.count("RESTART_FAILED"), names[-1]) == (2, "ESCALATION_REQUIRED")
    assert case.webhook.incidents(case.first.name) == ["escalated"]


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.long)]
)
async def test_the_webhook_that_is_dead_while_it_has_escalated_sends_no_all_clear(
    begin: Begin, start_peer: StartPeer, people: People, number: signal.Signals
) -> None:
    """Nor when the project is well meanwhile: nobody is there to say so."""
    peer = start_peer(people.calling())
    case = await begin([peer])
    await _asked(case, people)
    assert case.webhook._process
    case.webhook._process.send_signal(number)
    await case.webhook._process.wait()
    case.first.state = State.HEALTHY
    await case.end(*(alert for alert, _ in case.firing))
    await _another_is_told_and_ended(peer, case, people)
    async with case.http.get(f"{peer.url}/api/v2/alerts?filter=alertname={ASKED}") as response:
        [page] = await response.json()
    assert people.heard(ASKED) == ["firing"]
    assert clock.read(page["endsAt"]) - clock.now() > FAR_AHEAD


async def _another_is_told_and_ended(peer: Peer, case: Case, people: People) -> None:
    """Show that Alertmanager would have told the end of anything in the meantime."""
    labels = {"alertname": "Another", "project": case.first.name, "source": OURS}
    another = Alert(labels, clock.written(clock.now()))
    for ends, statuses in ((GOOD_FOR, ["firing"]), (APART, ["firing", "resolved"])):
        at = clock.written(clock.read(another.started) + ends)
        await peer.post(case.http, [another.post(ends=at)])
        await people.until_heard("Another", *statuses)


@pytest.mark.long
async def test_a_clock_set_back_an_hour_freezes_nothing_and_buys_no_third_restart(
    begin: Begin, start_peer: StartPeer, people: People, tmp_path: Path
) -> None:
    case = await begin([start_peer(people.calling())])
    wrong, project = Clock(tmp_path), case.first
    await wrong.given_to(case)
    await _outage_is_healed(case, 1)
    wrong.set(-3600)
    await _outage_is_healed(case, 2)
    project.state = State.DOWN
    await case.fire(down(project.name))
    await people.until_heard(ASKED, "firing")
    assert project.actions == ["restart_service"] * 2
    wrong.set(-7200)  # and again, while people are asked: the end has to be one, and at once
    project.state = State.HEALTHY
    await case.end(*(alert for alert, _ in case.firing))
    await people.until_heard(ASKED, "firing", "resolved")
    assert first_broken(tmp_path) is None


async def _outage_is_healed(case: Case, count: int) -> None:
    project, alert = case.first, down(case.first.name)
    project.state = State.DOWN
    await case.fire(alert)

    async def restarted() -> bool:
        return len(project.carried_out) == count

    await until(restarted, within=15, what=f"restart {count}")
    await case.end(alert)
    await case.until_states(project, ["resolved"])


@pytest.mark.long
async def test_alertmanager_gone_for_ten_minutes_ends_nothing_and_all_goes_on_when_it_is_back(
    begin: Begin, start_peer: StartPeer, people: People, tmp_path: Path
) -> None:
    """Compressed: for the webhook, whose clock runs ahead, it is ten minutes."""
    peer = start_peer(people.calling())
    case = await begin([peer])
    ahead, (asked, new, _) = Clock(tmp_path), case.projects
    await ahead.given_to(case)
    await _asked(case, people)
    peer.kill()
    new.state, alert = State.DOWN, down(new.name)
    case.firing.append((alert, case.peers))  # Prometheus goes on posting, and is refused
    before = await _failures(case)
    ahead.set(600)

    async def noticed() -> bool:
        return await _failures(case) >= before + 2

    await until(noticed, within=60, what="two rounds of reconciling that failed")
    assert (case.webhook.incidents(asked.name), case.webhook.incidents(new.name)) == (
        ["escalated"],
        [],
    )
    told = len(people.told)
    peer.start()
    await case.heal(new, alert)

    async def told_again() -> bool:
        return len(people.told) > told

    await until(told_again, within=40, what="people told again")
    assert (people.heard(ASKED), asked.actions, new.actions) == (
        ["firing"],
        ["restart_service"] * 2,
        ["restart_service"],
    )
    assert case.webhook.incidents(asked.name) == ["escalated"]
    assert first_broken(tmp_path) is None


async def _failures(case: Case) -> float:
    found = await case.webhook._samples("webhook_reconcile_failures_total")
    return sum(each.value for each in found)
