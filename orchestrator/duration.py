"""Lengths of time as Prometheus writes them: `500ms`, `5s`, `1m30s`, `2h`, `30d`."""

import re
from datetime import timedelta

FORM = "write it like 500ms, 5s, 1m30s, 2h or 30d"
_UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_SHAPE = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII)


def parse(text: str) -> timedelta:
    """Read a duration; raise ValueError, saying the form, for anything else (also for `""`).

    The form is that of the Prometheus configuration: whole numbers, units in falling order.
    """
    found = _SHAPE.fullmatch(text)
    if not text or found is None:
        raise ValueError(f"{text!r} is not a duration; {FORM}")
    parts = zip(found.groups(), _UNITS.values(), strict=True)
    try:
        return timedelta(seconds=sum(int(count) * unit for count, unit in parts if count))
    except (OverflowError, ValueError) as error:  # ValueError: more digits than Python reads
        raise ValueError(f"{text[:40]!r} is too long a time") from error


def text(length: timedelta) -> str:
    """Write *length* as `parse` reads it, cut to whole milliseconds; zero is `0s`."""
    rest = int(length / timedelta(milliseconds=1))
    parts = []
    for name, seconds in _UNITS.items():
        count, rest = divmod(rest, int(seconds * 1000))
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts) or "0s"
