"""The prober: one turn at a time, two failures before a verdict, and none when we were late."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from exporter.board import Board, Endpoint
from exporter.instruments import Instruments
from exporter.page import Page, Part
from exporter.prober import Prober, Turn, turns
from exporter.pulse import Pulse
from orchestrator import fetch
from orchestrator.project import Control, Paths, Project
from tests.conftest import FreePort, Serve
from tests.exporter import pages
from tests.orchestrator.lines import serving
from tests.waiting import until

WITHIN = 10.0
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Bench:
    """A prober with everything it needs, and the questions that tests ask of it."""

    prober: Prober
    board: Board
    page: Page
    beats: Pulse
    instruments: Instruments

    def take(self, project: Project) -> dict[Endpoint, Turn]:
        """Watch *project* alone."""
        found = {turn.endpoint: turn for turn in turns(project)}
        self.prober.take(found.values())
        self.board.take([project])
        return found

    def of(self, name: str = "a") -> dict[str, float]:
        """Return the series of a project."""
        text = b"".join(self.page.chunks(list(Part), openmetrics=False)).decode()
        return pages.of_project(text, name)

    def value(self, metric: str, **labels: str) -> float:
        """Return one of the exporter's own metrics, 0 before the first time."""
        return self.instruments.registry.get_sample_value(metric, labels) or 0.0

    async def until_over(self) -> None:
        """Wait until no turn is under way. The loop keeps time meanwhile."""

        async def over() -> bool:
            now = asyncio.get_running_loop().time()
            self.beats.beat(now, due=now, following=now + 0.5)
            return self.value("exporter_probes_in_flight") == 0

        await until(over, within=WITHIN, what="the turn")


@asynccontextmanager
async def _bench() -> AsyncIterator[Bench]:
    page, instruments = Page(), Instruments(version="1", shard="1/1")
    beats, board = Pulse(asyncio.get_running_loop().time()), Board(page)
    async with fetch.connections() as ways:
        prober = Prober(ways, board, beats, instruments)
        yield Bench(prober, board, page, beats, instruments)
        await prober.close()


async def test_every_turn_and_what_may_become_of_it_is_counted_from_0() -> None:
    """A first rise from nothing is none to Prometheus."""
    async with _bench() as bench:
        told = bench.instruments.registry.get_sample_value
        found = [
            told(f"exporter_probes{what}_total", {"endpoint": endpoint})
            for what in ("", "_due", "_skipped")
            for endpoint in Endpoint
        ]
        found += [
            told("exporter_probes_void_total", {"reason": reason})
            for reason in ("late", "resources")
        ]
    assert found == [0.0] * 11


def _project(url: str, **more: Any) -> Project:  # noqa: ANN401  its own fields
    project = Project(name="a", url=url, control=Control(url=url))
    return replace(project, **more)


async def _serving(serve: Serve, **answers: Answer) -> str:
    app = web.Application()
    for name, answer in answers.items():
        app.router.add_get(f"/{name}", answer)
    return await serve(app)


async def _well(_: web.Request) -> web.Response:
    return web.json_response({"status": "healthy"})


async def test_one_turn_is_one_question_to_a_project_that_is_well(serve: Serve) -> None:
    url = await _serving(serve, health=_well)
    async with _bench() as bench:
        bench.prober.start(bench.take(_project(url))[Endpoint.HEALTH])
        await bench.until_over()
        assert bench.value("exporter_probes_total", endpoint="health") == 1.0
        assert bench.of()["project_up"] == 1.0


async def test_a_project_that_refuses_is_asked_twice_and_then_down(free_port: FreePort) -> None:
    async with _bench() as bench:
        turn = bench.take(_project(f"http://127.0.0.1:{free_port()}"))[Endpoint.HEALTH]
        bench.prober.start(turn)
        await bench.until_over()
        assert bench.value("exporter_probes_total", endpoint="health") == 2.0
        assert bench.of()["project_up"] == 0.0


async def test_a_single_lost_probe_never_makes_it_0(serve: Serve) -> None:
    asked: list[str] = []

    async def once_lost(request: web.Request) -> web.Response:
        asked.append(request.path)
        if len(asked) == 1:
            raise web.HTTPServiceUnavailable
        return await _well(request)

    url = await _serving(serve, health=once_lost)
    async with _bench() as bench:
        bench.prober.start(bench.take(_project(url))[Endpoint.HEALTH])
        await bench.until_over()
        assert (len(asked), bench.of()["project_up"]) == (2, 1.0)


async def test_a_turn_that_is_not_over_is_not_begun_again(serve: Serve) -> None:
    go = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        await go.wait()
        return await _well(request)

    url = await _serving(serve, health=slow)
    async with _bench() as bench:
        turn = bench.take(_project(url))[Endpoint.HEALTH]
        for _ in range(3):
            bench.prober.start(turn)
        counted = {
            each: bench.value(f"exporter_probes_{each}_total", endpoint="health")
            for each in ("due", "skipped")
        }
        go.set()
        await bench.until_over()
        assert counted == {"due": 3.0, "skipped": 2.0}


