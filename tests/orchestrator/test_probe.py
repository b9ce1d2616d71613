"""Whatever a project answers, a probe of it is a value; and it is down only when asked twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from orchestrator import fetch, probe
from orchestrator.answer import Reason
from orchestrator.health import Probe, State
from orchestrator.project import Control, Paths, Project
from tests.conftest import FreePort, Serve
from tests.orchestrator.lines import END, HEALTHY, Call, hanging, http, resetting, saying, serving
from tests.waiting import until

TIMEOUT = 0.5  # seconds; ample for an answer on loopback
GENEROUS = 5.0  # seconds, on a busy machine


def _project(url: str) -> Project:
    return Project(
        name="a",
        url=url,
        control=Control(url="http://127.0.0.1:1"),
        timeout=timedelta(seconds=TIMEOUT),
    )


@pytest.fixture
async def ways() -> AsyncIterator[aiohttp.ClientSession]:
    """Open both ways to ask."""
    async with fetch.connections() as opened:
        yield opened


def _padded(length: int) -> bytes:
    body = json.dumps({"status": "healthy", "padding": ""}).encode()
    return body.replace(b'""', b'"' + b"x" * (length - len(body)) + b'"')


async def _trickling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(END)
    for byte in http(HEALTHY):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(END)
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b" " * 4096)
        await writer.drain()


async def _asked(ways: aiohttp.ClientSession, url: str) -> tuple[State, Reason | None]:
    made = await probe.ask(ways, _project(url))
    assert 0 < made.seconds < GENEROUS
    return made.state, made.reason


ANSWERS = {
    "healthy": (http(HEALTHY), State.HEALTHY, None),
    "degraded": (http(b'{"status": "degraded"}'), State.DEGRADED, None),
    "paused": (http(b'{"status": "paused"}'), State.PAUSED, None),
    "no length": (b"HTTP/1.0 200 OK\r\n\r\n" + HEALTHY, State.HEALTHY, None),
    "as long as we read": (http(_padded(fetch.BODY_LIMIT)), State.HEALTHY, None),
    "too long": (http(_padded(fetch.BODY_LIMIT + 1)), State.DOWN, Reason.TOO_LARGE),
    "503": (http(HEALTHY, "503 Service Unavailable"), State.DOWN, Reason.STATUS),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", State.DOWN, Reason.STATUS),
    "302": (http(HEALTHY, "302 Found", "Location: /login"), State.DOWN, Reason.REDIRECT),
    "302 to nowhere": (http(b"", "302 Found", "Location: //["), State.DOWN, Reason.REDIRECT),
    "404": (http(b"", "404 Not Found"), State.DOWN, Reason.STATUS),
    "HTML": (http(b"<html>Welcome to nginx!</html>"), State.DOWN, Reason.BODY),
    "broken JSON": (http(b'{"status": "healthy"'), State.DOWN, Reason.BODY),
    "empty": (http(b""), State.DOWN, Reason.BODY),
    "no status": (http(b"{}"), State.DOWN, Reason.BODY),
    "an unknown word": (http(b'{"status": "splendid"}'), State.DOWN, Reason.BODY),
    "down": (http(b'{"status": "down"}'), State.DOWN, Reason.BODY),
    "not UTF-8": (http(b'{"status": "\xff"}'), State.DOWN, Reason.BODY),
    "deep": (http(b"[" * 30_000 + b"]" * 30_000), State.DOWN, Reason.BODY),
    "a long number": (http(b'{"status": ' + b"9" * 50_000 + b"}"), State.DOWN, Reason.BODY),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", State.DOWN, Reason.CONNECTION),
    "bytes": (bytes(range(256)), State.DOWN, Reason.CONNECTION),
    "nothing": (b"", State.DOWN, Reason.CONNECTION),
    "half a body": (http(HEALTHY)[:-1], State.DOWN, Reason.CONNECTION),
    "a long header": (
        http(HEALTHY, "200 OK", "X: " + "x" * 100_000),
        State.DOWN,
        Reason.CONNECTION,
    ),
    "packed": (http(HEALTHY, "200 OK", "Content-Encoding: gzip"), State.DOWN, Reason.BODY),
    "packed as it is": (http(HEALTHY, "200 OK", "Content-Encoding: identity"), State.HEALTHY, None),
    "labelled": (http(HEALTHY, "200 OK", "Content-Type: application/json"), State.HEALTHY, None),
    "labelled as text": (
        http(HEALTHY, "200 OK", "Content-Type: text/plain; charset=utf-8"),
        State.HEALTHY,
        Reason.CONTENT_TYPE,
    ),
}


@pytest.mark.parametrize(("said", "state", "reason"), ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_means_what_the_contract_says(
    free_port: FreePort,
    ways: aiohttp.ClientSession,
    said: bytes,
    state: State,
    reason: Reason | None,
) -> None:
    async with serving(free_port(), saying(said)) as url:
        assert await _asked(ways, url) == (state, reason)


HOSTILE = {
    "hangs": (hanging, Reason.TIMEOUT),
    "trickles": (_trickling, Reason.TIMEOUT),
    "never ends": (_endless, Reason.TOO_LARGE),
    "resets": (resetting, Reason.CONNECTION),
}


@pytest.mark.parametrize(("answer", "reason"), HOSTILE.values(), ids=HOSTILE)
async def test_a_project_that_misbehaves_is_down(
    free_port: FreePort, ways: aiohttp.ClientSession, answer: Call, reason: Reason
) -> None:
    async with serving(free_port(), answer) as url:
        assert await _asked(ways, url) == (State.DOWN, reason)


async def test_a_project_that_is_not_there_refuses(
    free_port: FreePort, ways: aiohttp.ClientSession
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert await _asked(ways, url) == (State.DOWN, Reason.REFUSED)


async def test_a_name_that_nobody_can_have_does_not_resolve(ways: aiohttp.ClientSession) -> None:
    host = "a" * 64  # longer than a label of a name may be, so nobody is asked for it
    assert await _asked(ways, f"http://{host}:1") == (State.DOWN, Reason.NAME)


async def test_a_project_that_hangs_costs_its_timeout(
    free_port: FreePort, ways: aiohttp.ClientSession
) -> None:
    async with serving(free_port(), hanging) as url:
        made = await probe.ask(ways, _project(url))
    assert TIMEOUT * 0.9 < made.seconds < TIMEOUT + 2


async def test_a_project_below_a_path_is_asked_there(
    serve: Serve, ways: aiohttp.ClientSession
) -> None:
    app = web.Application()
    app.router.add_get("/base/health", _well)
    assert await _asked(ways, f"{await serve(app)}/base") == (State.HEALTHY, None)


async def test_a_project_that_closes_after_each_answer_stays_up(
    free_port: FreePort, ways: aiohttp.ClientSession
) -> None:
    async with serving(free_port(), saying(http(HEALTHY))) as url:
        assert [await _asked(ways, url) for _ in range(3)] == [(State.HEALTHY, None)] * 3


async def test_a_project_is_asked_where_its_health_is(
    serve: Serve, ways: aiohttp.ClientSession
) -> None:
    app = web.Application()
    app.router.add_get("/healthz", _well)
    elsewhere = replace(_project(await serve(app)), paths=Paths(health="/healthz"))
    assert (await probe.ask(ways, elsewhere)).state is State.HEALTHY


async def test_each_probe_opens_a_connection_of_its_own(
    serve: Serve, ways: aiohttp.ClientSession
) -> None:
    callers: list[object] = []

    async def well(request: web.Request) -> web.Response:
        callers.append(request.get_extra_info("peername"))
        return await _well(request)

    app = web.Application()
    app.router.add_get("/health", well)
    url = await serve(app)
    for _ in range(3):
        await _asked(ways, url)
    assert len(set(callers)) == 3


@pytest.mark.parametrize(
    ("slow_after", "state"), [(GENEROUS, State.HEALTHY), (0.000_001, State.DEGRADED)]
)
async def test_a_healthy_project_that_is_slow_is_degraded(
    free_port: FreePort, ways: aiohttp.ClientSession, slow_after: float, state: State
) -> None:
    async with serving(free_port(), saying(http(HEALTHY))) as url:
        project = replace(_project(url), slow_after=timedelta(seconds=slow_after))
        assert (await probe.ask(ways, project)).state is state


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
