"""The rig of the cases: real Alertmanagers and a real webhook, with a doorway between them."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest

from orchestrator.demo import binaries
from orchestrator.health import State
from tests.cases import mesh, witness
from tests.cases.doorway import Doorway
from tests.cases.fleet import Fleet
from tests.cases.hook import Setting, Webhook
from tests.cases.mesh import Edit, Peer
from tests.cases.rig import Case, numbers
from tests.conftest import FreePort, Serve
from tests.waiting import until

Json = dict[str, Any]

PROJECTS = 3  # that every case has, all of them healthy at first


class Begin(Protocol):
    """Begin a case on some Alertmanagers; it ends with the test."""

    def __call__(
        self,
        peers: Sequence[Peer],
        *options: str,
        guards: Json | None = None,
        projects: int = PROJECTS,
    ) -> Awaitable[Case]: ...


StartPeer = Callable[..., Peer]


@pytest.fixture(scope="session")
def tools() -> binaries.Binaries:
    """Name the real programs, as `TOOLS` chooses them."""
    return binaries.find(os.environ, mesh.ROOT / ".tools")  # noqa: TID251  as the demo does


@pytest.fixture(scope="session")
def door(free_port: FreePort) -> int:
    """Choose the port where Alertmanager finds the webhook, for every case of this session."""
    return free_port()


@pytest.fixture(scope="session")
def single(
    tools: binaries.Binaries,
    door: int,
    free_port: FreePort,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Peer]:
    """Run one Alertmanager for all the cases that do it no harm."""
    peer = Peer(tools.alertmanager, tmp_path_factory.mktemp("single"), free_port())
    peer.config.write_text(mesh.routing(_url(door)), encoding="utf-8")
    peer.start()
    yield peer
    peer.kill()


@pytest.fixture(scope="session")
def pair(
    tools: binaries.Binaries,
    door: int,
    free_port: FreePort,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Peer, Peer]]:
    """Run a cluster of two for all the cases that need one."""
    one, other = free_port(), free_port()
    folders = [tmp_path_factory.mktemp("peer") for _ in range(2)]
    a = Peer(tools.alertmanager, folders[0], free_port(), (one, other))
    b = Peer(tools.alertmanager, folders[1], free_port(), (other, one))
    for peer in (a, b):
        peer.config.write_text(mesh.routing(_url(door)), encoding="utf-8")
        peer.start()
    yield a, b
    for peer in (a, b):
        peer.kill()


@pytest.fixture
def start_peer(
    tools: binaries.Binaries, door: int, free_port: FreePort, tmp_path: Path
) -> Iterator[StartPeer]:
    """Start an Alertmanager of the test's own, with edits of the routing."""
    started: list[Peer] = []

    def start(*edits: Edit) -> Peer:
        peer = Peer(tools.alertmanager, tmp_path, free_port())
        peer.config.write_text(mesh.routing(_url(door), *edits), encoding="utf-8")
        peer.start()
        started.append(peer)
        return peer

    yield start
    for peer in started:
        peer.kill()


@pytest.fixture
async def begin(
    door: int, tmp_path: Path, free_port: FreePort, serve: Serve, http: aiohttp.ClientSession
) -> AsyncIterator[Begin]:
    """Put a case together: its fleet, its webhook and the doorway before it."""
    begun: list[tuple[Case, asyncio.Task[None]]] = []

    async def start(
        peers: Sequence[Peer],
        *options: str,
        guards: Json | None = None,
        projects: int = PROJECTS,
    ) -> Case:
        fleet, webhook = Fleet(), Webhook(tmp_path, free_port(), http)
        for _ in range(projects):
            fleet.add(f"case-{os.getpid()}-{next(numbers)}")
        doorway = Doorway(door, f"{webhook.url}/alerts", lambda told: _is_about(fleet, told))
        case = Case(tuple(peers), doorway, fleet, webhook, http)
        posting = asyncio.create_task(case.go_on_posting())
        begun.append((case, posting))
        setting = Setting(
            projects=fleet.projects,
            fleet=await serve(fleet.app()),
            prometheus=await serve(witness.app(fleet, case.posted)),
            alertmanagers=[peer.url for peer in peers],
            guards=guards or {},
        )
        for peer in peers:
            await until(partial(peer.ready, http), within=30, what="Alertmanager")
        await asyncio.gather(webhook.start(setting, *options), doorway.open())
        return case

    yield start
    for case, posting in begun:
        posting.cancel()
        with suppress(aiohttp.ClientError):  # a peer may be gone
            await case.end(*(alert for alert, _ in case.firing))
        await case.webhook.kill()
        await case.doorway.shut()


@pytest.fixture
async def case(begin: Begin, single: Peer) -> Case:
    """Begin a case on one Alertmanager, with its first project down."""
    begun = await begin([single])
    begun.first.state = State.DOWN
    return begun


@pytest.fixture
async def twins(begin: Begin, pair: tuple[Peer, Peer]) -> Case:
    """Begin a case on a cluster of two, with its first project down."""
    begun = await begin(pair)
    begun.first.state = State.DOWN
    return begun


def _url(door: int) -> str:
    return f"http://127.0.0.1:{door}/alerts"


def _is_about(fleet: Fleet, told: Json) -> bool:
    return any(alert["labels"].get("project") in fleet.projects for alert in told["alerts"])
