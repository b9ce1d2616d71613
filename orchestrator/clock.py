"""Instants: read once at the edge, handed in everywhere else, written one way."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

Clock = Callable[[], datetime]


def now() -> datetime:
    """Return this instant, in UTC."""
    return datetime.now(tz=UTC)  # noqa: TID251  the one place that reads the clock


@lru_cache(maxsize=128)  # a notification writes one instant dozens of times
def written(instant: datetime) -> str:
    """Write *instant* as UTC text of fixed width (microseconds, `Z`), which sorts as time does."""
    utc = instant.astimezone(UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='microseconds')}Z"  # strftime cuts the year 1 to one digit


def read(text: str) -> datetime:
    """Read an RFC 3339 instant with any offset and 0 to 9 fraction digits, as UTC.

    Nanoseconds are cut to microseconds. Raises ValueError when *text* names no instant or no
    offset, and OverflowError never: the year 1 with an offset is a ValueError, too.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no UTC offset")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} lies outside of the calendar") from error
