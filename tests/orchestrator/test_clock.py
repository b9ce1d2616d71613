"""Instants are written one way, and read back whatever their offset was."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from orchestrator import clock

EAST = timezone(timedelta(hours=5, minutes=30))
INSTANTS = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 1, 1, 12, tzinfo=EAST),
    datetime(2026, 1, 1, 12, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]


def test_now_is_an_instant_in_utc() -> None:
    assert clock.now().tzinfo is UTC


def test_time_does_not_go_backwards() -> None:
    assert clock.now() <= clock.now()


@pytest.mark.parametrize("instant", INSTANTS)
def test_what_is_written_is_read_back(instant: datetime) -> None:
    assert clock.read(clock.written(instant)) == instant


@pytest.mark.parametrize("instant", INSTANTS)
def test_every_instant_is_written_27_characters_wide(instant: datetime) -> None:
    assert len(clock.written(instant)) == 27


def test_text_sorts_as_time_does() -> None:
    assert sorted(INSTANTS, key=clock.written) == sorted(INSTANTS)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000Z"),
        (datetime(2026, 1, 1, 12, tzinfo=EAST), "2026-01-01T06:30:00.000000Z"),
        (datetime(2026, 1, 1, 12, 0, 0, 7, tzinfo=UTC), "2026-01-01T12:00:00.000007Z"),
    ],
)
def test_an_instant_is_written_in_utc(instant: datetime, text: str) -> None:
    assert clock.written(instant) == text


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-01T12:00:00Z", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2026-01-01T12:00:00+05:30", datetime(2026, 1, 1, 6, 30, tzinfo=UTC)),
        ("2026-01-01T00:00:00-01:00", datetime(2026, 1, 1, 1, tzinfo=UTC)),
        ("2026-01-01T12:00:00.5Z", datetime(2026, 1, 1, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-01-01T12:00:00.123456789Z", datetime(2026, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-01-01T12:00:00.999999999Z", datetime(2026, 1, 1, 12, 0, 0, 999_999, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_any_offset_and_fraction_is_read_as_utc(text: str, instant: datetime) -> None:
    assert (clock.read(text), clock.read(text).tzinfo) == (instant, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-01-01",
        "2026-01-01T12:00:00",
        "2026-13-01T12:00:00Z",
        "2026-01-01T25:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_what_names_no_instant_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        clock.read(text)
