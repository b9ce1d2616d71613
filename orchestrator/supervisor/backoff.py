"""Backoff: how long a service that keeps ending has to wait for its next start."""

from datetime import timedelta

FIRST = timedelta(milliseconds=500)
LONGEST = timedelta(seconds=30)
STEADY = timedelta(seconds=10)  # a run of this length ends a row of failures

_DOUBLINGS = 6  # after which LONGEST is passed; without a bound the power grows for ever


def delay(failures: int) -> timedelta:
    """Return the wait after *failures* short runs in a row (1 for the first)."""
    return min(LONGEST, FIRST * (1 << min(failures - 1, _DOUBLINGS)))


def failures(before: int, ran: timedelta) -> int:
    """Count the failures in a row, *before* of them known, after one more run that ended."""
    return 1 if ran >= STEADY else before + 1
