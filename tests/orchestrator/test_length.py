"""A length as an option: it is read in one form, and kept within its bounds."""

from datetime import timedelta

import click
import pytest

from orchestrator import duration
from orchestrator.length import Length

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("most", "text", "length"),
    [
        (None, "1m30s", timedelta(seconds=90)),
        (None, "0s", timedelta(0)),
        (HOUR, "1h", HOUR),
        (HOUR, "1ms", timedelta(milliseconds=1)),
    ],
)
def test_a_length_within_its_bounds_is_read(
    most: timedelta | None, text: str, length: timedelta
) -> None:
    assert Length(most).convert(text, None, None) == length


@pytest.mark.parametrize(
    ("most", "text", "said"),
    [
        (None, "soon", f"'soon' is not a duration; {duration.FORM}"),
        (HOUR, "10", f"'10' is not a duration; {duration.FORM}"),
        (HOUR, "0s", "longer than 0s and at most 1h, please"),
        (HOUR, "1h1ms", "longer than 0s and at most 1h, please"),
    ],
)
def test_any_other_is_refused_with_what_to_write(
    most: timedelta | None, text: str, said: str
) -> None:
    with pytest.raises(click.BadParameter) as refused:
        Length(most).convert(text, None, None)
    assert refused.value.message == said
