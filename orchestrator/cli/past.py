"""Times that have passed, as people write them."""

import re
import warnings
from datetime import UTC, datetime, timedelta

import click
from dateutil import parser, tz  # type: ignore[import-untyped]  # four names of it are used

from orchestrator import clock, duration

FORM = (
    "write it like 14:00, '2 PM', '2026-11-21 14:00', 2026-11-21T13:00:00Z, or 2h for so long ago"
)
LONGEST = 60  # characters
# dateutil makes an instant of nearly everything: of 14 a day, of -2h and 2hours the hour 2.
_PLAIN = re.compile(
    r"(?=.*(?:\d:\d\d|\d ?[AaPp][Mm]\b|\d{4}-\d\d-\d\d))[A-Za-z0-9][\w :.,+-]*", re.ASCII
)
_EITHER = re.compile(r"\b\d{1,2}[.-]\d{1,2}[.-]\d")  # is it day and month, or month and day?
_TWO_DAYS = (datetime(2000, 1, 30), datetime(2004, 3, 31))  # noqa: DTZ001  only their days count


class Past(click.ParamType[str]):
    """An instant; what names no zone is meant in this machine's. Given on as the API has it."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read *value*, or end the command with what to write."""
        try:
            return clock.written(read(value, now=clock.now().astimezone(tz.tzlocal())))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def read(text: str, *, now: datetime) -> datetime:
    """Return the instant that *text* names; raise ValueError, saying the forms.

    A length is so long before *now*. A time of the day that is still to come was yesterday's. What
    names no zone is meant in that of *now*.
    """
    try:
        return now - duration.parse(text)
    except (ValueError, OverflowError):
        pass
    if len(text) > LONGEST or not _PLAIN.fullmatch(text) or _EITHER.search(text):
        raise _Unreadable(text)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    named = _parsed(text, midnight)
    days = {_parsed(text, each).date() for each in _TWO_DAYS}
    found = named if named.tzinfo else named.replace(tzinfo=now.tzinfo)
    try:
        only_time = len(days) > 1 and named.date() == midnight.date()
        passed = found - timedelta(days=1) if only_time and found > now else found
        return passed.astimezone(UTC)
    except OverflowError:
        raise _Unreadable(text) from None


def _parsed(text: str, default: datetime) -> datetime:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", parser.UnknownTimezoneWarning)  # it would be passed over
            found: datetime = parser.parse(text, default=default)
    except (ValueError, OverflowError, TypeError, parser.UnknownTimezoneWarning):
        raise _Unreadable(text) from None
    return found


class _Unreadable(ValueError):
    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:LONGEST]!r} is no time; {FORM}")
