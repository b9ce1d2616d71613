"""A person's word binds for a length that nobody forgets, and only whom it is about."""

from datetime import datetime, timedelta
from itertools import product

import pytest

from tests.webhook.make import NOW, SECOND
from webhook.restraint import AHEAD, LONGEST, Kind, Restraint, Span, Unfit, span

HOUR = timedelta(hours=1)


def _span(
    kind: Kind = Kind.MAINTENANCE,
    project: str | None = "email-blast",
    *,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    length: timedelta | None = None,
) -> Span:
    return span(kind, project, starts_at=starts_at, ends_at=ends_at, length=length, now=NOW)


@pytest.mark.parametrize("started", [None, NOW - HOUR, NOW])
def test_what_has_begun_begins_now_whatever_the_clock_says_later(started: datetime | None) -> None:
    assert _span(starts_at=started, length=HOUR) == Span(starts_at=None, ends_at=NOW + HOUR)


def test_a_length_counts_from_the_start() -> None:
    begins = NOW + 2 * HOUR
    assert _span(starts_at=begins, length=HOUR) == Span(starts_at=begins, ends_at=begins + HOUR)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"ends_at": NOW}, "its end has passed already"),
        ({"length": timedelta(0)}, "its end has passed already"),
        ({"ends_at": NOW + HOUR, "starts_at": NOW + HOUR}, "it would end before it begins"),
        ({"length": LONGEST + SECOND}, "more than 30 days"),
        ({"length": timedelta.max}, "more than 30 days"),
        ({"ends_at": NOW + LONGEST + SECOND}, "more than 30 days"),
        ({"length": HOUR, "starts_at": NOW + AHEAD + SECOND}, "in more than a year"),
        ({}, "say how long"),
        ({"length": HOUR, "ends_at": NOW + HOUR}, "say how long"),
        ({"length": HOUR, "kind": Kind.KILL_SWITCH}, "hold email-blast instead"),
        ({"length": HOUR, "kind": Kind.HOLD, "project": None}, "there is the kill switch"),
        ({"length": HOUR, "kind": Kind.HOLD, "starts_at": NOW + HOUR}, "a hold begins now"),
    ],
)
def test_what_nobody_can_have_meant_is_refused_with_what_to_write(
    said: dict[str, object], why: str
) -> None:
    with pytest.raises(Unfit, match=why):
        _span(**said)  # type: ignore[arg-type]  # as the table has it


def test_the_longest_is_allowed() -> None:
    assert _span(length=LONGEST).ends_at == NOW + LONGEST


@pytest.mark.parametrize(
    ("starts", "ends", "lifted"),
    list(product([None, NOW, NOW + HOUR], [None, NOW, NOW + 2 * HOUR], [None, NOW])),
)
def test_a_state_is_told_of_every_moment(
    starts: datetime | None, ends: datetime | None, lifted: datetime | None
) -> None:
    made = Restraint(
        id=1,
        kind=Kind.MAINTENANCE,
        project=None,
        reason="moving",
        set_by="ann",
        starts_at=starts,
        ends_at=ends,
        lifted_at=lifted,
    )
    state = made.state(NOW)
    assert (state == "in_force") == (lifted is None and made.binds("email-blast", at=NOW))
    assert (state == "planned") == (lifted is None and starts == NOW + HOUR and ends != NOW)
