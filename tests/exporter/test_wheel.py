"""Everybody's turn comes once an interval, spread over it, and at a place that does not move."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from exporter.wheel import Wheel, width

FIVE = timedelta(seconds=5)


@pytest.mark.parametrize(
    ("intervals", "slot"),
    [
        ([], 0.25),
        ([5.0] * 3, 0.25),
        ([5.0] * 3 + [0.2], 0.05),  # a quarter of the shortest
        ([5.0] * 640, 0.125),  # 128 turns a second
        ([10.0] * 500 + [30.0] * 500, 10 / 42),  # 0.24, but that the interval has whole ones
        ([5.0] * 5000, 0.05),
        ([86_400.0], 0.25),
    ],
)
def test_a_slot_is_wide_for_few_turns_and_narrow_for_many(
    intervals: list[float], slot: float
) -> None:
    assert width(intervals) == pytest.approx(slot)


def _asked(wheel: Wheel[str], until: float, *, since: float = 0.0) -> dict[str, list[float]]:
    """Turn *wheel* slot by slot; return when each turn came."""
    found: dict[str, list[float]] = {}
    at = since
    while at < until:
        for turn in wheel.due(at, at + wheel.slot):
            found.setdefault(turn, []).append(at)
        at += wheel.slot
    return found


def _fleet(*names: str, interval: timedelta = FIVE) -> Wheel[str]:
    return Wheel((name, interval, name) for name in names)


NAMES = [f"project-{number}" for number in range(300)]


@pytest.mark.parametrize("seconds", [0.2, 0.7, 1.0, 4.9, 5.0, 30.0, 61.3])
def test_everybody_is_asked_once_an_interval_among_others(seconds: float) -> None:
    wheel = Wheel([("a", timedelta(seconds=seconds), "a"), ("b", FIVE, "b"), ("c", FIVE, "c")])
    times = _asked(wheel, until=20 * seconds + 30)["a"]
    apart = {later - earlier for earlier, later in pairwise(times)}
    assert max(apart) < seconds + wheel.slot + 1e-6
    assert min(apart) > seconds - wheel.slot - 1e-6
    assert abs((times[-1] - times[0]) / (len(times) - 1) - seconds) < 0.02 * seconds


@pytest.mark.parametrize("start", [0.0, 7.3, 10_001.1])
def test_every_turn_comes_once_an_interval_wherever_one_begins(start: float) -> None:
    wheel = _fleet(*NAMES)
    handed = Counter(wheel.due(start, start + 5))
    assert handed == Counter(NAMES)


def test_no_turn_is_lost_between_two_looks() -> None:
    wheel = _fleet(*NAMES)
    steps = [0.0, 0.01, 0.7, 0.70001, 2.5, 4.999, 5.0]
    handed = Counter(turn for since, until in pairwise(steps) for turn in wheel.due(since, until))
    assert handed == Counter(NAMES)


def test_a_fleet_is_spread_over_its_interval() -> None:
    names = [f"project-{number}" for number in range(5000)]
    sizes = [len(list(_fleet(*names).due(slot / 20, (slot + 1) / 20))) for slot in range(100)]
    assert (sum(sizes), min(sizes) > 20, max(sizes) < 90) == (5000, True, True)


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (_fleet(*NAMES, "another"), "one more"),
        (_fleet(*NAMES[:3]), "most have left"),
        (Wheel([*((n, FIVE, n) for n in NAMES), ("fast", timedelta(seconds=0.5), "fast")]), "fast"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_who_stays_waits_no_longer_when_the_wheel_is_swapped(after: Wheel[str], why: str) -> None:
    swapped = 12.34
    before = _asked(_fleet(*NAMES), until=swapped)
    later = _asked(after, until=swapped + 6, since=swapped)
    stayed = set(before) & set(later)
    waits = [later[name][0] - before[name][-1] for name in stayed]
    assert (bool(stayed), max(waits) < 5.5) == (True, True), why


def test_an_empty_wheel_turns() -> None:
    assert list(Wheel[str](()).due(3, 4)) == []
