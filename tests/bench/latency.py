"""The targets, seen by a client that is no part of what is measured."""

import asyncio
import json
from collections.abc import Sequence
from math import ceil, inf
from time import perf_counter

from tests.bench import fleet

EVERY = 0.5  # seconds between two rounds
ROUND = 5  # targets asked one after the other
_STRIDE = 7919  # a prime that no fleet's size is a multiple of, so every target has its turn
_WITHIN = 2.0  # seconds; what the measured programs wait, too


async def sample(targets: Sequence[str], taken: list[float]) -> None:
    """Ask some of *targets* twice a second until cancelled; add each answer's seconds to *taken*.

    A target that does not answer 200 in time took inf.
    """
    loop = asyncio.get_running_loop()
    place, due = 0, loop.time()
    while True:
        for _ in range(ROUND):
            taken.append(await _asked(targets[place % len(targets)]))
            place += _STRIDE
        due = max(due + EVERY, loop.time())
        await asyncio.sleep(due - loop.time())


async def _asked(target: str) -> float:
    began = perf_counter()
    try:
        good = bool(await fetched(target, fleet.SAMPLE))
    except (OSError, TimeoutError):
        good = False
    return perf_counter() - began if good else inf


async def counts(target: str) -> dict[str, int]:
    """Return how often each path was asked of the whole fleet that *target* belongs to."""
    found: dict[str, int] = json.loads(await fetched(target, fleet.COUNTS))
    return found


async def fetched(target: str, path: bytes) -> bytes:
    """Return the body of a page, asked on a connection of its own; empty unless it is a 200.

    Raises OSError or TimeoutError.
    """
    host, _, port = target.partition(":")
    async with asyncio.timeout(_WITHIN):
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(b"GET %s HTTP/1.1\r\nConnection: close\r\n\r\n" % path)
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
    return body if head.startswith(b"HTTP/1.1 200 ") else b""


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest of *values* that *share* of them are not above; inf for none."""
    ranked = sorted(values)
    return ranked[max(ceil(share * len(ranked)) - 1, 0)] if ranked else inf
