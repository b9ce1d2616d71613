"""What is told of one by one: the newest of our projects, whatever strangers have sent since."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.webhook.make import NOW, SECOND
from tests.webhook.store.fill import add
from webhook.store.database import connect
from webhook.store.lately import MOST
from webhook.store.particulars import SINGLE, Particulars, Single, particulars

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    yield connection
    connection.close()


def _told(db: sqlite3.Connection, *projects: str) -> Particulars:
    return particulars(db, now=NOW, projects=projects or ("a",))


def test_of_an_empty_database_nothing_is_told(db: sqlite3.Connection) -> None:
    assert _told(db) == Particulars(questions=(), troubles=(), lately={})


def test_each_question_that_waits_is_told_of_the_newest_first(db: sqlite3.Connection) -> None:
    add(db, "incidents")
    for key, asked, decision in (("1", 5, None), ("2", 4, "expired"), ("3", 3, None)):
        add(db, "actions", key=key, name="clear_cache")
        add(db, "approvals", action=key, asked_at=NOW - asked * SECOND, decision=decision)
    assert _told(db).questions == (
        Single(id=3, project="a", told="clear_cache", since=NOW - 3 * SECOND),
        Single(id=1, project="a", told="clear_cache", since=NOW - 5 * SECOND),
    )


def test_each_incident_that_goes_on_is_told_of_the_newest_first(db: sqlite3.Connection) -> None:
    add(db, "incidents", project="new", opened_at=NOW, state="verifying")
    add(db, "incidents", project="old", opened_at=NOW - HOUR)
    add(db, "incidents", project="over", opened_at=NOW, state="resolved")
    add(db, "incidents", project="off", opened_at=NOW, state="closed")
    assert _told(db, "new", "old", "over", "off").troubles == (
        Single(id=1, project="new", told="verifying", since=NOW),
        Single(id=2, project="old", told="open", since=NOW - HOUR),
    )


def _ask(db: sqlite3.Connection, number: int) -> str:
    """Add a project with an incident and a question, the newer the higher its number."""
    project, at = f"p{number}", NOW + number * SECOND
    add(db, "incidents", id=number, project=project, opened_at=at)
    key = {"incident": number, "project": project}
    add(db, "actions", key=f"key-{number}", **key)
    add(db, "approvals", id=number, action=f"key-{number}", asked_at=at, **key)
    return project


def test_of_many_at_once_only_the_newest_are_told_of(db: sqlite3.Connection) -> None:
    projects = [_ask(db, number) for number in range(1, SINGLE + 3)]
    found, newest = _told(db, *projects), list(range(SINGLE + 2, 2, -1))
    assert [each.id for each in found.questions] == newest
    assert [each.id for each in found.troubles] == newest


def test_what_is_ours_is_told_of_however_many_of_strangers_are_newer(
    db: sqlite3.Connection,
) -> None:
    ours, *_ = [_ask(db, number) for number in range(1, SINGLE + 2)]
    found = _told(db, ours)
    assert [each.project for each in (*found.questions, *found.troubles)] == [ours, ours]


def test_what_was_done_is_told_of_for_a_month(db: sqlite3.Connection) -> None:
    add(db, "incidents")
    for project, ago in (("a", 29), ("b", 31)):
        at = NOW - ago * DAY
        add(db, "actions", key=project, project=project, executed_at=at, state="executing")
    assert _told(db, "a", "b").lately == {("a", "restart_service", "begun"): NOW - 29 * DAY}


def test_what_was_done_on_ours_is_told_of_however_much_was_on_what_has_gone(
    db: sqlite3.Connection,
) -> None:
    add(db, "incidents")
    for number in range(MOST + 1):
        at = NOW - (MOST - number) * SECOND
        add(db, "actions", key=f"{number}", project=f"p{number}", executed_at=at, state="unknown")
    assert _told(db, "p0").lately == {("p0", "restart_service", "begun"): NOW - MOST * SECOND}
