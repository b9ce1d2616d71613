"""How events spell names and lengths of time."""

from datetime import timedelta

import pytest

from webhook.event import slug, spoken


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(8, "8 s"), (1.5, "1.5 s"), (0.04, "0 s"), (119.9, "119.9 s"), (125.4, "2m5s"), (7200, "2h")],
)
def test_a_length_of_time_is_said_as_people_would(seconds: float, text: str) -> None:
    assert spoken(timedelta(seconds=seconds)) == text


def test_a_name_is_spelt_as_event_names_are() -> None:
    assert slug("email-blast-2") == "EMAIL_BLAST_2"
