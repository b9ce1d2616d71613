"""One question gives one answer, over which connection it may come, and when it is asked again."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from orchestrator import fetch
from orchestrator.answer import Answer, Reason
from orchestrator.project import Auth
from orchestrator.version import VERSION
from tests.conftest import FreePort
from tests.orchestrator.lines import (
    HEALTHY,
    Hang,
    Line,
    Reset,
    Step,
    ask,
    http,
    project,
    serving,
)

WITHIN = 1.0  # seconds; ample for an answer on loopback
OK = http(HEALTHY, "200 OK", "Content-Type: application/json; charset=utf-8")
WELL = Answer(reason=None, status=200, media_type="application/json", body=HEALTHY)
LOST = Answer(reason=Reason.CONNECTION)
LATE = Answer(reason=Reason.TIMEOUT)


@pytest.fixture
async def ways() -> AsyncIterator[aiohttp.ClientSession]:
    """Open both ways to ask."""
    async with fetch.connections() as opened:
        yield opened


KEPT: dict[str, tuple[list[list[Step]], list[Answer], list[int]]] = {
    "a connection is kept": ([[OK, OK, OK]], [WELL, WELL, WELL], [3]),
    "closed after each answer": ([[OK]], [WELL, WELL, WELL], [1, 1, 1]),
    "closed before the answer": ([[OK, b""], [OK]], [WELL, WELL], [2, 1]),
    "reset before the answer": ([[OK, Reset()], [OK]], [WELL, WELL], [2, 1]),
    "closed the second time, too": ([[OK, b""], [b""]], [WELL, LOST], [2, 1]),
    "closed in the first byte of the answer": ([[OK, b"H"], [OK]], [WELL, LOST], [2]),
    "closed in the head of the answer": ([[OK, OK[:40]], [OK]], [WELL, LOST], [2]),
    "closed in the body of the answer": (
        [[OK, OK[:-1]], [OK]],
        [WELL, LOST],
        [2],
    ),
    "not HTTP": ([[OK, b"SSH-2.0-OpenSSH_9.2\r\n"], [OK]], [WELL, LOST], [2]),
    "no answer": ([[OK, Hang()], [OK]], [WELL, LATE], [2]),
    "a new one closed before the answer": ([[b""], [OK]], [LOST], [1]),
    "a new one reset before the answer": ([[Reset()], [OK]], [LOST], [1]),
    "a new one without answer": ([[Hang()], [OK]], [LATE], [1]),
}


@pytest.mark.parametrize(("scripts", "answers", "asked"), KEPT.values(), ids=KEPT)
async def test_only_a_kept_connection_that_breaks_before_an_answer_is_asked_again(
    free_port: FreePort,
    ways: aiohttp.ClientSession,
    scripts: list[list[Step]],
    answers: list[Answer],
    asked: list[int],
) -> None:
    line = Line(scripts)
    async with serving(free_port(), line.answer) as url:
        found = [await ask(ways, project(url)) for _ in answers]
    assert (found, line.asked) == (answers, asked)


async def test_a_fresh_question_opens_a_connection_in_the_place_of_the_kept_one(
    free_port: FreePort, ways: aiohttp.ClientSession
) -> None:
    line = Line([[OK] * 9])
    async with serving(free_port(), line.answer) as url:
        how = (False, True, True, False)
        answers = [await ask(ways, project(url), fresh=fresh) for fresh in how]
    assert (answers, line.asked) == ([WELL] * 4, [1, 1, 2])


@pytest.mark.parametrize("step", [b"", Reset()], ids=["closed", "reset"])
async def test_a_fresh_question_is_asked_once(
    free_port: FreePort, ways: aiohttp.ClientSession, step: Step
) -> None:
    line = Line([[step]])
    async with serving(free_port(), line.answer) as url:
        assert (await ask(ways, project(url), fresh=True), line.asked) == (LOST, [1])


async def test_a_question_that_opened_a_connection_changes_nothing_for_the_next(
    free_port: FreePort, ways: aiohttp.ClientSession
) -> None:
    line = Line([[OK, b""], [OK], [OK, b""], [OK]])
    async with serving(free_port(), line.answer) as url:
        answers = [await ask(ways, project(url)) for _ in range(4)]
        again = Line([[OK, b""], [OK], [OK]])
    async with serving(free_port(), again.answer) as url:
        how = (False, True, False)
        answers += [await ask(ways, project(url), fresh=fresh) for fresh in how]
    assert (answers, line.asked, again.asked) == ([WELL] * 7, [2, 1, 2, 1], [1, 1, 1])


class Two(AbstractResolver):
    """Every name has two addresses of loopback."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give both, of which the second is never needed."""
        return [
            ResolveResult(hostname=host, host=each, port=port, family=family, proto=0, flags=0)
            for each in ("127.0.0.1", "127.0.0.2")
        ]

    async def close(self) -> None:
        """Hold nothing."""


