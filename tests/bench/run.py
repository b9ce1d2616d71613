"""One measurement: targets, an exporter and a Prometheus come up, are watched, and end again."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp

from tests.bench import latency
from tests.bench.process import NotReady, Program, answering, started, until
from tests.bench.result import Cost, Run, Seen, Targets
from tests.bench.setup import Pace, Setup

ANSWER_WITHIN = aiohttp.ClientTimeout(total=60)  # a query over everything may take a while


class Side(Protocol):
    """What is measured: an exporter, how Prometheus is to scrape it, and how to see its work."""

    @property
    def name(self) -> str: ...
    @property
    def pace(self) -> Pace: ...
    @property
    def ready(self) -> str: ...
    def command(self, setup: Setup) -> list[str]: ...
    def scraping(self, setup: Setup) -> dict[str, Any]: ...
    async def watch(
        self, session: aiohttp.ClientSession, setup: Setup, window: Callable[[], Awaitable[None]]
    ) -> Seen: ...


@dataclass(slots=True)
class Window:
    """The time that is measured; awaiting it lets it pass and fills in what was taken in it."""

    programs: Sequence[Program]
    setup: Setup
    taken: dict[str, float] = field(default_factory=dict)  # CPU seconds, by program
    answers: list[float] = field(default_factory=list)  # of the targets, in seconds
    answered: dict[str, float] = field(default_factory=dict)  # by the targets, by path

    async def __call__(self) -> None:
        """Let the window pass; raise NotReady when a program ended in it."""
        targets = self.setup.targets
        sampler = asyncio.create_task(latency.sample(targets, self.answers))
        try:
            asked = await latency.counts(targets[0])
            before = {each.name: each.cpu_seconds() for each in self.programs}
            await asyncio.sleep(self.setup.seconds)
            after = {each.name: each.cpu_seconds() for each in self.programs}
            now = await latency.counts(targets[0])
        finally:
            sampler.cancel()
            await asyncio.gather(sampler, return_exceptions=True)
        self.taken = {name: seconds - before[name] for name, seconds in after.items()}
        self.answered = {path: count - asked.get(path, 0) for path, count in now.items()}


async def measure(side: Side, setup: Setup) -> Run:
    """Start everything for *side*, warm up, measure, and end all of it; raise NotReady."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=ANSWER_WITHIN))
        programs = await _start(side, setup, session, stack)
        await asyncio.sleep(setup.warm_up)
        window = Window(programs, setup)
        try:
            seen = await side.watch(session, setup, window)
        except (aiohttp.ClientError, OSError) as error:
            raise NotReady(f"{side.name} stopped answering: {error!r}") from error
        fleet, exporter, prometheus = programs
        return Run(
            side=side.name,
            projects=setup.projects,
            seconds=setup.seconds,
            pace=side.pace,
            exporter=_cost(exporter, window),
            prometheus=_cost(prometheus, window),
            targets=Targets(
                cpu_share=window.taken[fleet.name] / setup.seconds,
                p50=latency.quantile(window.answers, 0.5),
                p99=latency.quantile(window.answers, 0.99),
                slowest=max(window.answers),
                samples=len(window.answers),
                answered=_by_endpoint(window.answered),
            ),
            seen=seen,
        )


def _by_endpoint(answered: Mapping[str, float]) -> dict[str, float]:
    """Name what the targets answered as the exporters do; the peer reads figures elsewhere."""
    return {
        "health": answered.get("/health", 0),
        "metrics": answered.get("/metrics", 0) + answered.get("/prometheus", 0),
        "status": answered.get("/status", 0),
    }


def _cost(program: Program, window: Window) -> Cost:
    return Cost(cpu_seconds=window.taken[program.name], peak_bytes=program.peak_bytes())


async def _start(
    side: Side, setup: Setup, session: aiohttp.ClientSession, stack: AsyncExitStack
) -> tuple[Program, Program, Program]:
    async def start(name: str, command: list[str]) -> Program:
        return await stack.enter_async_context(started(name, command, setup.folder))

    fleet = await start("targets", _fleet(setup))
    await serving(fleet)
    exporter = await start("exporter", side.command(setup))
    await answering(exporter, session, f"http://{setup.exporter}{side.ready}")
    prometheus = await start("prometheus", _prometheus(side, setup))
    await answering(prometheus, session, f"http://{setup.prometheus}/-/ready")
    return fleet, exporter, prometheus


def _fleet(setup: Setup) -> list[str]:
    module = [sys.executable, "-m", "tests.bench.fleet"]
    return [*module, "--targets", str(setup.projects), "--port", str(setup.fleet_port)]


def _prometheus(side: Side, setup: Setup) -> list[str]:
    return [
        str(setup.programs.prometheus),
        f"--config.file={setup.written('prometheus.yml', side.scraping(setup))}",
        f"--storage.tsdb.path={setup.folder / 'prometheus'}",
        f"--web.listen-address={setup.prometheus}",
        "--log.level=warn",
    ]


async def serving(fleet: Program) -> None:
    """Wait until every target listens."""

    async def said() -> bool:
        return "serving" in fleet.log.read_text(encoding="utf-8")

    await until(fleet, said)
