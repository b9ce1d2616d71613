"""Waiting for a condition with a deadline, never for a length of time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

TICK = 0.02  # seconds between two looks


async def until(look: Callable[[], Awaitable[T | None]], *, within: float, what: str) -> T:
    """Return the first true value of *look*; fail, naming *what*, after *within* seconds."""
    try:
        async with asyncio.timeout(within):
            while not (seen := await look()):  # noqa: ASYNC110  the other side is a process
                await asyncio.sleep(TICK)
            return seen
    except TimeoutError:
        raise AssertionError(f"{what}: not within {within} s") from None
