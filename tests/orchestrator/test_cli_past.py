"""Times that have passed: what people write is read, and what is no time says how to write one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cli.past import FORM, read

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 15, 30, tzinfo=BERLIN)  # 14:30 UTC


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("14:00", "2026-11-21 13:00"),
        ("2 PM", "2026-11-21 13:00"),
        ("2pm", "2026-11-21 13:00"),
        ("15:30", "2026-11-21 14:30"),
        ("16:00", "2026-11-20 15:00"),
        ("0:00", "2026-11-20 23:00"),
        ("2026-11-21 14:00", "2026-11-21 13:00"),
        ("2026-11-21", "2026-11-20 23:00"),
        ("2026-07-01 14:00", "2026-07-01 12:00"),
        ("2026-11-21T13:00:00Z", "2026-11-21 13:00"),
        ("2026-11-21T13:00:00-05:00", "2026-11-21 18:00"),
        ("13:00Z", "2026-11-21 13:00"),
        ("21 Nov 14:00", "2026-11-21 13:00"),
        ("2027-01-01", "2026-12-31 23:00"),
        ("2h", "2026-11-21 12:30"),
        ("1d30m", "2026-11-20 14:00"),
        ("0s", "2026-11-21 14:30"),
    ],
)
def test_what_people_write_is_an_instant(text: str, utc: str) -> None:
    assert read(text, now=NOW) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "14", "tomorrow", "yesterday", "25:00", "2026-13-01", "-2h", "now", "x" * 99),
        *("14:00 QQQ", "9" * 40, "2h ago", "0001-01-01T00:00+14:00", "99999999d", "\0", "14:00\n;"),
        *("2hours", "5", "11/12/2026 14:00", "11.12.2026 14:00", "11-12-2026 14:00", "Nov", "2"),
    ],
)
def test_what_is_no_time_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="is no time") as refused:
        read(text, now=NOW)
    assert FORM in str(refused.value)


@given(st.text(max_size=70))
def test_no_text_is_anything_but_an_instant_or_refused(text: str) -> None:
    try:
        found = read(text, now=NOW)
    except ValueError as error:
        assert FORM in str(error)  # noqa: PT017  either is right
    else:
        assert found.utcoffset() == timedelta(0)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2026, 11, 21)))  # noqa: DTZ001  of the zone
def test_a_whole_instant_is_what_it_says(written: datetime) -> None:
    again = read(written.isoformat(), now=NOW)
    assert again == written.replace(tzinfo=BERLIN).astimezone(UTC)
