"""The stream: who reads the events as they come, and what tells all of them that there are more."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import WSCloseCode

from orchestrator.errors import OrchestratorError

LOOK_EVERY: Final = 0.25  # seconds between two looks for new events, for all readers together
SEATS: Final = 100  # readers at once; each holds a page and a connection


class Full(OrchestratorError):
    """So many read the stream already that no one else can."""


@dataclass(frozen=True, slots=True)
class Farewell:
    """Why a reader is told nothing more."""

    code: WSCloseCode
    why: str


ENDING: Final = Farewell(WSCloseCode.GOING_AWAY, "shutting down; come again")

Newest = Callable[[], Awaitable[int]]


class Tide:
    """The newest event. One look serves everyone who waits; while nobody waits there is none."""

    def __init__(self, newest: Newest) -> None:
        self.at = 0  # the greatest id seen
        self._newest = newest
        self._waiting = 0
        self._looking: asyncio.Task[None] | None = None

    async def beyond(self, after: int) -> None:
        """Return when there is an event above *after*; raise what the look raises."""
        self._waiting += 1
        try:
            while self.at <= after:
                await asyncio.shield(self._look())
        finally:
            self._waiting -= 1
            if not self._waiting and self._looking:
                self._looking.cancel()
                self._looking = None

    def _look(self) -> asyncio.Task[None]:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._risen(), name="tide")
        return self._looking

    async def _risen(self) -> None:
        """Look until there is something new."""
        before = self.at
        while self.at == before:
            await asyncio.sleep(LOOK_EVERY)
            self.at = await self._newest()


@dataclass(slots=True, eq=False)
class Seat:
    """One reader. What is put into `leaving` is the last thing that it is told."""

    leaving: asyncio.Future[Farewell] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def leave(self, farewell: Farewell) -> None:
        """Have the reader told nothing more; the first word counts."""
        if not self.leaving.done():
            self.leaving.set_result(farewell)


class Stream:
    """All who read the events as they come. Lives as long as the webhook."""

    def __init__(self, newest: Newest) -> None:
        self.tide = Tide(newest)
        self._closing = False
        self._seats: set[Seat] = set()
        self._left = asyncio.Event()

    @contextmanager
    def seat(self) -> Iterator[Seat]:
        """Read in the block; raise Full."""
        if len(self._seats) >= SEATS:
            raise Full(f"{SEATS} read the stream already")
        seat = Seat()
        self._seats.add(seat)
        if self._closing:
            seat.leave(ENDING)
        try:
            yield seat
        finally:
            self._seats.discard(seat)
            self._left.set()

    async def close(self) -> None:
        """Tell every reader to come again, and return when all are gone."""
        self._closing = True
        for seat in self._seats:
            seat.leave(ENDING)
        while self._seats:
            self._left.clear()
            await self._left.wait()
