"""The watchdog's copy: people are told once when three in a row did not come, and of its return."""

import sqlite3
from typing import Any

import pytest

from tests.webhook import make
from webhook.watchdog import ANNOTATIONS, LABELS, Effects, Watchdog, barks, missed


@pytest.mark.parametrize(
    ("last_seen", "started", "now", "verdict"),
    [
        (None, 100.0, 100.0, False),
        (None, 100.0, 280.0, False),
        (None, 100.0, 280.1, True),
        (200.0, 100.0, 380.0, False),
        (200.0, 100.0, 380.1, True),
    ],
)
def test_three_periods_without_a_copy_are_too_many(
    last_seen: float | None,
    started: float,
    now: float,
    verdict: bool,  # noqa: FBT001  a column of the table
) -> None:
    assert missed(last_seen, started, now) is verdict


@pytest.mark.parametrize(
    ("raw", "verdict"),
    [
        (make.alert(alertname="Watchdog"), True),
        (make.alert(alertname="Watchdog", ended=make.NOW), False),
        (make.alert(), False),
    ],
)
def test_only_a_firing_watchdog_is_a_copy(
    raw: dict[str, Any],
    verdict: bool,  # noqa: FBT001  a column of the table
) -> None:
    assert barks(make.notification(raw).alerts[0]) is verdict


class Chain:
    """A clock that the test sets, and what was done about the watchdog at which second of it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.done: list[tuple[str, float]] = []
        self.broken = False

    def effects(self) -> Effects:
        async def note(what: str) -> None:
            if self.broken:
                raise sqlite3.OperationalError("database or disk is full")
            self.done.append((what, self.now))

        return Effects(
            monotonic=lambda: self.now,
            raise_alarm=lambda: note("raised"),
            settle=lambda: note("settled"),
        )


async def _live(copies: set[int], until: int) -> list[tuple[str, float]]:
    chain = Chain()
    dog = Watchdog(chain.effects())
    for second in range(0, until, 5):
        chain.now = float(second)
        if second in copies:
            dog.seen()
        await dog.look()
    return chain.done


@pytest.mark.parametrize(
    ("copies", "done"),
    [
        (set(range(0, 1000, 60)), [("settled", 0.0)]),
        (set(), [("raised", 185.0)]),
        ({0, 60}, [("settled", 0.0), ("raised", 245.0)]),
        ({0, 600, 660, 720, 780, 840, 900, 960}, [
            ("settled", 0.0), ("raised", 185.0), ("settled", 600.0),
        ]),
        ({120, 240, 420, 540, 660, 780, 960}, [("settled", 120.0)]),  # every other one is lost
    ],
)  # fmt: skip
async def test_people_are_told_once_and_once_of_its_return(
    copies: set[int], done: list[tuple[str, float]]
) -> None:
    assert await _live(copies, 1000) == done


async def test_an_alarm_that_could_not_be_stored_is_raised_at_the_next_look() -> None:
    chain = Chain()
    dog = Watchdog(chain.effects())
    chain.now, chain.broken = 200.0, True
    with pytest.raises(sqlite3.OperationalError):
        await dog.look()
    chain.broken = False
    await dog.look()
    assert chain.done == [("raised", 200.0)]


async def test_a_copy_ends_the_wait_for_the_next_look() -> None:
    chain = Chain()
    dog = Watchdog(chain.effects(), every=60)
    dog.seen()
    await dog.once()  # would take a minute
    assert chain.done == [("settled", 0.0)]


def test_the_alarm_is_ours_so_that_it_goes_to_people_and_never_back_to_us() -> None:
    assert LABELS["source"] == "orchestrator"
    assert set(ANNOTATIONS) == {"summary", "description", "runbook_url"}
