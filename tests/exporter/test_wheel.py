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


@pytest.mark.parametrize("seconds", [0.2, 0.7, 1.0, 4.9, 5.0, 30.0, 61.3])
def test_nobody_waits_longer_than_its_interval(seconds: float) -> None:
    wheel = Wheel([("a", timedelta(seconds=seconds), "a"), ("b", FIVE, "b")])
    slots = [slot for slot in range(2000) if "a" in wheel.due(slot)]
    apart = {(later - earlier) * wheel.slot for earlier, later in pairwise(slots)}
    assert len(apart) == 1
    assert seconds - wheel.slot < max(apart) <= seconds + 1e-5


@pytest.mark.parametrize("start", [0, 7, 10_001])
def test_every_turn_comes_once_an_interval_wherever_one_begins(start: int) -> None:
    wheel = Wheel((f"p{n}", FIVE, n) for n in range(500))
    slots = round(5 / wheel.slot)
    handed = Counter(turn for slot in range(start, start + slots) for turn in wheel.due(slot))
    assert handed == Counter(range(500))


def test_turns_of_other_intervals_have_rings_of_their_own() -> None:
    wheel = Wheel([("a", FIVE, "a"), ("b", timedelta(seconds=30), "b")])
    handed = Counter(turn for slot in range(120) for turn in wheel.due(slot))
    assert handed == {"a": 6, "b": 1}


def test_the_same_turn_is_an_interval_away_from_itself() -> None:
    wheel = Wheel([("a", FIVE, "a")])
    slots = [slot for slot in range(1000) if list(wheel.due(slot))]
    assert {later - earlier for earlier, later in pairwise(slots)} == {20}


def test_a_fleet_is_spread_over_its_interval() -> None:
    wheel = Wheel((f"project-{n}", FIVE, n) for n in range(5000))
    sizes = [len(list(wheel.due(slot))) for slot in range(100)]
    assert (sum(sizes), min(sizes) > 20, max(sizes) < 90) == (5000, True, True)


def test_who_stays_keeps_its_place_when_others_come_and_go() -> None:
    def places(names: range) -> dict[int, int]:
        wheel = Wheel((f"p{n}", FIVE, n) for n in names)
        return {turn: slot for slot in range(20) for turn in wheel.due(slot)}

    before, after = places(range(100)), places(range(50, 200))
    stayed = range(50, 100)
    assert {n: after[n] for n in stayed} == {n: before[n] for n in stayed}


def test_an_empty_wheel_turns() -> None:
    assert list(Wheel[str](()).due(3)) == []
