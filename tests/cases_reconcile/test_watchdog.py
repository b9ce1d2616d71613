"""E33: the Watchdog comes from a real Alertmanager, and people are told there when it does not."""

from time import monotonic

import aiohttp
import pytest

from orchestrator import clock
from tests.cases.mesh import Json, Peer
from tests.cases_reconcile.conftest import Alert, OpenDesk, Prometheus, StartPeer, down
from webhook.alert import WATCHDOG, Status
from webhook.store import paging
from webhook.watchdog import ANNOTATIONS, LABELS, Effects, Watchdog

pytestmark = pytest.mark.e2e


def _each_second(config: Json) -> None:
    for route in config["route"]["routes"]:
        if route.get("matchers") == ['alertname="Watchdog"']:
            route.update(group_interval="1s", repeat_interval="900ms")


async def _receivers(http: aiohttp.ClientSession, peer: Peer) -> dict[str, list[str]]:
    query = {"filter": 'source="orchestrator"'}
    async with http.get(f"{peer.url}/api/v2/alerts", params=query) as response:
        return {
            each["labels"]["alertname"]: [to["name"] for to in each["receivers"]]
            for each in await response.json()
        }


async def test_e33_people_are_told_when_the_watchdog_is_missing_and_when_it_is_back(
    start_peer: StartPeer,
    open_desk: OpenDesk,
    prometheus: Prometheus,
    project: str,
    http: aiohttp.ClientSession,
) -> None:
    peer = start_peer(_each_second)
    desk = await open_desk(peer)
    always = Alert({"alertname": "Watchdog", "severity": "none", "project": project},
                   down(project).began)  # fmt: skip
    dog = Watchdog(
        Effects(
            monotonic=lambda: monotonic() + desk.ahead,
            raise_alarm=lambda: desk.store(
                paging.raise_once,
                kind="watchdog",
                reason=ANNOTATIONS["summary"],
                labels=LABELS,
                annotations=ANNOTATIONS,
                at=clock.now(),
            ),
            settle=lambda: desk.store(paging.settle, kind="watchdog", at=clock.now()),
        )
    )
    await prometheus.fire(always, peer)
    for told in await desk.until_arrived(3):  # first and two repetitions
        assert told.alerts[0].name == WATCHDOG
        dog.seen()
        await dog.look()
    assert desk.rows("SELECT * FROM pages") == []

    await prometheus.end(always)
    desk.ahead = 181.0
    await dog.look()
    await dog.look()
    [page] = await desk.store(paging.due, at=clock.now())
    body = {"labels": dict(page.labels), "annotations": dict(page.annotations),
            "startsAt": clock.written(page.started_at)}  # fmt: skip
    await peer.post(http, [body])
    assert await _receivers(http, peer) == {"WatchdogMissing": ["people"]}

    desk.arrived.clear()
    await prometheus.fire(Alert(always.labels, clock.now()), peer)
    await desk.until_arrived(1, status=Status.FIRING)
    dog.seen()
    await dog.look()
    [row] = desk.rows("SELECT kind, ended_at IS NOT NULL AS over FROM pages")
    assert tuple(row) == ("watchdog", True)
