"""Whether the webhook is ready, and what becomes of notifications when it is told to end."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from orchestrator import clock
from tests.conftest import Serve
from tests.waiting import until
from tests.webhook import make
from tests.webhook.problems import said
from webhook import app
from webhook.api import system
from webhook.api.desk import DESK, Desk
from webhook.instruments import Instruments
from webhook.reception import Reception
from webhook.store.database import Store
from webhook.store.reader import Reader
from webhook.store.stream import newest
from webhook.stream import Stream

SENT = make.body(make.alert())


@pytest.fixture
def made(tmp_path: Path) -> web.Application:
    """Put together a webhook that has no project to touch."""
    return app.make(make.config(projects={}), Store(tmp_path / "x.db"), version="1")


@pytest.fixture
async def url(made: web.Application, serve: Serve) -> str:
    """Serve it."""
    return await serve(made)


async def _post(http: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    async with http.post(f"{url}/alerts", data=SENT) as response:
        return response.status, await said(response)


async def _send(url: str, body: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    head = f"POST /alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(SENT)}\r\n\r\n"
    writer.write(head.encode() + body)
    return reader, writer


@pytest.fixture
async def go_on(made: web.Application) -> AsyncIterator[threading.Event]:
    """Hold up the store until the event is set, or the test has ended."""
    event = threading.Event()
    held_up = asyncio.create_task(made[DESK].store(lambda _: event.wait(20)))
    yield event
    event.set()
    await held_up


@pytest.mark.parametrize(("in_time", "answer"), [(True, b"200"), (False, b"503")])
async def test_when_told_to_end_it_stores_what_it_has_and_takes_no_more(
    http: aiohttp.ClientSession,
    url: str,
    made: web.Application,
    go_on: threading.Event,
    in_time: bool,  # noqa: FBT001  a parameter of the test
    answer: bytes,
) -> None:
    reception = made[DESK].reception
    whole, half = [await _send(url, body) for body in (SENT, SENT[:-1])]

    async def held() -> bool:
        return reception.held == 2 * len(SENT) - 1

    await until(held, within=5, what="the bytes in memory")
    ending = asyncio.create_task(reception.close())
    refused = (await half[0].readline()).split()[1]
    late = await _post(http, url)
    async with http.get(f"{url}/-/ready") as response:
        ready = response.status, await said(response)
    if in_time:
        go_on.set()
    answered = (await whole[0].readline()).split()[1]
    await ending
    for _, writer in (whole, half):
        writer.close()
    assert (late, ready) == ((503, "shutting down; send it again"), (503, "shutting down"))
    assert (answered, refused, reception.held) == (answer, b"503", 0)


async def test_it_is_ready_while_every_stage_goes_round(
    http: aiohttp.ClientSession, url: str, made: web.Application
) -> None:
    async def ready() -> tuple[int, str]:
        async with http.get(f"{url}/-/ready") as response:
            return response.status, await said(response)

    async def going() -> bool:
        return (await ready())[0] == 200

    await until(going, within=5, what="the first round")
    made[DESK].instruments.heartbeat.labels("tired").set(clock.now().timestamp() - 61)
    assert await ready() == (503, "stalled: tired")


async def test_it_is_not_ready_before_any_stage_has_begun(
    http: aiohttp.ClientSession, serve: Serve, tmp_path: Path
) -> None:
    store = Store(tmp_path / "x.db")
    idle = web.Application()
    read = Reader(store.path)
    idle[DESK] = Desk(
        config=make.config,
        store=store,
        read=read,
        instruments=Instruments("1"),
        now=clock.now,
        news=lambda: None,
        truncated=lambda: None,
        watchdog=lambda: None,
        session=http,
        stream=Stream(partial(read, newest)),
    )
    idle.router.add_routes([each.route for each in system.table.operations])
    async with http.get(f"{await serve(idle)}/-/ready") as response:
        assert (response.status, await response.text()) == (503, "no stage runs yet\n")
    read.close()
    store.close()


async def test_nobody_to_wait_for_is_no_wait() -> None:
    reception = Reception()
    await asyncio.wait_for(reception.close(), 1)
    assert reception.closing


async def test_without_its_tables_everyone_is_told_to_come_again(
    http: aiohttp.ClientSession, url: str, made: web.Application
) -> None:
    store = made[DESK].store

    def hide(db: sqlite3.Connection) -> None:
        for table in ("incidents", "events", "notifications"):
            db.execute(f"ALTER TABLE {table} RENAME TO no_{table}")

    await store(hide)
    answers = [await _post(http, url)]
    for route in ("/api/v1/events", "/api/v1/incidents", "/metrics"):
        async with http.get(f"{url}{route}") as response:
            answers.append((response.status, await said(response)))
    assert answers == [(503, "the database cannot be used now; try again")] * 4
