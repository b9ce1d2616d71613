"""A request: who may be overridden, for how long it is good, and how it ends."""

from datetime import timedelta

import pytest

from tests.webhook.asking import FAR, request
from tests.webhook.make import NOW, SECOND
from webhook.guard import GUARDS, Block
from webhook.request import FORCIBLE, KNOWN, CannotForce, Outcome, forcing

FIRM = {"kill_switch", "observe", "dry_run"}
COOLING = Block(guard="cooldown", reason="cooldown 30s", until=NOW + 20 * SECOND)
HELD = Block(guard="hold", reason="hold by bob")


def test_every_guard_is_known_and_all_but_the_firm_ones_can_be_overridden() -> None:
    assert (*GUARDS, "attempts", "breaker", "precondition") == KNOWN
    assert set(FORCIBLE) == set(KNOWN) - FIRM


@pytest.mark.parametrize("name", FORCIBLE)
def test_what_can_be_overridden_is_taken_at_its_name(name: str) -> None:
    assert forcing([name]) == (name,)


@pytest.mark.parametrize("name", sorted(FIRM))
def test_a_firm_word_cannot_be_talked_around(name: str) -> None:
    with pytest.raises(CannotForce, match=f"{name} cannot be overridden; .* first"):
        forcing(["cooldown", name])


def test_a_guard_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(CannotForce) as refused:
        forcing(["cooldown", "coldown"])
    assert str(refused.value) == f"'coldown' is no guard; known: {', '.join(FORCIBLE)}"


def test_each_guard_counts_once_and_in_our_order() -> None:
    assert forcing(["cooldown", "hold", "cooldown"]) == ("hold", "cooldown")


@pytest.mark.parametrize(
    ("after", "late"),
    [
        (timedelta(0), False),
        (FAR - SECOND, False),
        (FAR, True),
        (-FAR + SECOND, False),
        (-FAR, True),
    ],
)
def test_it_is_good_for_five_minutes_by_a_clock_that_is_right(
    *, after: timedelta, late: bool
) -> None:
    assert request().late(NOW + after) is late


@pytest.mark.parametrize(
    ("forced", "stops"),
    [((), HELD), (("hold",), COOLING), (("cooldown",), HELD), (("hold", "cooldown"), None)],
)
def test_the_first_guard_that_is_not_overridden_stops_it(
    forced: tuple[str, ...], stops: Block | None
) -> None:
    assert request(forced=forced).stopped_by([HELD, COOLING]) == stops


def test_each_end_is_written_down() -> None:
    asked = request()
    assert asked.open
    assert asked.taken("key-1", ["cooldown"], at=NOW) == request(
        outcome=Outcome.TAKEN, ended_at=NOW, key="key-1", overrode=("cooldown",)
    )
    assert asked.refused("cooldown 30s", at=NOW, block=COOLING) == request(
        outcome=Outcome.REFUSED,
        ended_at=NOW,
        why="cooldown 30s",
        guard="cooldown",
        until=NOW + 20 * SECOND,
    )
    assert asked.expired(at=NOW) == request(
        outcome=Outcome.EXPIRED, ended_at=NOW, why="nobody took it up until 12:05:00 UTC"
    )
    assert not asked.expired(at=NOW).open
