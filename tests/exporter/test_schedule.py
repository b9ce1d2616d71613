"""A project is asked again and again, and is down on the board only after two failed probes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from exporter.schedule import Board, watch
from orchestrator.health import Probe, Reason, State
from orchestrator.project import Control, Project
from tests.waiting import until

WITHIN = 10.0  # seconds; all of it takes one, but on a busy machine
A = Project(
    name="a",
    url="http://127.0.0.1:1",
    control=Control(url="http://127.0.0.1:1"),
    health_interval=timedelta(milliseconds=20),
)
UP = Probe(state=State.HEALTHY, reason=None, seconds=0.1)
DEGRADED = Probe(state=State.DEGRADED, reason=None, seconds=0.2)
REFUSED = Probe(state=State.DOWN, reason=Reason.REFUSED, seconds=0.3)
STATUS = Probe(state=State.DOWN, reason=Reason.STATUS, seconds=0.4)


@dataclass
class Fleet:
    """A project that answers by a script, its last answer for ever; notes the board at each ask."""

    board: Board
    script: list[Probe]
    takes: float = 0.0  # seconds for an answer
    seen: list[Probe | None] = field(default_factory=list)
    counted: list[tuple[Counter[Project], Counter[tuple[Project, Reason]]]] = field(
        default_factory=list
    )
    at: list[float] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    async def ask(self, project: Project) -> Probe:
        """Answer, after noting what the board said of *project* before."""
        self.seen.append(self.board.verdicts.get(project))
        self.counted.append((self.board.reads.copy(), self.board.failures.copy()))
        self.at.append(asyncio.get_running_loop().time())
        self.under_way += 1
        self.most_under_way = max(self.under_way, self.most_under_way)
        try:
            await asyncio.sleep(self.takes)
        finally:
            self.under_way -= 1
        return self.script[min(len(self.seen), len(self.script)) - 1]


@asynccontextmanager
async def _watching(fleet: Fleet, *, asks: int, first_after: float = 0.0) -> AsyncIterator[None]:
    """Watch until the project was asked *asks* times, and cancel after the block."""
    task = asyncio.create_task(watch(A, fleet.ask, fleet.board, first_after=first_after))

    async def enough() -> bool:
        return task.done() or len(fleet.seen) >= asks

    try:
        await until(enough, within=WITHIN, what=f"{asks} asks")
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
    assert task.cancelled()


@pytest.mark.parametrize(
    ("script", "verdicts"),
    [
        ([UP, UP], [None, UP, UP]),
        ([UP, REFUSED, STATUS], [None, UP, UP, STATUS]),
        ([REFUSED, STATUS], [None, None, STATUS]),
        ([UP, REFUSED, UP], [None, UP, UP, UP]),
        ([REFUSED, DEGRADED], [None, None, DEGRADED]),
        ([REFUSED, STATUS, UP, DEGRADED], [None, None, STATUS, UP, DEGRADED]),
    ],
    ids=["up", "goes down", "is down from the start", "blinks", "blinks at first", "comes back"],
)
async def test_the_board_tells_of_two_failed_probes_and_not_of_one(
    script: list[Probe], verdicts: list[Probe | None]
) -> None:
    fleet = Fleet(Board(), script)
    async with _watching(fleet, asks=len(verdicts)):
        assert fleet.seen[: len(verdicts)] == verdicts


async def test_every_probe_is_counted_also_one_that_does_not_count() -> None:
    fleet = Fleet(Board(), [UP, REFUSED, UP, STATUS, REFUSED, DEGRADED])
    async with _watching(fleet, asks=7):
        assert fleet.counted[6] == (
            Counter({A: 3}),
            Counter({(A, Reason.REFUSED): 2, (A, Reason.STATUS): 1}),
        )


async def test_a_probe_never_overlaps_the_next() -> None:
    fleet = Fleet(Board(), [UP], takes=A.health_interval.total_seconds() * 3)
    async with _watching(fleet, asks=5):
        assert fleet.most_under_way == 1


async def test_a_late_probe_delays_the_next_and_no_other_makes_up_for_it() -> None:
    fleet = Fleet(Board(), [REFUSED, STATUS, UP])  # the confirmation takes 25 intervals
    async with _watching(fleet, asks=7):
        gaps = [late - early for early, late in zip(fleet.at[2:], fleet.at[3:], strict=False)]
        assert min(gaps) > A.health_interval.total_seconds() * 0.5


async def test_probes_are_an_interval_apart() -> None:
    fleet = Fleet(Board(), [UP], takes=0.005)
    async with _watching(fleet, asks=11):
        apart = (fleet.at[10] - fleet.at[0]) / 10
        assert 0.02 * 0.99 < apart < 0.02 * 5


async def test_the_first_probe_waits_for_its_turn() -> None:
    began = asyncio.get_running_loop().time()
    fleet = Fleet(Board(), [UP])
    async with _watching(fleet, asks=1, first_after=0.2):
        assert fleet.at[0] - began > 0.19


@pytest.mark.parametrize("asks", [1, 2, 3])
async def test_cancellation_leaves_no_probe_under_way(asks: int) -> None:
    fleet = Fleet(Board(), [UP, REFUSED, STATUS], takes=0.05)
    async with _watching(fleet, asks=asks):
        pass

    async def alone() -> bool:
        return asyncio.all_tasks() == {asyncio.current_task()}

    await until(alone, within=1, what="no task but this one")
    assert fleet.under_way == 0
