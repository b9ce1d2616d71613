"""The programs of the benchmark: the targets answer, each side is told what it should be."""

import asyncio
import json
from contextlib import AsyncExitStack
from math import inf
from pathlib import Path

import pytest

from orchestrator.errors import OrchestratorError
from tests.bench import fleet, latency, page, peer, process
from tests.bench.ours import Ours
from tests.bench.setup import SAME, SHIPPED, Pace, Programs, Setup
from tests.conftest import FreePort
from tests.waiting import until


def test_the_kernels_figures_are_read_whatever_the_program_is_called() -> None:
    stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 9 0 0 0 250 50 0 0 20 0 1 0 100 1 1"
    assert process.cpu_seconds(stat) == 300 / process._PER_SECOND
    assert process.peak_bytes("Name:\tx\nVmHWM:\t   2048 kB\nVmRSS:\t 1 kB\n") == 2_097_152


@pytest.mark.parametrize(("place", "host"), [(0, "127.1.0.1"), (250, "127.1.1.1")])
def test_every_target_has_an_address_of_its_own(place: int, host: str) -> None:
    assert fleet.host(place) == host


def test_more_targets_than_the_system_allows_sockets_are_refused() -> None:
    with pytest.raises(fleet.TooManyTargets, match="ulimit -Hn"):
        fleet.allow_sockets(10**12)


async def test_every_target_answers_and_counts(free_port: FreePort) -> None:
    port = free_port()
    first, last = (f"{fleet.host(place)}:{port}" for place in (0, 250))
    taken: list[float] = []

    async def enough() -> bool:
        return len(taken) >= latency.ROUND

    async with AsyncExitStack() as opened:
        await fleet.serve(251, port, opened)
        health = json.loads(await latency.fetched(first, b"/health"))
        text = (await latency.fetched(last, b"/prometheus")).decode()
        missing = await latency.fetched(last, b"/nothing")
        sampler = asyncio.create_task(latency.sample([first, last], taken))
        await until(enough, within=10, what="a round of samples")
        sampler.cancel()
        counts = await latency.counts(last)
    assert (health["status"], missing) == ("healthy", b"")
    assert page.gauge(page.parse(text, prefix="app_"), "app_cpu_percent") == 27.4
    assert {path: counts[path] for path in ("/health", "/prometheus")} == {
        "/health": 1,
        "/prometheus": 1,
    }
    assert max(taken) < inf


async def test_a_connection_that_is_kept_answers_each_request_also_one_in_pieces(
    free_port: FreePort,
) -> None:
    port = free_port()
    async with AsyncExitStack() as opened:
        await fleet.serve(1, port, opened)
        reader, writer = await asyncio.open_connection(fleet.host(0), port)
        writer.write(b"GET /health HTTP/1.1\r\n\r\nGET /metrics HT")
        await reader.readuntil(b"}")
        writer.write(b"TP/1.1\r\nConnection: close\r\n\r\n")
        rest = await reader.read()
        writer.close()
    assert rest.count(b"HTTP/1.1 200 OK") == 1
    assert b'"cpu_percent": 27.4' in rest


async def test_a_target_that_is_not_there_took_forever(free_port: FreePort) -> None:
    assert await latency._asked(f"127.0.0.1:{free_port()}") == inf


def _setup(folder: Path) -> Setup:
    return Setup(
        projects=2,
        seconds=60,
        warm_up=35,
        programs=Programs(prometheus=Path("prometheus"), blackbox=Path("blackbox")),
        checkout=Path(__file__).parents[2],
        folder=folder,
        fleet_port=1,
        exporter_port=2,
        prometheus_port=3,
    )


def test_our_prometheus_has_the_jobs_that_we_ship(tmp_path: Path) -> None:
    jobs = Ours("ours", SAME).scraping(_setup(tmp_path))["scrape_configs"]
    assert [(job["job_name"], job["params"]["collect[]"]) for job in jobs] == [
        ("exporter-health", ["health"]),
        ("exporter-resources", ["resources"]),
    ]
    assert [job["static_configs"] for job in jobs] == [[{"targets": ["127.0.0.1:2"]}]] * 2


@pytest.mark.parametrize(("pace", "turned_off"), [(SAME, 2), (SHIPPED, 0)])
def test_status_is_only_asked_at_the_shipped_pace(
    tmp_path: Path, pace: Pace, turned_off: int
) -> None:
    Ours("ours", pace).command(_setup(tmp_path))
    text = (tmp_path / "orchestrator.yml").read_text(encoding="utf-8")
    assert text.count("status: null") == turned_off


async def test_a_program_that_ends_too_early_is_quoted(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    async with process.started("echo", ["echo", "no such flag"], tmp_path) as program:
        with pytest.raises(process.NotReady, match="no such flag"):
            await process.until(program, never)


def test_a_peer_that_is_named_wrongly_is_refused(tmp_path: Path) -> None:
    named = {"BLACKBOX_EXPORTER": str(tmp_path / "nothing")}
    with pytest.raises(OrchestratorError, match="no program there"):
        peer.find(named, tmp_path)


def test_a_peer_that_is_named_is_taken(tmp_path: Path) -> None:
    binary = tmp_path / "blackbox_exporter"
    binary.touch(mode=0o755)
    assert peer.find({"BLACKBOX_EXPORTER": str(binary)}, tmp_path) == binary
