"""Whatever a project answers, a probe of it is a value; and it is down only when asked twice."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from orchestrator import probe
from orchestrator.health import Probe, Reason, State
from orchestrator.project import Control, Project
from tests.conftest import FreePort, Serve
from tests.waiting import until

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
TIMEOUT = 0.5  # seconds; ample for an answer on loopback
GENEROUS = 5.0  # seconds, on a busy machine

HEALTHY = b'{"status": "healthy"}'


def _project(url: str) -> Project:
    return Project(
        name="a",
        url=url,
        control=Control(url="http://127.0.0.1:1"),
        timeout=timedelta(seconds=TIMEOUT),
    )


def _http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def _padded(length: int) -> bytes:
    body = json.dumps({"status": "healthy", "padding": ""}).encode()
    return body.replace(b'""', b'"' + b"x" * (length - len(body)) + b'"')


def _saying(said: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()

    return answer


async def _hanging(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()  # until the caller has gone


async def _trickling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    for byte in _http(HEALTHY):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b" " * 4096)
        await writer.drain()


async def _resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    at_once = struct.pack("ii", 1, 0)  # linger for 0 s: close sends RST
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)


@asynccontextmanager
async def _server(port: int, answer: Answer) -> AsyncIterator[str]:
    """Serve *answer* below HTTP, where a server can misbehave in every way."""
    calls: set[asyncio.Task[None]] = set()

    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        calls.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):  # the caller may go first
            await answer(reader, writer)
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()

    server = await asyncio.start_server(call, "127.0.0.1", port)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
        for task in calls:
            task.cancel()
        await asyncio.gather(*calls)


async def _asked(http: aiohttp.ClientSession, url: str) -> tuple[State, Reason | None]:
    made = await probe.ask(http, _project(url))
    assert 0 < made.seconds < GENEROUS
    return made.state, made.reason


ANSWERS = {
    "healthy": (_http(HEALTHY), State.HEALTHY, None),
    "degraded": (_http(b'{"status": "degraded"}'), State.DEGRADED, None),
    "paused": (_http(b'{"status": "paused"}'), State.PAUSED, None),
    "no length": (b"HTTP/1.0 200 OK\r\n\r\n" + HEALTHY, State.HEALTHY, None),
    "as long as we read": (_http(_padded(probe.BODY_LIMIT)), State.HEALTHY, None),
    "too long": (_http(_padded(probe.BODY_LIMIT + 1)), State.DOWN, Reason.BODY),
    "503": (_http(HEALTHY, "503 Service Unavailable"), State.DOWN, Reason.STATUS),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", State.DOWN, Reason.STATUS),
    "302": (_http(HEALTHY, "302 Found", "Location: /login"), State.DOWN, Reason.STATUS),
    "302 to nowhere": (_http(b"", "302 Found", "Location: //["), State.DOWN, Reason.STATUS),
    "404": (_http(b"", "404 Not Found"), State.DOWN, Reason.STATUS),
    "HTML": (_http(b"<html>Welcome to nginx!</html>"), State.DOWN, Reason.BODY),
    "broken JSON": (_http(b'{"status": "healthy"'), State.DOWN, Reason.BODY),
    "empty": (_http(b""), State.DOWN, Reason.BODY),
    "a list": (_http(b'["healthy"]'), State.DOWN, Reason.BODY),
    "a string": (_http(b'"healthy"'), State.DOWN, Reason.BODY),
    "null": (_http(b"null"), State.DOWN, Reason.BODY),
    "no status": (_http(b"{}"), State.DOWN, Reason.BODY),
    "a status of another type": (_http(b'{"status": ["healthy"]}'), State.DOWN, Reason.BODY),
    "an unknown word": (_http(b'{"status": "splendid"}'), State.DOWN, Reason.BODY),
    "the word in capitals": (_http(b'{"status": "HEALTHY"}'), State.DOWN, Reason.BODY),
    "down": (_http(b'{"status": "down"}'), State.DOWN, Reason.BODY),
    "not UTF-8": (_http(b'{"status": "\xff"}'), State.DOWN, Reason.BODY),
    "deep": (_http(b"[" * 100_000 + b"]" * 100_000), State.DOWN, Reason.BODY),
    "a long number": (_http(b'{"status": ' + b"9" * 50_000 + b"}"), State.DOWN, Reason.BODY),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", State.DOWN, Reason.CONNECTION),
    "bytes": (bytes(range(256)), State.DOWN, Reason.CONNECTION),
    "nothing": (b"", State.DOWN, Reason.CONNECTION),
    "half a body": (_http(HEALTHY)[:-1], State.DOWN, Reason.CONNECTION),
    "a long header": (
        _http(HEALTHY, "200 OK", "X: " + "x" * 100_000),
        State.DOWN,
        Reason.CONNECTION,
    ),
    "not gzip": (
        _http(HEALTHY, "200 OK", "Content-Encoding: gzip"),
        State.DOWN,
        Reason.CONNECTION,
    ),
}


@pytest.mark.parametrize(("said", "state", "reason"), ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_means_what_the_contract_says(
    free_port: FreePort,
    http: aiohttp.ClientSession,
    said: bytes,
    state: State,
    reason: Reason | None,
) -> None:
    async with _server(free_port(), _saying(said)) as url:
        assert await _asked(http, url) == (state, reason)


HOSTILE = {
    "hangs": (_hanging, Reason.TIMEOUT),
    "trickles": (_trickling, Reason.TIMEOUT),
    "never ends": (_endless, Reason.BODY),
    "resets": (_resetting, Reason.CONNECTION),
}


@pytest.mark.parametrize(("answer", "reason"), HOSTILE.values(), ids=HOSTILE)
async def test_a_project_that_misbehaves_is_down(
    free_port: FreePort, http: aiohttp.ClientSession, answer: Answer, reason: Reason
) -> None:
    async with _server(free_port(), answer) as url:
        assert await _asked(http, url) == (State.DOWN, reason)


async def test_a_project_that_is_not_there_refuses(
    free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert await _asked(http, url) == (State.DOWN, Reason.REFUSED)


async def test_an_address_beyond_http_is_no_connection(http: aiohttp.ClientSession) -> None:
    host = "a" * 64  # longer than a label of a name may be, so nobody is asked for it
    assert await _asked(http, f"http://{host}:1") == (State.DOWN, Reason.CONNECTION)


async def test_a_project_that_hangs_costs_its_timeout(
    free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    async with _server(free_port(), _hanging) as url:
        made = await probe.ask(http, _project(url))
    assert TIMEOUT * 0.9 < made.seconds < TIMEOUT + 2


async def test_a_redirect_is_not_followed(serve: Serve, http: aiohttp.ClientSession) -> None:
    asked: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPFound("/login")

    app = web.Application()
    app.router.add_get("/{path:.*}", redirect)
    await _asked(http, await serve(app))
    assert asked == ["/health"]


async def test_a_project_below_a_path_is_asked_there(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    app = web.Application()
    app.router.add_get("/base/health", _well)
    assert await _asked(http, f"{await serve(app)}/base") == (State.HEALTHY, None)


async def test_a_project_that_closes_after_each_answer_stays_up(
    free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    async with _server(free_port(), _saying(_http(HEALTHY))) as url:
        assert [await _asked(http, url) for _ in range(3)] == [(State.HEALTHY, None)] * 3


async def _well(_: web.Request) -> web.Response:
    return web.json_response({"status": "healthy"})


UP = Probe(state=State.HEALTHY, reason=None, seconds=0.1)
LOST = Probe(state=State.DOWN, reason=Reason.TIMEOUT, seconds=2.0)
DOWN = Probe(state=State.DOWN, reason=Reason.REFUSED, seconds=0.1)


@dataclass
class Line:
    """A project that gives the answers of a script; an Event among them holds one back."""

    script: list[tuple[Probe, asyncio.Event | None]]
    log: list[str] = field(default_factory=list)

    async def ask(self) -> Probe:
        """Answer as the script says, and note when that begins and ends."""
        call = sum(entry.startswith("ask") for entry in self.log)
        answer, held = self.script[call]
        self.log.append(f"ask {call + 1}")
        try:
            if held:
                await held.wait()
        except asyncio.CancelledError:
            self.log.append(f"dropped {call + 1}")
            raise
        self.log.append(f"answer {call + 1}")
        return answer


@pytest.mark.parametrize(
    ("answers", "probes", "log"),
    [
        ([UP], (UP,), ["ask 1", "answer 1"]),
        ([DOWN, UP], (DOWN, UP), ["ask 1", "answer 1", "ask 2", "answer 2"]),
        ([DOWN, LOST], (DOWN, LOST), ["ask 1", "answer 1", "ask 2", "answer 2"]),
    ],
)
async def test_only_a_failed_probe_is_made_again(
    answers: list[Probe], probes: tuple[Probe, ...], log: list[str]
) -> None:
    line = Line([(answer, None) for answer in answers])
    assert (await probe.confirmed(line.ask), line.log) == (probes, log)


async def test_the_confirmation_of_a_failure_waits_half_a_second() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await probe.confirmed(Line([(DOWN, None), (DOWN, None)]).ask)
    assert probe.CONFIRM_AFTER * 0.9 < loop.time() - began < GENEROUS


@pytest.mark.parametrize("answers", [(LOST, UP), (LOST, LOST), (UP, LOST)])
async def test_a_probe_that_hangs_gets_the_second_beside_it(answers: tuple[Probe, Probe]) -> None:
    held = asyncio.Event()
    line = Line([(answers[0], held), (answers[1], None)])
    both = asyncio.create_task(probe.confirmed(line.ask))

    async def second_answered() -> bool:
        return "answer 2" in line.log

    await until(second_answered, within=GENEROUS, what="the second beside the first")
    held.set()
    assert (await both, line.log) == (answers, ["ask 1", "ask 2", "answer 2", "answer 1"])


@pytest.mark.parametrize(
    ("script", "reached", "log"),
    [
        (["hold"], "ask 1", ["ask 1", "dropped 1"]),
        (["hold", "hold"], "ask 2", ["ask 1", "ask 2", "dropped 1", "dropped 2"]),
        (["fail"], "answer 1", ["ask 1", "answer 1"]),
        (["fail", "hold"], "ask 2", ["ask 1", "answer 1", "ask 2", "dropped 2"]),
    ],
    ids=["in the first", "in both", "between them", "in the second"],
)
async def test_cancellation_leaves_no_task_behind(
    script: list[str], reached: str, log: list[str]
) -> None:
    line = Line([(DOWN, asyncio.Event() if how == "hold" else None) for how in script])
    confirming = asyncio.create_task(probe.confirmed(line.ask))

    async def there() -> bool:
        return reached in line.log

    await until(there, within=GENEROUS, what=reached)
    confirming.cancel()
    await asyncio.wait({confirming})

    async def alone() -> bool:
        return asyncio.all_tasks() == {asyncio.current_task()}

    await until(alone, within=1, what="no task but this one")
    assert (confirming.cancelled(), sorted(line.log)) == (True, sorted(log))
