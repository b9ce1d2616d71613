"""The prober: asks a project when its turn has come, and puts what it learns on the board."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import aiohttp

from exporter import pulse, reading
from exporter.board import Board, Endpoint
from exporter.instruments import Instruments, Void
from exporter.pulse import Pulse
from orchestrator.answer import Answer
from orchestrator.fetch import OutOfResources, Question, fetch, question
from orchestrator.health import Probe, judge
from orchestrator.probe import confirmed
from orchestrator.project import Project

FRESH_EVERY = 6  # health probes: a kept connection says nothing of a listener that is gone
FRESH = 2  # intervals that a reading is worth showing
SAY_EVERY = 60.0  # seconds; it would be a line a turn
METRICS_ACCEPT = "application/json, text/plain;version=0.0.4;q=0.5"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One project's turn to be asked for one endpoint; its identity is its own."""

    project: Project
    endpoint: Endpoint
    path: str

    @property
    def question(self) -> Question:
        """What is asked; raises tls.BadTls."""
        accept = METRICS_ACCEPT if self.endpoint is Endpoint.METRICS else "application/json"
        return question(self.project, self.path, accept=accept)


def turns(project: Project) -> Iterator[Turn]:
    """Yield the turns of *project*, one for each path that it has."""
    paths = project.paths
    for endpoint, path in zip(Endpoint, (paths.health, paths.metrics, paths.status), strict=True):
        if path:
            yield Turn(project, endpoint, path)


class Prober:
    """Runs turns as tasks. None overlaps itself, and none of a target that has left counts."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        board: Board,
        beats: Pulse,
        instruments: Instruments,
    ) -> None:
        self._session, self._board, self._pulse = session, board, beats
        self._instruments = instruments
        instruments.begin(Endpoint)
        self._current: Mapping[str, Project] = {}
        self._running: dict[Turn, asyncio.Task[None]] = {}
        self._asked: Counter[Turn] = Counter()
        self._said = -SAY_EVERY

    def take(self, turns: Iterable[Turn]) -> None:
        """Let only *turns* count from now on; what runs of others is cancelled."""
        alive = set(turns)
        self._current = {turn.project.name: turn.project for turn in alive}
        for turn in self._running.keys() - alive:
            self._running[turn].cancel()
        self._asked = Counter({turn: n for turn, n in self._asked.items() if turn in alive})

    def start(self, turn: Turn) -> None:
        """Begin a turn, unless the one before is not over."""
        endpoint = str(turn.endpoint)
        self._instruments.due.labels(endpoint).inc()
        if turn in self._running:
            self._instruments.skipped.labels(endpoint).inc()
            return
        work = self._probe if turn.endpoint is Endpoint.HEALTH else self._read
        task = asyncio.create_task(work(turn))
        self._running[turn] = task
        self._instruments.in_flight.inc()
        task.add_done_callback(partial(self._over, turn))

    async def close(self) -> None:
        """Cancel what runs, and wait for it."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _probe(self, turn: Turn) -> None:
        began = asyncio.get_running_loop().time()
        self._asked[turn] += 1
        kept = self._asked[turn] % FRESH_EVERY != 0
        slow_after = turn.project.slow_after.total_seconds()

        async def ask() -> Probe:
            nonlocal kept
            fresh, kept = not kept, False  # the confirmation has a connection of its own, too
            return judge(await self._ask(turn, fresh=fresh), slow_after=slow_after)

        probes = await confirmed(ask)
        if self._counts(turn, began):
            self._board.probed(turn.project.name, probes)

    async def _read(self, turn: Turn) -> None:
        began = asyncio.get_running_loop().time()
        answer = await self._ask(turn, fresh=False)
        gauges = turn.project.metrics
        metrics = turn.endpoint is Endpoint.METRICS
        found = reading.of_metrics(answer, gauges) if metrics else reading.of_status(answer)
        if self._counts(turn, began):
            until = began + FRESH * turn.project.metrics_interval.total_seconds()
            self._board.read(turn.project.name, turn.endpoint, found, until=until)

    async def _ask(self, turn: Turn, *, fresh: bool) -> Answer:
        self._instruments.asked.labels(str(turn.endpoint)).inc()
        return await fetch(self._session, turn.question, fresh=fresh)

    def _counts(self, turn: Turn, began: float) -> bool:
        """Tell whether a result is worth something: its target is there, and we were in time."""
        if self._current.get(turn.project.name) is not turn.project:
            return False
        behind = self._pulse.behind(since=began, now=asyncio.get_running_loop().time())
        within = turn.project.timeout.total_seconds()
        if pulse.is_void(behind, within=within):
            self._instruments.void.labels(Void.LATE).inc()
            return False
        return True

    def _over(self, turn: Turn, task: asyncio.Task[None]) -> None:
        del self._running[turn]
        self._instruments.in_flight.dec()
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, OutOfResources):
            self._instruments.void.labels(Void.RESOURCES).inc()
            self._say_once_a_minute(error)
            return
        self._instruments.failures.inc()
        project = turn.project.name
        logger.error("turn failed", exc_info=error, extra={"project": project})

    def _say_once_a_minute(self, error: OutOfResources) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._said >= SAY_EVERY:
            self._said = now
            logger.error("could not ask", extra={"why": str(error)})
