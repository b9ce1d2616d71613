"""Reception: the notifications under way, how much memory they hold, how long they may take."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

BODY_LIMIT = 64 * 1024 * 1024  # bytes; 3,000 alerts are 2.3 MB, and a 413 would repeat for ever
BODIES_LIMIT = 4 * BODY_LIMIT  # bytes of all bodies at once
ANSWER_WITHIN = 30.0  # seconds; a caller that sends slower than this holds memory for nothing
GRACE = 1.0  # seconds to store what has been received when we are told to end


class Reception:
    """The notifications under way: how much memory they hold, and how long they may take."""

    def __init__(self) -> None:
        self.closing = False
        self.held = 0  # bytes
        self._stays: set[Stay] = set()
        self._left = asyncio.Event()

    @asynccontextmanager
    async def stay(self) -> AsyncIterator["Stay"]:
        """Receive in the block; HTTPServiceUnavailable ends it when it takes too long."""
        if self.closing:
            raise web.HTTPServiceUnavailable(text="shutting down; send it again\n")
        stay = Stay(self, asyncio.timeout(ANSWER_WITHIN))
        self._stays.add(stay)
        try:
            async with stay.limit:
                yield stay
        except TimeoutError as error:
            raise web.HTTPServiceUnavailable(text="took too long; send it again\n") from error
        finally:
            self._stays.discard(stay)
            self.held -= stay.size
            self._left.set()

    async def close(self) -> None:
        """Let in nobody else, and return when all are gone, after the grace at the latest."""
        self.closing = True
        now = asyncio.get_running_loop().time()
        for stay in self._stays:  # aiohttp reads no more of a body that is still on its way
            stay.limit.reschedule(now + GRACE if stay.complete else now)
        while self._stays:
            self._left.clear()
            await self._left.wait()


@dataclass(slots=True, eq=False)
class Stay:
    """One notification under way."""

    _at: Reception
    limit: asyncio.Timeout
    size: int = 0  # bytes of its body so far, unpacked
    complete: bool = False

    def grow(self, size: int) -> None:
        """Hold more; raise HTTPServiceUnavailable when all together would hold too much."""
        if self._at.held + size > BODIES_LIMIT:
            said = "too much is being received at once; send it again\n"
            raise web.HTTPServiceUnavailable(text=said)
        self._at.held += size
        self.size += size
