"""The stream over real sockets: nothing missed, nothing twice, and what is refused."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.conftest import Serve
from tests.waiting import until
from tests.webhook import make
from tests.webhook.problems import said
from tests.webhook.streaming import ids, tell
from webhook import app
from webhook import stream as seats
from webhook.api.desk import DESK
from webhook.store.database import Store

Json = dict[str, Any]


@pytest.fixture
def made(tmp_path: Path) -> web.Application:
    """Put together a webhook that has no project to touch."""
    return app.make(make.config(projects={}), Store(tmp_path / "x.db"), version="1")


@pytest.fixture
async def url(made: web.Application, serve: Serve) -> str:
    """Serve it."""
    return await serve(made)


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "LOOK_EVERY", 0.01)


async def _forget(made: web.Application, through: int) -> None:
    def forget(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM events WHERE id <= ?", (through,))

    await made[DESK].store(forget)


async def test_each_event_is_told_as_the_page_of_events_tells_it(
    http: aiohttp.ClientSession, url: str
) -> None:
    async with http.ws_connect(f"{url}/ws") as socket:
        async with http.post(f"{url}/alerts", data=make.body(make.alert())) as response:
            assert response.status == 200
        told = [await socket.receive_json(timeout=5) for _ in range(2)]
    async with http.get(f"{url}/api/v1/events") as response:
        assert told == (await response.json())["events"][:2]


async def test_without_a_cursor_it_begins_now(
    http: aiohttp.ClientSession, url: str, made: web.Application
) -> None:
    await tell(made, 3)
    async with http.ws_connect(f"{url}/ws") as socket:
        await tell(made, 1)
        assert await ids(socket, 1) == [4]


async def test_who_was_away_for_a_thousand_events_misses_none_and_gets_none_twice(
    http: aiohttp.ClientSession, url: str, made: web.Application
) -> None:
    """They are written on meanwhile, and the reader goes away once more in the middle."""
    await tell(made, 5)
    async with http.ws_connect(f"{url}/ws?after=0") as socket:
        seen = await ids(socket, 5)
    await tell(made, 1_000)
    writing = asyncio.gather(*(tell(made, 1) for _ in range(200)))
    for many in (450, 750):
        async with http.ws_connect(f"{url}/ws?after={seen[-1]}") as socket:
            seen += await ids(socket, many)
    await writing
    async with http.ws_connect(f"{url}/ws?after={seen[-1]}") as socket:
        await tell(made, 1)
        seen += await ids(socket, 1)
    assert seen == list(range(1, 1_207))


@pytest.mark.parametrize(
    ("forgotten", "after", "first"),
    [
        (3, 0, {"gap": {"first": 1, "last": 3}}),
        (3, 2, {"gap": {"first": 3, "last": 3}}),
        (5, 1, {"gap": {"first": 2, "last": 5}}),
    ],
)
async def test_what_was_let_go_of_is_named_first(
    http: aiohttp.ClientSession,
    url: str,
    made: web.Application,
    forgotten: int,
    after: int,
    first: Json,
) -> None:
    await tell(made, 5)
    await _forget(made, forgotten)
    async with http.ws_connect(f"{url}/ws?after={after}") as socket:
        found = await socket.receive_json(timeout=5)
        await tell(made, 1)
        rest = await ids(socket, 6 - forgotten)
    assert (found, rest) == (first, list(range(forgotten + 1, 7)))


OTHER = (
    "after=9: the newest event is 2, so yours are of another database; come without `after`,"
    " or with 0 to be told all"
)
NO_SOCKET = "this is a WebSocket; ask for it with Upgrade: websocket"


@pytest.mark.parametrize(
    ("query", "status", "why"),
    [
        ("after=9", 400, OTHER),
        ("after=-1", 400, "query.after: not a whole number"),
        ("after=1e3", 400, "query.after: not a whole number"),
        ("before=1", 400, "query.before: is not known here"),
        ("after=2", 426, NO_SOCKET),
        ("", 426, NO_SOCKET),
    ],
)
async def test_what_cannot_be_streamed_is_a_problem(
    http: aiohttp.ClientSession,
    url: str,
    made: web.Application,
    query: str,
    status: int,
    why: str,
) -> None:
    await tell(made, 2)
    async with http.get(f"{url}/ws?{query}") as response:
        assert (response.status, await said(response)) == (status, why)


async def test_a_reader_too_many_is_told_to_come_later(
    http: aiohttp.ClientSession, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats, "SEATS", 2)
    async with http.ws_connect(f"{url}/ws"), http.ws_connect(f"{url}/ws") as leaving:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{url}/ws")
        await leaving.close()

        async def let_in() -> bool:
            try:
                async with http.ws_connect(f"{url}/ws"):
                    return True
            except aiohttp.WSServerHandshakeError:
                return False

        await until(let_in, within=5, what="the seat of who has gone")
    assert refused.value.status == 503
