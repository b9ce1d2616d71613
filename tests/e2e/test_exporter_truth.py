"""The exporter tells the truth: a fault within what is promised, and never one that is not there.

The projects run in other processes than the exporter, so that what stops it stops nobody else.
"""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest

from tests.bench import process
from tests.bench.fleet import host
from tests.bench.process import Program
from tests.conftest import FreePort
from tests.exporter import fleet, hostile, pages
from tests.waiting import until

POLL = 0.05  # seconds
GONE = 5.0  # seconds until those who called have gone, after the exporter has
MANY = 50  # projects
BRISK = "health_interval: 500ms, timeout: 1s"
STOPPED, RUNNING = 0.45, 0.02  # seconds


@dataclass(frozen=True, slots=True)
class Watched:
    """An exporter that runs, and what its pages have said so far."""

    program: Program
    url: str
    http: aiohttp.ClientSession
    said: Counter[tuple[int, float | None]] = field(default_factory=Counter)  # status, project_up

    def signal(self, number: signal.Signals) -> None:
        """Stop it, or let it go on."""
        os.kill(self.program.pid, number)

    async def page(self) -> str:
        """Return the page, and count what it says; "" when there is none."""
        try:
            async with self.http.get(f"{self.url}/metrics") as response:
                text = await response.text()
        except aiohttp.ClientConnectorError:  # its port is not open yet
            return ""
        if response.status != 200:
            self.said[response.status, None] += 1
            return ""
        self.said.update((200, up) for up in of_each(text, "project_up").values())
        return text

    def ups(self) -> set[float]:
        """Return every value that project_up has had."""
        return {up for _, up in self.said if up is not None}

    async def reads(self) -> dict[str, float]:
        """Return how often each project has answered for its health."""
        return of_each(await self.page(), "project_reads_total", ("endpoint", "health"))

    async def go_on(self, *, times: int, within: float) -> None:
        """Look at every page until each project was asked so many *times* more."""
        before: dict[str, float] = {}

        async def asked() -> bool:
            nonlocal before
            now = await self.reads()
            before = before or now
            await asyncio.sleep(POLL)
            return bool(now) and all(now[name] >= n + times for name, n in before.items())

        await until(asked, within=within, what=f"{times} more probes")


Start = Callable[[Iterable[str]], AbstractAsyncContextManager[Watched]]


def of_each(page: str, metric: str, *also: tuple[str, str]) -> dict[str, float]:
    """Return a metric by project."""
    found = pages.series(page) if page else {}
    return {
        dict(labels)["project"]: value
        for (name, labels), value in found.items()
        if name == metric and set(also) <= set(labels)
    }


@pytest.fixture
def start(tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession) -> Start:
    """Start an exporter of entries; it ends with the block."""

    @asynccontextmanager
    async def started(entries: Iterable[str]) -> AsyncIterator[Watched]:
        fleet.write(tmp_path / "orchestrator.yml", entries)
        port = free_port()
        command = [sys.executable, "-m", "exporter", "--listen", f":{port}"]
        config = ["--config", str(tmp_path / "orchestrator.yml")]
        async with process.started("exporter", [*command, *config], tmp_path) as program:
            watched = Watched(program, f"http://127.0.0.1:{port}", http)
            try:
                yield watched
            finally:
                with suppress(ProcessLookupError):
                    watched.signal(signal.SIGCONT)

    return started


