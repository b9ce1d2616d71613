"""A series in figures: right ones, few digits, nothing made up where nothing is known."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhook.evidence.raw import Series
from webhook.evidence.series import rounded, sparkline, summary

BEGIN = 1_790_000_000.0


def _series(*values: float, before: float | None = None, step: float = 30.0) -> Series:
    points = tuple((BEGIN + place * step, value) for place, value in enumerate(values))
    return Series(question="memory", unit="ratio", points=points, before=before)


def test_a_series_becomes_figures() -> None:
    rising = [0.5 + 0.005 * place for place in range(61)]
    assert summary(_series(*rising, before=0.5)) == {
        "question": "memory",
        "unit": "ratio",
        "last": 0.8,
        "min": 0.5,
        "max": 0.8,
        "mean": 0.65,
        "slope_per_minute": 0.01,
        "before": 0.5,
        "change": 0.3,
        "minutes": 30.0,
        "points": 61,
        "sparkline": "00112233445566778899",
    }


@pytest.mark.parametrize(
    ("before", "told"),
    [(None, (None, None)), (0.0, (0.0, None)), (math.nan, (None, None)), (-2.0, (-2.0, 2.0))],
)
def test_a_change_is_told_only_against_something(
    before: float | None, told: tuple[float | None, float | None]
) -> None:
    found = summary(_series(2.0, 2.0, before=before))
    assert found is not None
    assert (found["before"], found["change"]) == told


def test_what_is_no_number_is_passed_over_and_nothing_is_nothing() -> None:
    found = summary(_series(math.nan, 1.0, math.inf, 3.0))
    assert found is not None
    assert (found["points"], found["mean"]) == (2, 2.0)
    assert [summary(_series()), summary(_series(math.nan))] == [None, None]


def test_a_single_point_has_no_slope() -> None:
    found = summary(_series(7.0))
    assert found is not None
    assert (found["slope_per_minute"], found["minutes"], found["sparkline"][:2]) == (0.0, 0.0, "0-")  # type: ignore[index]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([1.0] * 20, "0" * 20),
        ([0.0] * 10 + [1.0] * 10, "0" * 10 + "9" * 10),
        ([0.0, 1.0], "0" + "-" * 18 + "9"),
    ],
)
def test_a_sparkline_is_twenty_digits_over_the_time(values: list[float], line: str) -> None:
    assert sparkline(_series(*values).points) == line


@pytest.mark.parametrize(
    ("value", "told"), [(0.123456, 0.1235), (123456.0, 123500.0), (-0.0, 0.0), (1e-9, 1e-9)]
)
def test_four_digits_are_enough(value: float, told: float) -> None:
    assert math.copysign(1, rounded(value)) == math.copysign(1, told)
    assert rounded(value) == told


@settings(max_examples=40)
@given(
    values=st.lists(st.floats(-1e99, 1e99), min_size=1, max_size=70),
    before=st.none() | st.floats(),
)
def test_whatever_was_measured_becomes_finite_figures(
    values: list[float], before: float | None
) -> None:
    found = summary(_series(*values, before=before))
    assert found is not None
    assert len(str(found["sparkline"])) == 20
    assert all(math.isfinite(each) for each in found.values() if isinstance(each, float))
