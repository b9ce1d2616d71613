"""Durations, as Prometheus' configuration writes them."""

from datetime import timedelta

import pytest

from orchestrator import duration

LENGTHS = [
    timedelta(0),
    timedelta(milliseconds=1),
    timedelta(milliseconds=1001),
    timedelta(seconds=59, milliseconds=999),
    timedelta(minutes=1, seconds=30),
    timedelta(hours=23, minutes=59, seconds=59),
    timedelta(days=30),
    timedelta(days=365, hours=1, milliseconds=3),
    timedelta(days=999_999_999, milliseconds=0),
]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("500ms", timedelta(milliseconds=500)),
        ("5s", timedelta(seconds=5)),
        ("1m30s", timedelta(seconds=90)),
        ("90m5ms", timedelta(minutes=90, milliseconds=5)),
        ("2h", timedelta(hours=2)),
        ("30d", timedelta(days=30)),
        ("1d2h3m4s5ms", timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=5)),
        ("0s", timedelta(0)),
        ("007s", timedelta(seconds=7)),
    ],
)
def test_units_add_up(text: str, length: timedelta) -> None:
    assert duration.parse(text) == length


@pytest.mark.parametrize("length", LENGTHS)
def test_what_is_written_is_read_back(length: timedelta) -> None:
    assert duration.parse(duration.text(length)) == length


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(microseconds=1999), "1ms"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(hours=36), "1d12h"),
        (timedelta(minutes=5, milliseconds=5), "5m5ms"),
    ],
)
def test_a_length_is_written_in_the_largest_units(length: timedelta, text: str) -> None:
    assert duration.text(length) == text


@pytest.mark.parametrize(
    "text",
    ["", "5", "s", "1.5s", "-1s", "+1s", "1s1m", "1s1s", "5 s", " 5s", "5s\n", "5S", "1w", "٣s"],
)
def test_what_is_no_duration_is_told_the_form(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        duration.parse(text)
    assert str(refused.value) == (
        f"{text!r} is not a duration; write it like 500ms, 5s, 1m30s, 2h or 30d"
    )


@pytest.mark.parametrize("digits", [10, 400, 5000], ids=["days", "floats", "integers"])
def test_a_length_beyond_every_calendar_is_a_value_error(digits: int) -> None:
    text = "9" * digits + "d"
    with pytest.raises(ValueError, match=r".") as refused:
        duration.parse(text)
    assert str(refused.value) == f"{text[:40]!r} is too long a time"
