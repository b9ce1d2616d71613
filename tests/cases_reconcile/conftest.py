"""Real Alertmanagers, alone and in a cluster, with a desk that they send to."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from orchestrator import clock
from orchestrator.demo import binaries
from tests.cases import mesh
from tests.cases.mesh import Edit, Peer
from tests.cases_reconcile.desk import Desk
from tests.conftest import FreePort
from tests.waiting import until

RESEND = 0.3  # seconds between two posts of what fires; Prometheus takes a minute
APART = timedelta(milliseconds=5)  # two instants of one alert, so that they are not the same
GOOD_FOR = timedelta(minutes=4)  # how long Alertmanager believes a post

numbers = count(1)

Json = dict[str, Any]
StartPeer = Callable[..., Peer]
OpenDesk = Callable[..., Awaitable[Desk]]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that began at a whole millisecond, for the API cuts what is finer."""

    labels: Mapping[str, str]
    began: datetime


def down(project: str, *, began: datetime | None = None, **labels: str) -> Alert:
    """Return the alert ProjectDown of a project."""
    named = {"alertname": "ProjectDown", "project": project, "remediate": "true", **labels}
    return Alert(named, _cut(began or clock.now()))


def _cut(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


async def _passed(instant: datetime) -> bool:
    return clock.now() > instant


@dataclass(slots=True)
class Prometheus:
    """A stand-in that posts what fires, again and again, as a real one does."""

    http: aiohttp.ClientSession
    firing: list[tuple[Alert, Sequence[Peer]]] = field(default_factory=list)
    # The end of an alert must not be overtaken by a post under way: that would fire it again.
    posting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def fire(self, alert: Alert, *peers: Peer) -> None:
        """Post *alert* from now on."""
        async with self.posting:
            self.firing.append((alert, peers))
            await self.post(alert, *peers, ends=clock.now() + GOOD_FOR)

    async def end(self, alert: Alert) -> datetime:
        """Post the end of *alert*, and return when that is."""
        [(_, peers)] = [(each, peers) for each, peers in self.firing if each is alert]
        await self.forget(alert)
        await until(partial(_passed, alert.began + APART), within=1, what="a later instant")
        ended = _cut(clock.now())  # never later: Alertmanager ignores an end in the future
        await self.post(alert, *peers, ends=ended)
        return ended

    async def forget(self, alert: Alert) -> None:
        """Post *alert* no more, as when Prometheus dies."""
        async with self.posting:
            self.firing = [(each, peers) for each, peers in self.firing if each is not alert]

    async def post(self, alert: Alert, *peers: Peer, ends: datetime) -> None:
        """Post *alert* once."""
        body = {
            "labels": dict(alert.labels),
            "annotations": {"summary": "It is down."},
            "startsAt": clock.written(alert.began),
            "endsAt": clock.written(ends),
        }
        await asyncio.gather(*(peer.post(self.http, [body]) for peer in peers))

    async def go_on(self) -> None:
        """Post what fires, as long as it fires."""
        while True:
            await asyncio.sleep(RESEND)
            async with self.posting:
                for alert, peers in self.firing:
                    with suppress(aiohttp.ClientError):
                        await self.post(alert, *peers, ends=clock.now() + GOOD_FOR)


@pytest.fixture
async def prometheus(http: aiohttp.ClientSession) -> AsyncIterator[Prometheus]:
    """Post what the test says; everything ends with it."""
    stand_in = Prometheus(http)
    task = asyncio.create_task(stand_in.go_on())
    yield stand_in
    async with stand_in.posting:
        task.cancel()
    for alert, _ in list(stand_in.firing):
        with suppress(aiohttp.ClientError):
            await stand_in.end(alert)


@pytest.fixture
def project() -> str:
    """Name a project that no other test has."""
    return f"reconcile-{os.getpid()}-{next(numbers)}"


@pytest.fixture(scope="session")
def alertmanager() -> Path:
    """Name the real program, as `TOOLS` chooses it."""
    return binaries.find(os.environ, mesh.ROOT / ".tools").alertmanager  # noqa: TID251  as the demo does


@pytest.fixture(scope="session")
def door(free_port: FreePort) -> int:
    """Choose the port that every Alertmanager of this session sends to."""
    return free_port()


@pytest.fixture(scope="session")
def alone(
    alertmanager: Path,
    door: int,
    free_port: FreePort,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Peer]:
    """Run one Alertmanager for all the cases that do it no harm."""
    peer = _peer(alertmanager, tmp_path_factory.mktemp("alone"), free_port(), door)
    peer.start()
    yield peer
    peer.kill()


@pytest.fixture(scope="session")
def cluster(
    alertmanager: Path,
    door: int,
    free_port: FreePort,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Peer, Peer]]:
    """Run a cluster of two."""
    one, other = free_port(), free_port()
    folders = [tmp_path_factory.mktemp("cluster") for _ in range(2)]
    pair = (
        _peer(alertmanager, folders[0], free_port(), door, cluster=(one, other)),
        _peer(alertmanager, folders[1], free_port(), door, cluster=(other, one)),
    )
    for peer in pair:
        peer.start()
    yield pair
    for peer in pair:
        peer.kill()


