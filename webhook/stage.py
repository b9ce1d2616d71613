"""A stage: a loop that has to survive its own errors, and shows that it lives."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from orchestrator.clock import Clock
from webhook.instruments import Instruments

RETRY_AFTER = 1.0  # seconds between an error that nobody foresaw and the next round

Once = Callable[[], Awaitable[None]]

logger = logging.getLogger(__name__)


class Bell:
    """Wakes a stage before its time, when there is news for it."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """End the wait under way, or the next one."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Return when it rings, or after *seconds*."""
        # Not wait_for: up to Python 3.11 it can swallow a cancellation, and then nothing ends.
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()


async def keep_going(name: str, once: Once, instruments: Instruments, now: Clock) -> None:
    """Run *once* for ever, one round after another, until cancelled.

    An error is logged with its traceback, counted, and followed by the next round: a stage that
    ends in silence would leave projects down with everything else looking well.
    """
    with instruments.running(name):
        while True:
            instruments.heartbeat.labels(name).set(now().timestamp())
            try:
                await once()
            except Exception:  # one of the two loops that have to survive
                logger.exception("stage failed", extra={"stage": name})
                instruments.stage_failures.labels(name).inc()
                await asyncio.sleep(RETRY_AFTER)
