"""E9, E16, E17, E53: one Alertmanager that knows less than the others ends nothing."""

from datetime import datetime, timedelta

import aiohttp
import pytest

from orchestrator import clock
from tests.cases.mesh import Peer
from tests.cases_reconcile.conftest import OpenDesk, Prometheus, StartPeer, down
from tests.conftest import FreePort
from tests.waiting import until
from webhook.alert import Status
from webhook.alertmanager import seen
from webhook.store.reconciliation import Kind

pytestmark = pytest.mark.e2e

NO_TIME = timedelta(0)


async def test_e16_an_alertmanager_that_was_restarted_empty_ends_nothing(
    start_peer: StartPeer,
    open_desk: OpenDesk,
    prometheus: Prometheus,
    project: str,
    http: aiohttp.ClientSession,
) -> None:
    peer = start_peer()
    desk = await open_desk(peer, older=NO_TIME)
    alert = down(project)
    await prometheus.fire(alert, peer)
    await desk.until_arrived(1)
    await prometheus.forget(alert)
    peer.kill()
    peer.start()
    await until(lambda: peer.ready(http), within=20, what="Alertmanager")
    empty = await seen(http, peer.url, "webhook")
    assert await desk.outwait() == {}
    await prometheus.fire(alert, peer)
    assert await desk.outwait() == {}
    assert (empty is not None and empty.alerts, desk.story()) == ((), [(alert.began, None)])


async def test_e17_an_alertmanager_that_does_not_answer_ends_nothing(
    alone: Peer,
    open_desk: OpenDesk,
    prometheus: Prometheus,
    project: str,
    free_port: FreePort,
) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    desk = await open_desk(alone, peers=[alone.url, away])
    alert = down(project)
    await prometheus.fire(alert, alone)
    assert await desk.compare() in ({Kind.APPEARED: 1}, {})  # the message may have been quicker
    await desk.until_arrived(1)
    desk.refusing = True
    await prometheus.end(alert)
    assert await desk.outwait() == {}
    assert desk.story() == [(alert.began, None)]


@pytest.mark.parametrize(
    "skew",
    [
        NO_TIME,
        pytest.param(timedelta(minutes=10), marks=pytest.mark.long),
        pytest.param(timedelta(minutes=-10), marks=pytest.mark.long),
    ],
)
async def test_e53_e9_e51_the_false_end_of_a_peer_that_is_cut_off_is_taken_back(
    cluster: tuple[Peer, Peer],
    open_desk: OpenDesk,
    prometheus: Prometheus,
    project: str,
    skew: timedelta,
) -> None:
    well, cut_off = cluster
    desk = await open_desk(*cluster, skew=skew)
    alert = down(project)
    await prometheus.fire(alert, well)
    false_end = clock.now() + timedelta(seconds=1.5)
    await prometheus.post(alert, cut_off, ends=false_end)
    await desk.until_arrived(1, status=Status.RESOLVED)
    [(began, ended)] = desk.story()
    assert (began, ended) == (alert.began, _cut(false_end))

    assert await desk.compare() == {Kind.REOPENED: 1}
    assert await desk.outwait() == {}
    assert desk.story() == [(alert.began, None)]
    [incident] = desk.rows("SELECT id FROM incidents")
    assert [row["incident"] for row in desk.rows("SELECT incident FROM episodes")] == [
        incident["id"]
    ]


@pytest.mark.long
async def test_e9_the_end_stands_while_a_peer_that_is_cut_off_still_shows_the_alert(
    cluster: tuple[Peer, Peer],
    open_desk: OpenDesk,
    prometheus: Prometheus,
    project: str,
) -> None:
    well, cut_off = cluster
    desk = await open_desk(*cluster)
    alert = down(project)
    await prometheus.fire(alert, well)
    await prometheus.post(alert, cut_off, ends=clock.now() + timedelta(minutes=4))
    await desk.until_arrived(1)
    ended = await prometheus.end(alert)
    await desk.until_arrived(1, status=Status.RESOLVED)
    assert await desk.outwait() == {}
    assert desk.story() == [(alert.began, ended)]
    await prometheus.post(alert, cut_off, ends=ended)


def _cut(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
