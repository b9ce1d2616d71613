"""The queue, seen across the fleet: storms, turns, forgiveness, and clocks that were set back."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.store.queue import EPOCH, apply, began, claimed, ends, executed, fires, moved
from webhook.briefing import Briefing
from webhook.change import Change
from webhook.guard import Surroundings
from webhook.incident import State
from webhook.store import paging, surroundings, work
from webhook.store.database import connect
from webhook.store.work import Overtaken


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    fires(connection)
    yield connection
    connection.close()


def _down(db: sqlite3.Connection, *projects: str, after: int = 0) -> None:
    for each in projects:
        fires(db, project=each, after=after)


def _around(
    db: sqlite3.Connection, *parents: str, fleet: Sequence[str] = ("email-blast", "a", "b", "c")
) -> Surroundings:
    episode = make.episode(received_at=NOW)
    within = 60 * SECOND
    return surroundings.around(
        db, make.project(), episode, within=within, fleet=set(fleet), parents=parents
    )


def test_what_fell_at_about_the_same_time_is_known(db: sqlite3.Connection) -> None:
    _down(db, "a", after=60)
    _down(db, "b", after=61)
    _down(db, "nobody-s", after=1)
    assert sorted(_around(db).fell) == ["a", "email-blast"]


def test_a_parent_is_down_until_its_alert_ends(db: sqlite3.Connection) -> None:
    _down(db, "a")
    assert [_around(db, "a", "b").parents_down, _around(db, "b").parents_down] == [("a",), ()]
    ends(db, after=9, project="a")
    assert _around(db, "a", "b").parents_down == ()


def test_repairs_on_other_projects_are_counted_and_limit_the_next(db: sqlite3.Connection) -> None:
    apply(db, began(claimed(db)))
    fires(db, project="chatbot")
    claimed(db, after=1)
    case = claimed(db, after=1)
    assert (_around(db).repairs, case.incident.project) == (0, "chatbot")
    other = make.action(key="key-2", incident=2, project="chatbot")
    begun = replace(moved(case, State.REPAIRING), action_became=(other,), at_most=1)
    with pytest.raises(Overtaken, match="1 repairs are under way elsewhere"):
        apply(db, begun)
    apply(db, replace(begun, at_most=2))


def test_what_a_fallen_fleet_holds_is_looked_at_when_another_is_up(
    db: sqlite3.Connection,
) -> None:
    fires(db, project="chatbot")
    for _ in range(2):
        case = claimed(db)
        waits = case.incident.wait(NOW + 60 * SECOND, held="held", by="fleet")
        apply(db, Change(before=case.incident, after=waits))
    assert work.claim(db, epoch=EPOCH, at=NOW + SECOND) is None
    ends(db, after=1)
    assert {claimed(db, after=1).incident.project for _ in range(2)} == {"email-blast", "chatbot"}


def test_what_people_healed_counts_no_more_but_only_once_in_a_window(
    db: sqlite3.Connection,
) -> None:
    hour_ago = NOW - 3600 * SECOND
    for round_ in (1, 2):
        executed(db, f"key-{round_}", after=round_)
        apply(db, moved(claimed(db, after=round_ * 10), State.ESCALATED), after=round_ * 10)
        closed = moved(claimed(db, after=round_ * 10), State.CLOSED)
        apply(db, replace(closed, forgive=hour_ago), after=round_ * 10)
        ends(db, after=round_ * 10)
        fires(db, after=round_ * 10 + 1)
    assert [each.key for each in claimed(db, after=30).attempts] == ["key-2"]


def test_a_look_that_was_planned_before_the_clock_was_set_back_is_due(
    db: sqlite3.Connection,
) -> None:
    case = claimed(db)
    later = replace(case.incident, due_at=NOW + 30 * SECOND)
    apply(db, Change(before=case.incident, after=later))
    assert work.claim(db, epoch=EPOCH, at=NOW) is None
    assert work.claim(db, epoch=EPOCH, at=NOW - 3600 * SECOND) is not None


def test_what_is_being_done_is_claimed_before_all_that_waits_longer(
    db: sqlite3.Connection,
) -> None:
    fires(db, project="chatbot", after=1)
    claimed(db, after=1)
    begun = claimed(db, after=1)
    fires(db, project="crm", after=2)
    action = make.action(incident=begun.incident.id, project="chatbot")
    change = replace(moved(begun, State.REPAIRING, after=9), action_became=(action,))
    apply(db, change, after=9)
    assert [claimed(db, after=9).incident.project for _ in range(2)] == ["chatbot", "crm"]


def test_a_claim_of_an_earlier_life_was_interrupted(db: sqlite3.Connection) -> None:
    first = claimed(db, epoch=1)
    second = claimed(db, epoch=2)
    assert [first.interrupted, second.interrupted] == [False, True]


def test_a_release_by_an_earlier_life_changes_nothing(db: sqlite3.Connection) -> None:
    case = claimed(db, epoch=1)
    claimed(db, epoch=2)
    work.release(db, case.incident, epoch=1, due=NOW)
    assert work.claim(db, epoch=2, at=NOW) is None


def test_people_are_told_of_a_fallen_fleet_once_and_of_its_end_when_nothing_is_held(
    db: sqlite3.Connection,
) -> None:
    fires(db, project="chatbot")
    page = Briefing(labels={"alertname": "FleetDown"}, annotations={"summary": "x"})
    held = []
    for _ in range(2):
        case = claimed(db)
        waits = case.incident.wait(NOW + 15 * SECOND, held="held", by="fleet")
        apply(db, Change(before=case.incident, after=waits, page=page, reason="held"))
        held.append(case)
    assert [each.kind for each in paging.due(db, at=NOW)] == ["fleet"]
    for _ in held:
        apply(db, moved(claimed(db, after=15), State.CLOSED, after=15), after=15)
    assert [each.ended_at for each in paging.due(db, at=NOW + 15 * SECOND)] == [NOW + 15 * SECOND]
