"""The schedule: turns the wheel slot by slot, and notes how well it keeps time."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from exporter.instruments import Instruments
from exporter.pulse import LATE, Pulse
from orchestrator import clock

SWEEP_EVERY = 1.0  # seconds

logger = logging.getLogger(__name__)


class Turning(Protocol):
    """What the schedule turns."""

    @property
    def slot(self) -> float:
        """The width of a slot, in seconds."""

    def due(self, since: float, until: float) -> Iterable[Callable[[], None]]:
        """Hand out what begins after *since* and not after *until*, seconds of the wheel."""

    def sweep(self, now: float) -> None:
        """Put away what is too old, by the loop's time."""


async def keep_turning(wheel: Turning, beats: Pulse, instruments: Instruments) -> None:
    """Begin what is due in each slot, and sweep each second, until cancelled.

    Slots that were missed by less than a second are made up for. After a longer stop the wheel
    goes on where it stood: all the missed turns at once would be a burst in which nothing
    answers in time.
    """
    loop = asyncio.get_running_loop()
    at = swept = loop.time()
    turned = 0.0  # seconds that the wheel has gone round
    while True:
        await asyncio.sleep(max(0.0, at - loop.time()))
        step = wheel.slot
        lag = beats.beat(loop.time(), due=at, following=at + step)
        if lag > LATE:
            logger.warning("out of step", extra={"seconds": round(lag, 1)})
            at += lag
        _tell(instruments, beats, lag)
        try:
            for begin in wheel.due(turned, turned + step):
                begin()
            if loop.time() - swept >= SWEEP_EVERY:
                swept = loop.time()
                wheel.sweep(swept)
        except Exception:  # the loop that has to survive: without it nobody is asked any more
            logger.exception("slot failed")
            instruments.failures.inc()
        at, turned = at + step, turned + step


def _tell(instruments: Instruments, beats: Pulse, lag: float) -> None:
    instruments.lag.observe(lag)
    instruments.worst_lag.set(beats.worst)
    instruments.last_tick.set(clock.now().timestamp())
