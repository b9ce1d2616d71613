"""Posting to peers over real sockets: what counts as taken, and a peer that hangs."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.conftest import FreePort, Serve
from tests.waiting import until
from tests.webhook.make import NOW
from tests.webhook.telling import ASKED, Telling
from webhook.escalate import alert, post
from webhook.store.database import connect


@dataclass(slots=True)
class Peer:
    """An Alertmanager over a real socket, as good or as bad as it is told to be."""

    url: str = ""
    bodies: list[Any] = field(default_factory=list)
    hangs: asyncio.Event | None = None
    refuses: str = ""  # the page that it calls bad
    status: int = 200

    async def take(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.hangs:
            await self.hangs.wait()
        self.bodies.append([each["labels"]["escalation"] for each in body])
        if self.refuses in self.bodies[-1]:
            return web.Response(status=400)
        return web.Response(status=self.status, headers={"Location": "/login"})


async def _peer(serve: Serve, **changes: Any) -> Peer:  # noqa: ANN401  any field of it
    peer = Peer(**changes)

    async def login(_: web.Request) -> web.Response:
        return web.Response(text="who are you?")

    app = web.Application()
    app.router.add_post("/api/v2/alerts", peer.take)
    app.router.add_get("/login", login)
    peer.url = await serve(app)
    return peer


BODIES = [alert(replace(ASKED, id=each), now=NOW) for each in (1, 2, 3)]


async def test_all_pages_go_to_a_peer_in_one_request(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    peer = await _peer(serve)
    assert await post(http, peer.url, BODIES) == [True] * 3
    assert peer.bodies == [["1", "2", "3"]]


async def test_one_page_that_is_called_bad_keeps_no_other_from_being_taken(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    peer = await _peer(serve, refuses="2")
    assert await post(http, peer.url, BODIES) == [True, False, True]
    assert peer.bodies == [["1", "2", "3"], ["1"], ["2"], ["3"]]


@pytest.mark.parametrize("status", [302, 307, 404, 500, 503])
async def test_nothing_but_a_plain_yes_counts_as_taken(
    serve: Serve, http: aiohttp.ClientSession, status: int
) -> None:
    peer = await _peer(serve, status=status)
    assert await post(http, peer.url, BODIES) == [False] * 3


async def test_a_peer_that_is_not_there_takes_nothing(
    free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    assert await post(http, f"http://127.0.0.1:{free_port()}", BODIES) == [False] * 3


@pytest.fixture
async def hanging(serve: Serve) -> AsyncIterator[Peer]:
    """Serve a peer that takes every request and answers none until the test ends."""
    peer = await _peer(serve, hangs=asyncio.Event())
    yield peer
    assert peer.hangs
    peer.hangs.set()


async def test_a_peer_that_hangs_holds_up_neither_the_others_nor_later_pages(
    serve: Serve, http: aiohttp.ClientSession, hanging: Peer
) -> None:
    good = await _peer(serve)
    telling = Telling(db=connect(":memory:"), http=http)
    board = telling.board(hanging.url, good.url)
    for each in range(3):
        telling.ask(each)

        async def told(count: int = each + 1) -> bool:
            await board.once()
            return len(good.bodies) == count

        await until(told, within=2, what="the page at the good peer")  # a call may hang for 5 s
    assert (good.bodies, hanging.bodies) == ([["1"], ["2"], ["3"]], [])
    await telling.close(board)
