"""E10 to E13, E15, E21, E51: what Alertmanager never sends is found, and found once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import aiohttp
import pytest

from orchestrator import clock
from tests.cases import mesh
from tests.cases.mesh import Json, Peer
from tests.cases_reconcile.conftest import (
    APART,
    OpenDesk,
    Prometheus,
    StartPeer,
    down,
    silenced,
    unsilenced,
)
from tests.waiting import until
from webhook.store.reconciliation import Kind

pytestmark = pytest.mark.e2e

WRONG = [timedelta(minutes=minutes) for minutes in (10, -10)]


async def test_e10_what_fired_and_ended_while_we_were_away_is_never_told_and_not_found(
    alone: Peer, open_desk: OpenDesk, prometheus: Prometheus, project: str
) -> None:
    desk = await open_desk(alone, refusing=True)
    alert = down(project)
    await prometheus.fire(alert, alone)
    await desk.until_arrived(1)
    await prometheus.end(alert)
    desk.refusing = False
    desk.arrived.clear()
    fence = down(project, part="fence", alertname="ProjectSlow")
    await prometheus.fire(fence, alone)
    await desk.until_arrived(1)
    assert await desk.compare() == {}
    assert desk.story() == [(fence.began, None)]


async def test_e11_what_fires_since_before_we_had_a_store_is_found_at_the_start(
    alone: Peer, open_desk: OpenDesk, prometheus: Prometheus, project: str
) -> None:
    desk = await open_desk(alone, about="somebody else")  # answers 200, and keeps nothing
    alert = down(project)
    await prometheus.fire(alert, alone)
    assert [await desk.compare() for _ in range(2)] == [{Kind.APPEARED: 1}, {}]
    assert desk.story() == [(alert.began, None)]


@pytest.mark.long
async def test_e11_what_flapped_while_we_were_away_is_found_as_another_episode(
    alone: Peer, open_desk: OpenDesk, prometheus: Prometheus, project: str
) -> None:
    desk = await open_desk(alone)
    alert = down(project)
    await prometheus.fire(alert, alone)
    await desk.until_arrived(1)
    desk.refusing = True
    ended = await prometheus.end(alert)
    again = down(project, began=ended + APART)
    await prometheus.fire(again, alone)
    assert await desk.compare() == {Kind.APPEARED: 1}
    assert desk.story() == [(alert.began, again.began), (again.began, None)]


@pytest.mark.parametrize("skew", [timedelta(0), *WRONG])
async def test_e12_e13_e51_what_ends_silenced_and_fires_again_is_told_by_no_message(
    alone: Peer,
    open_desk: OpenDesk,
    prometheus: Prometheus,
    project: str,
    http: aiohttp.ClientSession,
    skew: timedelta,
) -> None:
    desk = await open_desk(alone, skew=skew)
    alert = down(project)
    await prometheus.fire(alert, alone)
    await desk.until_arrived(1)
    silence = await silenced(http, alone, project)
    assert await desk.compare() == {Kind.SILENCED: 1}
    await prometheus.end(alert)
    before = clock.now().replace(microsecond=0)
    assert await desk.outwait() == {Kind.GONE: 1}
    [(began, ended)] = desk.story()
    assert ended is not None
    assert (began, before <= ended <= clock.now()) == (alert.began, True)

    await unsilenced(http, alone, silence)
    again = down(project, began=clock.now() + APART)
    await prometheus.fire(again, alone)
    assert await desk.compare() == {Kind.APPEARED: 1}
    assert desk.story() == [(began, ended), (again.began, None)]
    assert len(desk.arrived) == 1


@pytest.mark.parametrize("skew", [timedelta(0), *WRONG])
@pytest.mark.long
async def test_e15_an_alert_of_a_project_that_nobody_knows_any_more_is_kept_until_it_is_gone(
    alone: Peer,
    open_desk: OpenDesk,
    prometheus: Prometheus,
    project: str,
    skew: timedelta,
) -> None:
    desk = await open_desk(alone, skew=skew, about="somebody else")
    alert = down(project)
    await prometheus.fire(alert, alone)
    assert await desk.compare() == {Kind.APPEARED: 1}
    await prometheus.end(alert)
    assert await desk.outwait() == {Kind.GONE: 1}
    [incident] = desk.rows("SELECT project, state FROM incidents")
    assert tuple(incident) == (project, "open")  # the next step looks, and closes it


def _one_at_a_time(config: Json) -> None:
    mesh.hook(config)["max_alerts"] = 1
    mesh.repairs(config)["group_wait"] = "1s"  # so that all are in the first message


async def test_e21_a_message_that_was_cut_short_is_completed_at_once(
    start_peer: StartPeer, open_desk: OpenDesk, prometheus: Prometheus, project: str
) -> None:
    peer = start_peer(_one_at_a_time)
    desk = await open_desk(peer)
    rounds = asyncio.create_task(_for_ever(desk.rounds.once))  # the next one is in 15 s
    for part in "abc":
        await prometheus.fire(down(project, part=part), peer)
    [told] = await desk.until_arrived(1)

    async def all_known() -> bool:
        return len(desk.story()) == 3

    await until(all_known, within=5, what="what was cut off")
    rounds.cancel()
    assert (len(told.alerts), told.truncated) == (1, 2)


async def _for_ever(once: Callable[[], Awaitable[None]]) -> None:
    while True:
        await once()
