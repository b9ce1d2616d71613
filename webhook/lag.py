"""Lag: how much later than asked the event loop goes on, and with it everything that we do."""

import asyncio

from webhook.instruments import Instruments

EVERY = 0.25  # seconds


async def sample(instruments: Instruments) -> None:
    """Wait for a moment, and note how much longer it took.

    A round of a stage. What it measures delays every answer to Alertmanager just as much: the
    loop was busy, or the whole process did not run.
    """
    loop = asyncio.get_running_loop()
    due = loop.time() + EVERY
    await asyncio.sleep(EVERY)
    instruments.lagged(max(0.0, loop.time() - due))  # it may wake us a clock's tick early