def _peer(
    binary: Path, folder: Path, port: int, door: int, *edits: Edit, cluster: tuple[int, ...] = ()
) -> Peer:
    peer = Peer(binary, folder, port, cluster)
    text = mesh.routing(f"http://127.0.0.1:{door}/alerts", *edits)
    peer.config.write_text(text, encoding="utf-8")
    return peer


@pytest.fixture
def start_peer(
    alertmanager: Path, door: int, free_port: FreePort, tmp_path: Path
) -> Iterator[StartPeer]:
    """Start an Alertmanager of the test's own, with edits of the routing."""
    started: list[Peer] = []

    def start(*edits: Edit) -> Peer:
        peer = _peer(alertmanager, tmp_path, free_port(), door, *edits)
        peer.start()
        started.append(peer)
        return peer

    yield start
    for peer in started:
        peer.kill()


@pytest.fixture
async def open_desk(
    door: int, tmp_path: Path, http: aiohttp.ClientSession, project: str
) -> AsyncIterator[OpenDesk]:
    """Open a desk that some Alertmanagers send to; it closes with the test."""
    opened: list[Desk] = []

    async def begin(*peers: Peer, **changes: Any) -> Desk:  # noqa: ANN401  any field of it
        for peer in peers:
            await until(partial(peer.ready, http), within=20, what="Alertmanager")
        urls = changes.pop("peers", [peer.url for peer in peers])
        desk = Desk(tmp_path, door, http, urls, changes.pop("about", project), **changes)
        await desk.open()
        opened.append(desk)
        return desk

    yield begin
    for desk in opened:
        await desk.close()


async def silenced(http: aiohttp.ClientSession, peer: Peer, project: str) -> str:
    """Silence everything of *project* for an hour; return the silence's id."""
    now = clock.now()
    body = {
        "matchers": [{"name": "project", "value": project, "isRegex": False, "isEqual": True}],
        "startsAt": clock.written(now),
        "endsAt": clock.written(now + timedelta(hours=1)),
        "createdBy": "alice",
        "comment": "planned work",
    }
    async with http.post(f"{peer.url}/api/v2/silences", json=body) as response:
        identity: str = (await response.json())["silenceID"]
        return identity


async def unsilenced(http: aiohttp.ClientSession, peer: Peer, identity: str) -> int:
    """Take a silence back; return the status of the answer."""
    async with http.delete(f"{peer.url}/api/v2/silence/{identity}") as response:
        return response.status


def text_of(ends: datetime, starts: datetime) -> str:
    """Return what is told of the silence that `silenced` makes."""
    style = "%H:%M" if ends.date() == starts.date() else "%Y-%m-%d %H:%M"
    return f"silenced until {ends.astimezone(UTC):{style}} UTC by alice: planned work"
