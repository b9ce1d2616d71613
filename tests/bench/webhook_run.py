"""One measurement of a receiver: it comes up on a core of its own, is sent a load, and ends."""

import asyncio
import io
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import aiohttp

from tests.bench.latency import quantile
from tests.bench.process import NotReady, Program, answering, free_ports, started
from tests.bench.webhook_load import Load, Taken, sending
from tests.bench.webhook_result import BIG, Big, Kept, Run

WARM_UP = 5.0  # seconds; the 640 threads of the peer need some to get out of each other's way
BODIES = 5  # how often the big one is sent
DATABASE = "orchestrator.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A receiver, and whether it keeps what it is sent."""

    name: str
    command: Callable[[Path, int], list[str]]
    keeps: bool


def _ours(folder: Path, port: int) -> list[str]:
    config = folder / "orchestrator.yml"
    config.write_text("projects: []\n", encoding="utf-8")
    module = [sys.executable, "-m", "webhook", "--log-level", "error"]
    given = ["--config", str(config), "--db", str(folder / DATABASE)]
    return [*module, *given, "--listen", f"127.0.0.1:{port}"]


def _flask(_: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "tests.bench.webhook_peer", "--port", str(port)]


OURS = Side(name="ours", command=_ours, keeps=True)
FLASK = Side(name="flask", command=_flask, keeps=False)


def cores() -> tuple[int, int]:
    """Return a core for the receiver and one for the sender; raise NotReady."""
    found = sorted(os.sched_getaffinity(0))
    if len(found) < 2:
        raise NotReady("the receiver and the sender need a core each, and here is only one")
    return found[0], found[-1]


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder on the disk of the checkout: /tmp may be memory."""
    bench = Path(".bench").absolute()
    bench.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=bench, ignore_cleanup_errors=True) as name:
        yield Path(name)


@asynccontextmanager
async def _receiver(side: Side, core: int) -> AsyncIterator[tuple[Program, int, Path]]:
    (port,) = free_ports(1)
    with _folder() as folder:
        async with started(side.name, side.command(folder, port), folder) as program:
            os.sched_setaffinity(program.pid, {core})  # before it has any threads
            async with aiohttp.ClientSession() as session:
                await answering(program, session, f"http://127.0.0.1:{port}/-/ready")
            yield program, port, folder


def _kept(side: Side, folder: Path) -> Kept | None:
    if not side.keeps:
        return None
    with closing(sqlite3.connect(f"file:{folder / DATABASE}?mode=ro", uri=True)) as db:
        notifications, episodes = db.execute(
            "SELECT (SELECT count(*) FROM notifications), (SELECT count(*) FROM episodes)"
        ).fetchone()
    return Kept(notifications=notifications, episodes=episodes)


@dataclass(slots=True)
class _Window:
    """What was taken in a length of time."""

    seconds: float
    cpu: float
    sender: float
    flushes: int | None


async def _window(program: Program, folder: Path, seconds: float) -> _Window:
    flushed, cpu = _flushes(folder), program.cpu_seconds()
    sender, began = process_time(), perf_counter()
    await asyncio.sleep(seconds)
    took = perf_counter() - began
    now = _flushes(folder)
    return _Window(
        seconds=took,
        cpu=program.cpu_seconds() - cpu,
        sender=(process_time() - sender) / took,
        flushes=None if now is None or flushed is None else now - flushed,
    )


def _flushes(folder: Path) -> int | None:
    """Return how often the disk under *folder* was told to make all durable, if Linux says."""
    device = folder.stat().st_dev
    numbers = [str(os.major(device)), str(os.minor(device))]
    for line in Path("/proc/diskstats").read_text(encoding="ascii").splitlines():
        fields = line.split()
        if fields[:2] == numbers and len(fields) >= 20:  # from Linux 5.5 on
            return int(fields[18])
    return None


async def measure(side: Side, load: Load, *, seconds: float, core: int) -> Run:
    """Send *load* to *side* for *seconds*; raise NotReady."""
    async with _receiver(side, core) as (program, port, folder):
        try:
            async with sending(load, port) as taken:
                await asyncio.sleep(WARM_UP)
                taken.seconds.clear()
                window = await _window(program, folder, seconds)
                answers = taken.seconds.copy()
        except (OSError, TimeoutError) as error:
            raise NotReady(f"{side.name} stopped answering: {error!r}") from error
        if not answers:
            raise NotReady(f"{side.name} answered nothing in {seconds} s")
        return _run(side, load, answers, window, taken, _kept(side, folder))


def _run(
    side: Side, load: Load, answers: list[float], window: _Window, taken: Taken, kept: Kept | None
) -> Run:
    return Run(
        side=side.name,
        load=load,
        seconds=window.seconds,
        messages=len(answers),
        p50=quantile(answers, 0.5),
        p99=quantile(answers, 0.99),
        slowest=max(answers),
        cpu_seconds=window.cpu,
        sender_share=window.sender,
        flushes=window.flushes,
        statuses=dict(taken.statuses),
        broken=taken.broken,
        kept=kept,
    )


async def big(side: Side, *, core: int) -> Big:
    """Send a body of very many alerts a few times, each with alerts of its own."""
    bodies = list(islice(Load(alerts=BIG, connections=1).bodies(), BODIES))
    took, statuses = [], Taken().statuses
    async with _receiver(side, core) as (_, port, folder):
        async with aiohttp.ClientSession() as session:
            for body in bodies:
                began = perf_counter()
                url = f"http://127.0.0.1:{port}/alerts"
                async with session.post(url, data=io.BytesIO(body)) as response:
                    statuses[str(response.status)] += 1
                took.append(perf_counter() - began)
        return Big(
            side=side.name,
            bytes=max(map(len, bodies)),
            slowest=max(took),
            statuses=dict(statuses),
            kept=_kept(side, folder),
        )