@pytest.fixture
async def entries(tmp_path: Path, free_port: FreePort) -> AsyncIterator[list[str]]:
    """Serve healthy projects from a process of their own; gives their entries."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.fleet", "--targets", str(MANY)]
    urls = [f"http://{host(place)}:{port}" for place in range(MANY)]
    async with process.started("fleet", [*command, "--port", str(port)], tmp_path) as program:
        async with aiohttp.ClientSession() as session:
            await process.answering(program, session, f"{urls[-1]}/health")
        yield [f"{{name: p-{n}, url: '{url}', {BRISK}}}" for n, url in enumerate(urls)]


async def _all_known(watched: Watched) -> None:
    async def known() -> bool:
        return len(of_each(await watched.page(), "project_up")) == MANY

    await until(known, within=20, what="a verdict on every project")


class Faulty:
    """A project that has a fault from the moment on at which it has answered a first probe.

    No moment is worse: the next question comes a whole interval later.
    """

    def __init__(self, port: int, *, refuses: bool) -> None:
        self.port, self.since = port, 0.0
        self._refuses = refuses
        self._server: asyncio.Server | None = None
        self._callers: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        if self._callers:  # they have gone; else a socket would be left open for a later test
            await asyncio.wait(self._callers, timeout=GONE)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller = asyncio.current_task()
        assert caller
        self._callers.add(caller)
        with suppress(OSError, EOFError):
            while (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET /health"):
                if self.since:
                    await reader.read()  # until the caller has gone
                    break
                writer.write(hostile.http(hostile.GOOD["/health"]))
                await writer.drain()
                self._break()
                if self._refuses:
                    break
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def _break(self) -> None:
        self.since = asyncio.get_running_loop().time()
        if self._refuses and self._server:
            self._server.close()


async def test_at_the_default_interval_a_fault_is_told_within_what_is_promised(
    start: Start, free_port: FreePort
) -> None:
    refusing, hanging = Faulty(free_port(), refuses=True), Faulty(free_port(), refuses=False)
    faulty = {"refuses": refusing, "hangs": hanging}
    entries = [
        f"{{name: {name}, url: 'http://127.0.0.1:{it.port}'}}" for name, it in faulty.items()
    ]
    seen: dict[str, set[float]] = {name: set() for name in faulty}
    took: dict[str, float] = {}
    loop = asyncio.get_running_loop()
    async with refusing, hanging, start(entries) as watched:

        async def told() -> bool:
            for name, up in of_each(await watched.page(), "project_up").items():
                seen[name].add(up)
                if up == 0.0:
                    took.setdefault(name, loop.time() - faulty[name].since)
            await asyncio.sleep(POLL)
            return len(took) == len(faulty)

        await until(told, within=30, what="both faults")
    assert (took["refuses"] <= 6.5, took["hangs"] <= 8.0, seen) == (
        True,
        True,
        {name: {1.0, 0.0} for name in faulty},
    )


def _loses_every_third(lost: hostile.Behaviour) -> hostile.Behaviour:
    """Behave well, but for every third question; the server closes after each answer."""
    numbers = count(1)

    async def behave(call: hostile.Call) -> None:
        await (lost if next(numbers) % 3 == 0 else _well)(call)

    return behave


async def _well(call: hostile.Call) -> None:
    await call.send(hostile.http(call.good, "Content-Type: application/json", "Connection: close"))


async def test_a_project_that_loses_single_probes_is_never_down(
    start: Start, free_port: FreePort
) -> None:
    ways = {"connection": "says nothing", "status": "says 503", "timeout": "hangs"}
    projects = {
        reason: hostile.Hostile(
            free_port(), {"/health": _loses_every_third(hostile.BEHAVIOURS[name])}
        )
        for reason, name in ways.items()
    }
    pace = "health_interval: 200ms, timeout: 500ms"
    entries = [f"{{name: {name}, url: '{it.url}', {pace}}}" for name, it in projects.items()]
    async with hostile.listening(*projects.values()), start(entries) as watched:

        async def lost() -> bool:
            page = await watched.page()
            counts = [
                of_each(page, "project_probe_failures_total", ("reason", name)).get(name, 0.0)
                for name in projects
            ]
            await asyncio.sleep(POLL)
            return min(counts) >= 6

        await until(lost, within=30, what="six lost probes of each project")
    assert watched.said.keys() == {(200, 1.0)}


async def _first_page_after(watched: Watched, stopped_for: float) -> str:
    """Stop the exporter, and let a question wait for it that it reads when it goes on."""
    watched.signal(signal.SIGSTOP)
    await asyncio.sleep(stopped_for)
    port = int(watched.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
    await writer.drain()
    watched.signal(signal.SIGCONT)
    answer = (await reader.read()).decode()
    writer.close()
    return answer


@pytest.mark.parametrize("seconds", [4.0, pytest.param(20.0, marks=pytest.mark.long)])
async def test_after_a_stop_of_the_exporter_no_project_is_down_that_is_not(
    start: Start, entries: list[str], seconds: float
) -> None:
    async with start(entries) as watched:
        await _all_known(watched)
        head, _, body = (await _first_page_after(watched, seconds)).partition("\r\n\r\n")
        first = of_each(body, "project_up") if " 200 " in head else {}
        await watched.go_on(times=4, within=20)
    assert head.split()[1] in ("200", "503")
    assert {*first.values(), *watched.ups()} == {1.0}


@pytest.mark.parametrize("seconds", [5.0, pytest.param(30.0, marks=pytest.mark.long)])
async def test_starved_of_cpu_it_calls_no_project_down(
    start: Start, entries: list[str], seconds: float
) -> None:
    """With a timeout that each stop outlasts, so that probe and confirmation both run into it."""
    hasty = [each.replace("timeout: 1s", "timeout: 300ms") for each in entries]
    async with start(hasty) as watched:
        await _all_known(watched)
        starving = asyncio.create_task(_starve(watched, seconds=seconds))
        while not starving.done():
            await watched.page()
        await starving
        await watched.go_on(times=3, within=20)
        late = pages.value(await watched.page(), "exporter_tick_lag_max_seconds")
    assert ((late or 0.0) > STOPPED / 2, watched.ups()) == (True, {1.0})


async def _starve(watched: Watched, *, seconds: float) -> None:
    """Let the exporter run for a moment at a time, and for 4 % of the time in all."""
    for _ in range(round(seconds / (STOPPED + RUNNING))):
        watched.signal(signal.SIGSTOP)
        await asyncio.sleep(STOPPED)
        watched.signal(signal.SIGCONT)
        await asyncio.sleep(RUNNING)


async def test_just_started_it_calls_no_project_down(start: Start, entries: list[str]) -> None:
    async with start(entries) as watched:
        await _all_known(watched)
        await watched.go_on(times=2, within=20)
    assert watched.ups() == {1.0}
