"""A series as a model and people read it: few figures, and a line of twenty digits."""

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Final

from webhook.evidence.item import Json
from webhook.evidence.raw import Series

DIGITS: Final = 4  # significant ones
PARTS: Final = 20  # of a sparkline
GAP: Final = "-"  # of a sparkline, where nothing was measured
LARGEST: Final = 1e100  # of what can be measured; nothing overflows that is made of such
MINUTE: Final = 60.0

Points = Sequence[tuple[float, float]]


def rounded(value: float) -> float:
    """Return *value* with four significant digits; it is finite."""
    return float(f"{value:.{DIGITS}g}") + 0.0  # and no -0.0


def summary(series: Series) -> dict[str, Json] | None:
    """Say in figures how *series* went; None when it has no point.

    `change` is that of the mean against as long a time just before, as a share of it; None where
    that is not known, or was nothing.
    """
    points = [(at, value) for at, value in series.points if sane(at) and sane(value)]
    if not points:
        return None
    values = [value for _, value in points]
    mean = fmean(values)
    before = series.before if series.before is not None and sane(series.before) else None
    return {
        "question": series.question,
        "unit": series.unit,
        "last": rounded(values[-1]),
        "min": rounded(min(values)),
        "max": rounded(max(values)),
        "mean": rounded(mean),
        "slope_per_minute": rounded(_slope(points) * MINUTE),
        "before": None if before is None else rounded(before),
        "change": _change(before, mean),
        "minutes": rounded((points[-1][0] - points[0][0]) / MINUTE),
        "points": len(points),
        "sparkline": sparkline(points),
    }


def sane(value: float) -> bool:
    """Tell whether *value* is a number that can be reckoned with."""
    return abs(value) <= LARGEST


def _change(before: float | None, now: float) -> float | None:
    """Return the change as a share of what was before; None of nothing, and of next to nothing."""
    share = (now - before) / abs(before) if before else math.nan
    return rounded(share) if sane(share) else None


def _slope(points: Points) -> float:
    """Return what it rises by in a second, by least squares; 0 of a single instant."""
    middle, level = fmean(at for at, _ in points), fmean(value for _, value in points)
    spread = math.fsum((at - middle) ** 2 for at, _ in points)
    together = math.fsum((at - middle) * (value - level) for at, value in points)
    return together / spread if spread else 0.0


def sparkline(points: Points) -> str:
    """Draw *points* in twenty digits, oldest first: 0 is the least of them, 9 the most.

    A digit is the mean of its part of the time. What never changed is all 0.
    """
    first, last = points[0][0], points[-1][0]
    parts: list[list[float]] = [[] for _ in range(PARTS)]
    for at, value in points:
        share = (at - first) / (last - first) if last > first else 0.0
        parts[min(int(share * PARTS), PARTS - 1)].append(value)
    means = [fmean(each) if each else None for each in parts]
    low = min(each for each in means if each is not None)
    high = max(each for each in means if each is not None)
    return "".join(GAP if each is None else _digit(each, low, high) for each in means)


def _digit(value: float, low: float, high: float) -> str:
    if high <= low:
        return "0"
    return str(min(int(10 * (value - low) / (high - low)), 9))
