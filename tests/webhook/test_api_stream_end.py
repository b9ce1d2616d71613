"""How a stream ends, and that nobody waits for a reader who does not read."""

import asyncio
import sqlite3
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from tests.conftest import Serve
from tests.waiting import until
from tests.webhook import make
from tests.webhook.streaming import LONG, deaf, ids, nothing_is_kept, seated, tell
from webhook import app, door, token
from webhook import stream as seats
from webhook.api import stream
from webhook.api.desk import DESK
from webhook.store import history as pages
from webhook.store.database import Store
from webhook.token import Caller, Role


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


AT_ONCE = 500  # events that are written before the quick one reads
GROWTH = 4 * 1024 * 1024  # bytes; the events themselves are five times as many, or twenty


@pytest.mark.parametrize("many", [5_000, pytest.param(20_000, marks=pytest.mark.long)])
async def test_who_does_not_read_keeps_nobody_waiting_and_holds_no_memory(
    http: aiohttp.ClientSession, url: str, made: web.Application, many: int
) -> None:
    last = AT_ONCE
    async with deaf(url), deaf(url), http.ws_connect(f"{url}/ws") as quick:
        await until(seated(made, 3), within=5, what="three readers")
        await tell(made, AT_ONCE, LONG)  # what is bought once, like the cache of the database
        await ids(quick, AT_ONCE)
        tracemalloc.start()
        for _ in range(0, many, AT_ONCE):
            await tell(made, AT_ONCE, LONG)
            assert await ids(quick, AT_ONCE) == list(range(last + 1, last + AT_ONCE + 1))
            last += AT_ONCE
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(made[DESK].stream._seats) == 3
    assert held < GROWTH


async def test_who_does_not_read_for_long_is_parted_with(
    url: str, made: web.Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "SENT_WITHIN", 0.2)
    monkeypatch.setattr(stream, "PARTED_WITHIN", 0.1)
    async with deaf(url):
        await until(seated(made, 1), within=5, what="a reader")
        await tell(made, 2_000, LONG)  # more than the buffers of two sockets
        await until(seated(made, 0), within=10, what="its end")
        await until(nothing_is_kept, within=5, what="the end of what is kept for it")


async def test_who_does_not_answer_a_ping_is_parted_with(
    url: str, made: web.Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PING_EVERY", 0.5)
    async with deaf(url):
        await until(seated(made, 1), within=5, what="a reader")
        await tell(made, 2_000, LONG)
        await until(seated(made, 0), within=10, what="its end")
        await until(nothing_is_kept, within=5, what="the end of what is kept for it")


async def test_what_a_reader_says_is_not_listened_to(
    http: aiohttp.ClientSession, url: str, made: web.Application
) -> None:
    async with http.ws_connect(f"{url}/ws") as socket:
        await socket.send_str("x")
        await socket.ping()
        await tell(made, 1)
        assert await ids(socket, 1) == [1]


async def test_who_says_much_is_parted_with(http: aiohttp.ClientSession, url: str) -> None:
    async with http.ws_connect(f"{url}/ws") as socket:
        await socket.send_str("x" * 2_000)
        message = await socket.receive(timeout=5)
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1009)


async def test_who_has_lost_the_token_is_told_nothing_more(
    http: aiohttp.ClientSession, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "ADMITTED_FOR", 0.1)
    tokens = tmp_path / "tokens"
    ann, bob = Caller(name="ann", role=Role.VIEWER), Caller(name="bob", role=Role.VIEWER)
    tokens.write_text(f"{token.line(ann, 'of ann')}\n{token.line(bob, 'of bob')}\n")
    admitting = door.admitting(door.Roll(tokens))
    made = app.make(
        make.config(projects={}), Store(tmp_path / "x.db"), version="1", admitting=admitting
    )
    url = await serve(made)
    hers, his = ({"Authorization": f"Bearer of {name}"} for name in ("ann", "bob"))
    async with (
        http.ws_connect(f"{url}/ws", headers=hers) as stays,
        http.ws_connect(f"{url}/ws", headers=his) as goes,
    ):
        tokens.write_text(f"{token.line(ann, 'of ann')}\n")
        message = await goes.receive(timeout=5)
        await tell(made, 1)
        assert await ids(stays, 1) == [1]
    told = (message.type, message.data, message.extra)
    assert told == (WSMsgType.CLOSE, 1008, "your token does not count any more")


async def test_a_database_that_cannot_be_read_sends_the_reader_away_to_come_again(
    http: aiohttp.ClientSession, url: str, made: web.Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async with http.ws_connect(f"{url}/ws") as socket:
        monkeypatch.setattr(pages, "events", broken)
        await tell(made, 1)
        message = await socket.receive(timeout=5)
    told = (message.type, message.data, message.extra)
    assert told == (WSMsgType.CLOSE, 1013, "the database cannot be read; come again")


async def test_at_shutdown_readers_are_told_to_come_again_and_the_deaf_do_not_hold_it_up(
    made: web.Application, free_port: Callable[[], int], http: aiohttp.ClientSession
) -> None:
    runner = web.AppRunner(made, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    url = f"http://127.0.0.1:{port}"
    async with deaf(url), http.ws_connect(f"{url}/ws") as reader:
        await until(seated(made, 2), within=5, what="two readers")
        await tell(made, 2_000, LONG)
        seen = await ids(reader, 2_000)
        async with asyncio.timeout(5):
            ending = asyncio.create_task(runner.cleanup())
            message = await reader.receive()
            await ending
    told = (seen[-1], message.type, message.data, message.extra)
    assert told == (2_000, WSMsgType.CLOSE, 1001, "shutting down; come again")