async def test_every_sixth_probe_goes_over_a_new_connection(serve: Serve) -> None:
    peers: list[object] = []

    async def well(request: web.Request) -> web.Response:
        assert request.transport
        peers.append(request.transport.get_extra_info("peername"))
        return await _well(request)

    url = await _serving(serve, health=well)
    async with _bench() as bench:
        turn = bench.take(_project(url))[Endpoint.HEALTH]
        for _ in range(12):
            bench.prober.start(turn)
            await bench.until_over()
    connections = [peers.index(peer) + 1 for peer in peers]  # by their first question
    assert connections == [1, 1, 1, 1, 1, 6, 6, 6, 6, 6, 6, 12]


@pytest.mark.parametrize("endpoint", [Endpoint.HEALTH, Endpoint.METRICS])
async def test_what_was_found_while_our_loop_stood_still_is_thrown_away(
    serve: Serve, endpoint: Endpoint
) -> None:
    async def stopping(_: web.Request) -> web.Response:
        time.sleep(1.2)  # noqa: ASYNC251  everything stands still, this server too
        raise web.HTTPServiceUnavailable

    url = await _serving(serve, health=stopping, metrics=stopping)
    async with _bench() as bench:
        turn = bench.take(_project(url))[endpoint]
        before = bench.of()
        bench.prober.start(turn)

        async def over() -> bool:
            return bench.value("exporter_probes_in_flight") == 0

        await until(over, within=WITHIN, what="the turn")
        assert bench.value("exporter_probes_void_total", reason="late") == 1.0
        assert (bench.of(), "project_up" in before) == (before, False)


async def test_our_own_lack_of_means_says_nothing_of_the_project(serve: Serve) -> None:
    url = await _serving(serve, health=_well)
    async with _bench() as bench:
        turn = bench.take(_project(url))[Endpoint.HEALTH]

        def no_socket(*_: object) -> None:
            raise OSError(24, "Too many open files")

        bench.prober._session.connector._socket_factory = no_socket  # type: ignore[union-attr]  # the system's answer when no file is left
        bench.prober.start(turn)
        await bench.until_over()
        assert bench.value("exporter_probes_void_total", reason="resources") == 1.0
        assert "project_up" not in bench.of()


async def test_what_comes_back_from_a_project_that_has_left_is_not_shown(serve: Serve) -> None:
    go = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        await go.wait()
        return await _well(request)

    url = await _serving(serve, health=slow)
    async with _bench() as bench:
        bench.prober.start(bench.take(_project(url))[Endpoint.HEALTH])
        bench.prober.take([])
        bench.board.take([])
        go.set()
        await bench.until_over()
        assert (bench.of(), bench.value("exporter_failures_total")) == ({}, 0.0)


async def test_a_project_is_asked_for_what_its_paths_name(serve: Serve) -> None:
    url = await _serving(serve, alive=_well)
    async with _bench() as bench:
        paths = Paths(health="/alive", metrics=None, status=None)
        found = bench.take(_project(url, paths=paths))
        bench.prober.start(found[Endpoint.HEALTH])
        await bench.until_over()
        assert (list(found), bench.of()["project_up"]) == ([Endpoint.HEALTH], 1.0)


async def test_a_long_page_of_figures_is_read_like_a_short_one(serve: Serve) -> None:
    async def metrics(_: web.Request) -> web.Response:
        lines = [f"other_{number} {number}" for number in range(1000)]
        return web.Response(text="\n".join([*lines, "cpu_usage_ratio 0.5", ""]))

    url = await _serving(serve, metrics=metrics)
    async with _bench() as bench:
        bench.prober.start(bench.take(_project(url))[Endpoint.METRICS])
        await bench.until_over()
        assert bench.of()["project_cpu_usage_ratio"] == 0.5


async def test_a_healthy_project_that_answers_slowly_is_degraded(serve: Serve) -> None:
    url = await _serving(serve, health=_well)
    async with _bench() as bench:
        found = bench.take(_project(url, slow_after=timedelta(microseconds=1)))
        bench.prober.start(found[Endpoint.HEALTH])
        await bench.until_over()
        assert bench.of()['project_state{state="degraded"}'] == 1.0


async def test_a_server_with_one_worker_is_never_down_by_our_own_connections(
    free_port: FreePort,
) -> None:
    """It serves one connection at a time, and waits on an idle one for the next question."""
    turn_of = asyncio.Lock()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with turn_of:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    await reader.readuntil(b"\r\n\r\n")
                    body = b'{"status": "healthy"}'
                    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
                    writer.write(head + body)
                    await writer.drain()
            writer.close()

    port = free_port()
    async with serving(port, serve), _bench() as bench:
        found = bench.take(_project(f"http://127.0.0.1:{port}"))
        for number in range(14):
            bench.prober.start(found[Endpoint.HEALTH])
            if number % 3 == 0:
                bench.prober.start(found[Endpoint.STATUS])
            await bench.until_over()
            assert bench.of()["project_up"] == 1.0
