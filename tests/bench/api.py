"""How fast the API answers with very much in the database: `python -m tests.bench.api`."""

import asyncio
import io
import json
import os
import platform
import random
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import aiohttp
import click
import yaml

from orchestrator import clock
from orchestrator.errors import OrchestratorError
from orchestrator.version import VERSION
from tests.bench import api_fill
from tests.bench.api_asked import Question, questions
from tests.bench.api_fill import PROJECTS, Size
from tests.bench.exporter import DOES_NOT_HOLD, INTERRUPTED, NOT_MEASURED
from tests.bench.latency import quantile
from tests.bench.process import NotReady, Program, answering, free_ports, started
from tests.bench.table import markdown
from tests.bench.webhook_load import Load

P95_MOST = 0.100  # seconds
ALERTS = 20  # a second, each of a new incident
SEED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How one question was answered, in seconds."""

    what: str
    route: str
    p50: float
    p95: float
    slowest: float
    bytes: int  # of the largest answer
    statuses: dict[int, int]

    @property
    def holds(self) -> bool:
        """Whether it was quick enough, and answered."""
        return self.p95 < P95_MOST and set(self.statuses) == {200}


@dataclass(slots=True)
class Posted:
    """What became of the alerts that came meanwhile."""

    statuses: Counter[int]
    seconds: list[float]


@click.command()
@click.option("--incidents", type=click.IntRange(100), default=10_000, show_default=True)
@click.option("--events", type=click.IntRange(1_000), default=1_000_000, show_default=True)
@click.option("--audit", type=click.IntRange(100), default=200_000, show_default=True)
@click.option(
    "--requests",
    type=click.IntRange(20),
    default=100,
    show_default=True,
    help="How often each question is asked.",
)
@click.option(
    "--json",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=".bench/api.json",
    show_default=True,
    help="Where everything is written.",
)
def main(*, incidents: int, events: int, audit: int, requests: int, path: Path) -> None:
    """Measure how long the API takes to answer, while alerts come in.

    Each route that reads is asked in the ways that cost most, over a real socket, one request
    after the other, while 20 new alerts a second open incidents. 95 of 100 answers have to come
    within 100 ms.

    \b
    Examples:
      make bench-api
      make bench-api ARGS="--incidents 1000 --events 100000 --requests 20"

    \b
    Exit status: 0 measured and everything holds, 1 something does not, 2 a wrong option,
    3 it could not be measured, 130 interrupted.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    size = Size(incidents=incidents, events=events, audit=audit)
    try:
        answered, posted, built = asyncio.run(_measured(size, requests))
    except OrchestratorError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(NOT_MEASURED)
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("interrupted; everything that was started has ended", err=True)
        sys.exit(INTERRUPTED)
    _write(path, size, answered, posted)
    sys.exit(0 if _said(answered, posted, built) else DOES_NOT_HOLD)


