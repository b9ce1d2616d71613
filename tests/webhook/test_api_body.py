"""Bodies that are too large, packed, garbled, slow or too many at once."""

import asyncio
import gzip
import io
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.conftest import Serve
from tests.waiting import until
from tests.webhook import make
from tests.webhook.problems import said
from webhook import app, reception
from webhook.api import receiver
from webhook.api.desk import DESK
from webhook.instruments import REFUSED
from webhook.reception import BODY_LIMIT
from webhook.store.database import Store

SENT = make.body(make.alert())


@pytest.fixture
def made(tmp_path: Path) -> web.Application:
    """Put together a webhook that has no project to touch."""
    return app.make(make.config(projects={}), Store(tmp_path / "x.db"), version="1")


@pytest.fixture
async def url(made: web.Application, serve: Serve) -> str:
    """Serve it."""
    return await serve(made)


def _refused(made: web.Application) -> dict[str, float]:
    """Count what was refused, by reason; each reason that there is was there before, at 0."""
    [family] = made[DESK].instruments.invalid.collect()
    told = {
        each.labels["reason"]: each.value for each in family.samples if each.name.endswith("_total")
    }
    assert told.keys() == set(REFUSED)
    return {reason: many for reason, many in told.items() if many}


async def _post(
    http: aiohttp.ClientSession, url: str, body: bytes, coding: str = ""
) -> tuple[int, str]:
    headers = {"Content-Encoding": coding} if coding else {}
    async with http.post(f"{url}/alerts", data=io.BytesIO(body), headers=headers) as response:
        return response.status, await said(response)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(SENT)),
        ("GZIP", gzip.compress(SENT)),
        ("deflate", zlib.compress(SENT)),
        ("identity", SENT),
    ],
)
async def test_a_packed_notification_is_taken(
    http: aiohttp.ClientSession, url: str, coding: str, body: bytes
) -> None:
    assert await _post(http, url, body, coding) == (200, "")


GARBLED = "the body is not encoded as its headers say"
CUT = "body: Invalid JSON: EOF while parsing a string at line 1 column 327"
UNKNOWN = "Content-Encoding is neither gzip nor deflate"


@pytest.mark.parametrize(
    ("coding", "body", "said", "reason"),
    [
        ("gzip", SENT, GARBLED, "encoding"),
        ("gzip", b"\x1f\x8b\x08\0" + bytes(40), GARBLED, "encoding"),
        ("gzip", gzip.compress(SENT)[:-20], CUT, "json"),
        ("deflate", SENT, GARBLED, "encoding"),
        ("compress", SENT, UNKNOWN, "encoding"),
        ("x-gzip", gzip.compress(SENT), UNKNOWN, "encoding"),
        ("gzip, gzip", gzip.compress(gzip.compress(SENT)), UNKNOWN, "encoding"),
    ],
)
async def test_a_body_that_cannot_be_unpacked_is_refused_for_good(
    http: aiohttp.ClientSession,
    url: str,
    made: web.Application,
    coding: str,
    body: bytes,
    said: str,
    reason: str,
) -> None:
    answers = [await _post(http, url, body, coding) for _ in range(2)]
    assert (answers, _refused(made)) == ([(400, said)] * 2, {reason: 2})


@pytest.mark.parametrize("coding", ["br", "zstd"])
async def test_a_packing_that_python_lacks_is_refused_too(
    http: aiohttp.ClientSession, url: str, coding: str
) -> None:
    headers = {"Content-Encoding": coding}
    async with http.post(f"{url}/alerts", data=SENT, headers=headers) as response:
        assert response.status == 400  # by aiohttp itself, before any of us is asked


async def _in_pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(size >> 20):
        yield bytes(1 << 20)
    yield b"0"