async def test_a_host_with_two_addresses_is_asked_no_oftener(free_port: FreePort) -> None:
    port, line = free_port(), Line([[b""], [OK, b""], [b""]])
    async with serving(port, line.answer), fetch.connections(Two()) as ways:
        answers = [await ask(ways, project(f"http://two.example:{port}")) for _ in range(3)]
    assert (answers, line.asked) == ([LOST, WELL, LOST], [1, 2, 1])


@pytest.mark.parametrize("fresh", [False, True], ids=["kept", "fresh"])
@pytest.mark.parametrize("host", [pytest.param("127.0.0.1", marks=pytest.mark.long), "two.example"])
async def test_nothing_stays_behind_of_a_question(
    free_port: FreePort, host: str, *, fresh: bool
) -> None:
    asked = project(f"http://{host}:{free_port()}")
    held = []
    async with fetch.connections(Two()) as ways:
        for _ in range(3):
            answers = [await asyncio.create_task(ask(ways, asked, fresh=fresh)) for _ in range(3)]
            assert answers == [Answer(reason=Reason.REFUSED)] * 3
            held.append(_finished())
    assert held == held[:1] * 3


def _finished() -> int:
    """Count the tasks that are over, and still held by something."""
    gc.collect()
    return sum(isinstance(each, asyncio.Task) and each.done() for each in gc.get_objects())


async def test_asking_again_stays_within_the_time_of_the_question(
    free_port: FreePort, ways: aiohttp.ClientSession
) -> None:
    line = Line([[OK, Hang(0.8 * WITHIN)], [Hang()]])
    async with serving(free_port(), line.answer) as url:
        asked = fetch.question(project(url), "/health")
        await fetch.fetch(ways, asked)
        answer = await fetch.fetch(ways, asked)
    assert (answer.reason, line.asked) == (Reason.TIMEOUT, [2, 1])
    assert 0.9 * WITHIN < answer.seconds < 1.5 * WITHIN


def _headers(head: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)


@pytest.mark.parametrize(
    "auth",
    [
        Auth(header="Authorization", value="Bearer s3same"),
        Auth(header="X-Api-Key", value="s3same"),
        Auth(header="Cookie", value="session=s3same"),
    ],
    ids=lambda auth: auth.header,
)
async def test_a_question_says_who_asks_and_wants_nothing_packed(
    free_port: FreePort, ways: aiohttp.ClientSession, auth: Auth
) -> None:
    line = Line([[OK]])
    async with serving(free_port(), line.answer) as url:
        await ask(ways, project(f"{url}/base", auth=auth))
    [[head]] = line.heads
    assert (head.split("\r\n", maxsplit=1)[0], _headers(head)) == (
        "GET /base/health HTTP/1.1",
        {
            "Host": url.removeprefix("http://"),
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"orchestrator/{VERSION}",
            auth.header: auth.value,
        },
    )


def test_a_question_does_not_show_its_secret() -> None:
    auth = Auth(header="Authorization", value="Bearer s3same")
    asked = project("http://127.0.0.1:1", auth=auth)
    shown = repr(asked) + repr(fetch.question(asked, "/health"))
    assert "s3same" not in shown


async def test_a_cookie_is_not_sent_back(free_port: FreePort, ways: aiohttp.ClientSession) -> None:
    line = Line([[http(HEALTHY, "200 OK", "Set-Cookie: a=b"), OK]])
    async with serving(free_port(), line.answer) as url:
        named = url.replace("127.0.0.1", "localhost")  # an address would get none in any case
        for _ in range(2):
            await ask(ways, project(named))
    assert ["Cookie" in _headers(head) for head in line.heads[0]] == [False, False]


@pytest.mark.parametrize("fresh", [False, True])
async def test_a_redirect_is_not_followed(
    free_port: FreePort, ways: aiohttp.ClientSession, *, fresh: bool
) -> None:
    line = Line([[http(HEALTHY, "307 Temporary Redirect", "Location: /login"), OK]])
    async with serving(free_port(), line.answer) as url:
        answer = await ask(ways, project(url), fresh=fresh)
    assert (answer, line.asked) == (Answer(reason=Reason.REDIRECT, status=307), [1])


ENDLESS = {
    "the extension of a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;",
    "the size of a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "blanks in a header": b"HTTP/1.1 200 OK\r\nX:",
    "blank lines before the answer": b"",
}
FILLING = {"the size of a chunk": b"0", "blanks in a header": b" "}


@pytest.mark.parametrize("what", ENDLESS)
async def test_framing_without_end_is_cut_off_soon(
    free_port: FreePort, ways: aiohttp.ClientSession, what: str
) -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ENDLESS[what])
        more = FILLING.get(what, b"x" if ENDLESS[what] else b"\r\n") * 4096
        while True:
            writer.write(more)
            await writer.drain()
            sent += len(more)

    async with serving(free_port(), endless) as url:
        answer = await fetch.fetch(ways, fetch.question(project(url, within=20.0), "/health"))
    most = 32 * 1024 * 1024  # what the system holds between the two of them
    assert (answer.reason, answer.seconds < 10, sent < most) == (Reason.CONNECTION, True, True)