async def _measured(size: Size, requests: int) -> tuple[list[Answered], Posted, float]:
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with _folder() as folder:
        end, began = clock.now(), perf_counter()
        click.echo(f"making {size.events:,} events of {size.incidents:,} incidents ...", err=True)
        await asyncio.to_thread(api_fill.made, str(folder / "x.db"), size, end)
        built = perf_counter() - began
        (port,) = free_ports(1)
        async with started("webhook", _command(folder, port), folder) as program:
            answered, posted = await _asked(program, port, list(questions(size, end)), requests)
    return answered, posted, built


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder on the disk of the checkout: /tmp may be memory."""
    bench = Path(".bench").absolute()
    bench.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=bench, ignore_cleanup_errors=True) as name:
        yield Path(name)


def _command(folder: Path, port: int) -> list[str]:
    names = [api_fill.project(number) for number in range(PROJECTS)]
    projects = [{"name": name, "url": f"http://127.0.0.1:{port}"} for name in names]
    config = folder / "orchestrator.yml"
    config.write_text(yaml.safe_dump({"projects": projects}), encoding="utf-8")
    module = [sys.executable, "-m", "webhook", "--log-level", "error"]
    given = ["--config", str(config), "--db", str(folder / "x.db")]
    return [*module, *given, "--listen", f"127.0.0.1:{port}"]


async def _asked(
    program: Program, port: int, every: Sequence[Question], requests: int
) -> tuple[list[Answered], Posted]:
    url, posted = f"http://127.0.0.1:{port}", Posted(Counter(), [])
    async with aiohttp.ClientSession() as session:
        await answering(program, session, f"{url}/-/ready")
        posting = asyncio.create_task(_post(session, url, posted))
        found = []
        try:
            for place, question in enumerate(every, start=1):
                click.echo(f"{place}/{len(every)}: {question.what} ...", err=True)
                found.append(await _answered(session, url, question, requests))
        except aiohttp.ClientError as error:
            raise NotReady(f"the webhook stopped answering: {error!r}") from error
        finally:
            posting.cancel()
            await asyncio.gather(posting, return_exceptions=True)
    return found, posted


async def _post(session: aiohttp.ClientSession, url: str, posted: Posted) -> None:
    """Post a new alert 20 times a second, each on its time, whether or not it is answered yet."""
    loop = asyncio.get_running_loop()
    due, under_way = loop.time(), set[asyncio.Task[None]]()

    async def post(body: bytes) -> None:
        began = perf_counter()
        async with session.post(f"{url}/alerts", data=io.BytesIO(body)) as response:
            posted.statuses[response.status] += 1
        posted.seconds.append(perf_counter() - began)

    try:
        for body in Load(alerts=1, connections=1, remediate=True).bodies():
            task = asyncio.create_task(post(body))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            due += 1 / ALERTS
            await asyncio.sleep(due - loop.time())
    finally:
        await asyncio.gather(*under_way, return_exceptions=True)


async def _answered(
    session: aiohttp.ClientSession, url: str, question: Question, requests: int
) -> Answered:
    luck = random.Random(SEED)  # noqa: S311  the same questions each time
    seconds, statuses, largest = [], Counter[int](), 0
    for _ in range(requests):
        asked = f"{url}{question.ask(luck)}"
        began = perf_counter()
        async with session.get(asked) as response:
            body = await response.read()
        seconds.append(perf_counter() - began)
        statuses[response.status] += 1
        largest = max(largest, len(body))
    return Answered(
        what=question.what,
        route=question.route,
        p50=quantile(seconds, 0.5),
        p95=quantile(seconds, 0.95),
        slowest=max(seconds),
        bytes=largest,
        statuses=dict(statuses),
    )


def rows(answered: Sequence[Answered]) -> Iterator[Sequence[str]]:
    """Yield the rows of the table, the head first."""
    yield "question", "route", "p50 ms", "p95", "slowest", "kB"
    for each in answered:
        figures = (each.p50, each.p95, each.slowest)
        shown = (f"{figure * 1000:.1f}" for figure in figures)
        yield each.what, f"`{each.route}`", *shown, f"{each.bytes / 1000:.1f}"


def _said(answered: Sequence[Answered], posted: Posted, built: float) -> bool:
    click.echo(markdown(list(rows(answered))))
    many = sum(posted.statuses.values())
    slow = quantile(posted.seconds, 0.99) * 1000
    click.echo(f"\n{many:,} alerts meanwhile: {dict(posted.statuses)}, p99 {slow:.0f} ms")
    click.echo(f"the database was made in {built:.0f} s")
    slow_ones = [each for each in answered if not each.holds]
    for each in slow_ones:
        click.echo(f"DOES NOT HOLD: {each.what}: p95 {each.p95 * 1000:.1f} ms, {each.statuses}")
    sound = set(posted.statuses) == {200}
    click.echo(f"{'holds' if sound else 'DOES NOT HOLD'}: every alert was answered 200")
    if not slow_ones:
        click.echo("holds: each question, 95 of 100 answers within 100 ms")
    return sound and not slow_ones


def _write(path: Path, size: Size, answered: Sequence[Answered], posted: Posted) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "at": clock.written(clock.now()),
        "size": asdict(size),
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "kernel": platform.release(),
            "python": platform.python_version(),
        },
        "versions": {"orchestrator": VERSION, "sqlite": sqlite3.sqlite_version},
        "answered": [asdict(each) | {"holds": each.holds} for each in answered],
        "alerts": {str(status): many for status, many in posted.statuses.items()},
    }
    path.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(prog_name="python -m tests.bench.api")
