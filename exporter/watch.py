"""The watch: the configuration in force, and everything that follows from it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial

from exporter.board import Board, Endpoint
from exporter.instruments import Instruments
from exporter.prober import Prober, Turn, turns
from exporter.shard import Shard
from exporter.wheel import Wheel
from orchestrator.config import Config
from orchestrator.project import Project

BEATS = 3  # health intervals without a beat, after which nothing that we say is fresh
LEAST, MOST = 3.0, 15.0  # seconds; shorter and longer intervals change nothing


class Watch:
    """Who is watched, and when. A new configuration replaces the old one in one step."""

    def __init__(
        self, board: Board, prober: Prober, instruments: Instruments, shard: Shard
    ) -> None:
        self._board, self._prober, self._instruments = board, prober, instruments
        self._shard = shard
        self._turns: dict[str, tuple[Turn, ...]] = {}
        self._wheel: Wheel[Turn] = Wheel(())
        self.projects: Mapping[str, Project] = {}
        self.stale_after = LEAST  # seconds

    def take(self, config: Config) -> None:
        """Watch the projects of *config* that belong to this shard."""
        mine = {name: each for name, each in config.projects.items() if self._shard.has(name)}
        chosen = {name: self._turns_of(each) for name, each in mine.items()}
        self._wheel = Wheel(_placed(chosen))
        self._turns = chosen
        self.projects = {name: of[0].project for name, of in chosen.items()}
        self._prober.take(turn for of in chosen.values() for turn in of)
        self._board.take(mine.values())
        self._instruments.projects.set(len(mine))
        shortest = min((each.health_interval.total_seconds() for each in mine.values()), default=0)
        self.stale_after = min(max(LEAST, BEATS * shortest), MOST)

    @property
    def slot(self) -> float:
        """The width of a slot of the wheel, in seconds."""
        return self._wheel.slot

    def sweep(self, now: float) -> None:
        """Put away the readings that are too old, by the loop's time."""
        self._board.sweep(now)

    def due(self, since: float, until: float) -> Iterator[Callable[[], None]]:
        """Hand out what has to begin after *since* and not after *until*, the wheel's seconds."""
        for turn in self._wheel.due(since, until):
            yield partial(self._prober.start, turn)

    def _turns_of(self, project: Project) -> tuple[Turn, ...]:
        """Keep the turns of a project that did not change: its probes under way count on."""
        if project == self.projects.get(project.name):
            return self._turns[project.name]
        return tuple(turns(project))


def _placed(turns: Mapping[str, tuple[Turn, ...]]) -> Iterator[tuple[str, timedelta, Turn]]:
    for name, each in turns.items():
        for turn in each:
            project = turn.project
            health = turn.endpoint is Endpoint.HEALTH
            interval = project.health_interval if health else project.metrics_interval
            yield f"{name}/{turn.endpoint}", interval, turn
