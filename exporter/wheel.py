"""The timing wheel: whose turn it is in which slot, with a fleet spread over its interval."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import Generic, TypeVar

Turn = TypeVar("Turn")

WIDEST, NARROWEST = 0.25, 0.05  # seconds of a slot
ROUNDING = 1e-6  # 5 s are twenty slots of a quarter, also when a float is a hair short of it
TOGETHER = 16  # turns of a slot: begun together they cost a third less, and many more are a burst


class Wheel(Generic[Turn]):
    """A ring of slots for each interval.

    Where it stands is told by the time, not by a count of slots, so a wheel can be swapped for
    one with other slots, and whoever stays is asked when it would have been. `slot` is the width
    of one in seconds: a quarter of the shortest interval at most, and narrow enough that no slot
    of a large fleet is a burst in which answers wait for each other.
    """

    def __init__(self, turns: Iterable[tuple[str, timedelta, Turn]]) -> None:
        """Place *turns*: a key, an interval, and what is handed out.

        The key alone decides the place, so whoever stays keeps it when others come and go.
        """
        placed = [(key, interval.total_seconds(), turn) for key, interval, turn in turns]
        self.slot = width([interval for _, interval, _ in placed])
        self._rings: dict[float, dict[int, list[Turn]]] = defaultdict(lambda: defaultdict(list))
        for key, interval, turn in placed:
            self._rings[interval][int(_share(key) * self._slots(interval))].append(turn)

    def due(self, since: float, until: float) -> Iterator[Turn]:
        """Hand out everything whose turn comes after *since* and not after *until*, in seconds."""
        for interval, ring in self._rings.items():
            slots = self._slots(interval)
            first, last = (math.floor(at * slots / interval + ROUNDING) for at in (since, until))
            for place in range(first + 1, last + 1):
                yield from ring.get(place % slots, ())

    def _slots(self, interval: float) -> int:
        return max(1, math.ceil(interval / self.slot - ROUNDING))


def width(intervals: Sequence[float]) -> float:
    """Return the width of a slot for turns of these *intervals*, both in seconds.

    The shortest interval is a whole number of slots, and so are its multiples.
    """
    if not intervals:
        return WIDEST
    rate = sum(1 / interval for interval in intervals)  # turns a second
    shortest = min(intervals)
    widest = min(WIDEST, shortest / 4, max(NARROWEST, TOGETHER / rate))
    return shortest / math.ceil(shortest / widest - ROUNDING)


def _share(key: str) -> float:
    """Return the place of a key in every interval, 0 to 1."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) / 2**64