async def test_64_mib_are_taken_and_a_byte_more_is_not(
    http: aiohttp.ClientSession, url: str, made: web.Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BODY_LIMIT == 64 << 20
    monkeypatch.setattr(receiver, "BODY_LIMIT", 4 << 20)
    full = SENT + b" " * ((4 << 20) - len(SENT))
    answers = [await _post(http, url, body) for body in (full, full + b" ")]
    async with http.post(f"{url}/alerts", data=_in_pieces(4 << 20)) as response:
        answers.append((response.status, await said(response)))
    large = "larger than 4194304 bytes, unpacked"
    assert answers == [(200, ""), (413, large), (413, large)]
    assert _refused(made) == {"too_large": 2}


async def test_a_bomb_counts_unpacked_and_holds_nobody_up(
    http: aiohttp.ClientSession, url: str, made: web.Application
) -> None:
    bomb = gzip.compress(bytes(16 << 20)) * 8
    waits: list[float] = []

    async def others() -> None:
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            async with http.get(f"{url}/-/healthy"):
                waits.append(loop.time() - begun)

    calling = asyncio.create_task(others())
    answer = await _post(http, url, bomb, "gzip")
    calling.cancel()
    assert (answer[0], _refused(made), len(waits) > 3) == (413, {"too_large": 1}, True)
    assert made[DESK].reception.held == 0


@pytest.mark.parametrize("route", ["POST /none", "GET /-/healthy", "GET /none"])
async def test_a_packed_body_that_nobody_wants_is_not_unpacked(url: str, route: str) -> None:
    bomb = gzip.compress(bytes(64 << 20)) * 20
    head = f"{route} HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\n"
    reader, writer = await _send(url, f"{head}Content-Length: {len(bomb)}\r\n\r\n".encode() + bomb)
    answer = await reader.readline()
    try:
        async with asyncio.timeout(5):  # else it reads on for 10 s
            await reader.read()
    except ConnectionError:
        pass
    finally:
        writer.close()
    assert answer.split()[1] == (b"200" if "healthy" in route else b"403")


async def _send(url: str, raw: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(raw)
    return reader, writer


async def _until_held(made: web.Application, size: int) -> None:
    async def held() -> bool:
        return made[DESK].reception.held == size

    await until(held, within=5, what=f"{size} bytes in memory")


def _head(length: int) -> bytes:
    return f"POST /alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode()


async def test_when_all_bodies_together_are_too_much_the_next_comes_again(
    http: aiohttp.ClientSession, url: str, made: web.Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "BODIES_LIMIT", 1000)
    taking = made[DESK].reception
    body = SENT + b" " * (900 - len(SENT))
    reader, writer = await _send(url, _head(900) + body[:-1])

    await _until_held(made, 899)
    refused = await _post(http, url, SENT)
    writer.write(body[-1:])
    first = (await reader.readline()).split()[1]
    after = await _post(http, url, SENT)
    writer.close()
    full = "too much is being received at once; send it again"
    assert (refused, first, after, taking.held) == ((503, full), b"200", (200, ""), 0)


async def test_who_sends_too_slowly_is_told_to_come_again(
    url: str, made: web.Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "ANSWER_WITHIN", 0.2)
    reader, writer = await _send(url, _head(len(SENT)) + SENT[:-1])
    answer = (await reader.readline()).split()[1]
    writer.close()
    assert (answer, made[DESK].reception.held) == (b"503", 0)


async def test_who_goes_away_while_sending_leaves_nothing_behind(
    url: str, made: web.Application
) -> None:
    _, writer = await _send(url, _head(len(SENT)) + SENT[:-1])

    await _until_held(made, len(SENT) - 1)
    writer.close()
    await _until_held(made, 0)
    assert _refused(made) == {"cut_short": 1}


@pytest.mark.parametrize("chunks", [b"zz\r\n", b"5\r\nabcdefgh\r\n", b"-1\r\n"])
async def test_a_body_in_garbled_chunks_is_refused(url: str, chunks: bytes) -> None:
    head = b"POST /alerts HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    reader, writer = await _send(url, head + chunks)
    answer = (await reader.readline()).split()[1]
    writer.close()
    assert answer == b"400"
