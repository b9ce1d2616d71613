"""E2, E7, E9: two real Alertmanagers in a cluster tell the same, at once or one after the other."""

import asyncio
from datetime import timedelta

import pytest

from orchestrator import clock
from tests.cases.doorway import Parked
from tests.cases.mesh import Json
from tests.cases.rig import Case, down
from tests.waiting import until

pytestmark = pytest.mark.e2e


async def _parked(parked: Parked, count: int) -> list[tuple[Json, asyncio.Event]]:
    async def come() -> bool:
        return len(parked.waiting) >= count

    await until(come, within=30, what=f"{count} messages at the door")
    return parked.waiting


async def test_e2_two_peers_that_tell_in_the_same_millisecond_cause_one_action(twins: Case) -> None:
    project, parked, alert = twins.first, Parked(), down(twins.first.name)
    twins.doorway.way = parked.way
    await twins.fire(alert)
    both = await _parked(parked, 2)
    twins.doorway.open_way()
    for _, let_in in both:
        let_in.set()
    await twins.until_stored(2)
    await twins.heal(project, alert)
    assert {told["externalURL"] for told, _ in both} == {peer.url for peer in twins.peers}
    assert project.actions == ["restart_service"]
    assert len(twins.webhook.episodes(project.name)) == 1
    assert (await twins.webhook.meanings())["opened"] == 1


@pytest.mark.parametrize("peer", [0, 1])
@pytest.mark.long
async def test_e2_what_only_one_peer_was_told_is_told_to_us_once(twins: Case, peer: int) -> None:
    project, alert = twins.first, down(twins.first.name)
    await twins.fire(alert, to=[twins.peers[peer]])
    await twins.heal(project, alert)
    assert project.actions == ["restart_service"]
    assert await twins.webhook.meanings() == {"opened": 1, "ended": 1}


@pytest.mark.long
async def test_e7_a_copy_that_began_earlier_is_the_same_episode(twins: Case) -> None:
    project, parked = twins.first, Parked()
    later = clock.now()
    earlier = later - timedelta(seconds=20)
    alerts = [down(project.name, since) for since in (later, earlier)]
    twins.doorway.way = parked.way
    for alert, peer in zip(alerts, twins.peers, strict=True):
        await twins.fire(alert, to=[peer])
    both = await _parked(parked, 2)
    twins.doorway.open_way()
    in_order = sorted(both, key=lambda each: each[0]["alerts"][0]["startsAt"], reverse=True)
    for place, (_, let_in) in enumerate(in_order, start=1):
        let_in.set()
        await twins.until_stored(place)
    [episode] = twins.webhook.episodes(project.name)
    await twins.heal(project, *alerts)
    assert (episode.first_started, episode.started) == (later, earlier)
    assert len(twins.webhook.episodes(project.name)) == 1
    assert project.actions == ["restart_service"]


@pytest.mark.long
async def test_e9_a_firing_that_comes_after_its_end_from_the_other_peer_does_nothing(
    twins: Case,
) -> None:
    project, parked, alert = twins.first, Parked(), down(twins.first.name)
    twins.doorway.way = parked.way
    await twins.fire(alert)
    overtaken, prompt = await _parked(parked, 2)
    twins.doorway.open_way()
    prompt[1].set()
    await twins.heal(project, alert)
    overtaken[1].set()

    async def late() -> bool:
        return "late" in await twins.webhook.meanings()

    await until(late, within=30, what="the late copy")
    [episode] = twins.webhook.episodes(project.name)
    assert episode.ended is not None
    assert twins.webhook.incidents(project.name) == ["resolved"]
    assert project.actions == ["restart_service"]
