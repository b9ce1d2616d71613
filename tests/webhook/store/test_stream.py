"""The stream's pages: everything once, and what cannot be had is named."""

import sqlite3
from collections.abc import Iterator

import pytest

from tests.webhook import make
from tests.webhook.make import NOW
from webhook import event
from webhook.store import rows
from webhook.store.database import atomic, connect
from webhook.store.stream import Page, newest, page


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    yield connection
    connection.close()


def _tell(db: sqlite3.Connection, many: int) -> None:
    with atomic(db):
        rows.publish(db, [event.escalated(make.incident(), "x", at=NOW)] * many)


def _forget(db: sqlite3.Connection, through: int) -> None:
    db.execute("DELETE FROM events WHERE id <= ?", (through,))


def _brief(found: Page) -> tuple[tuple[int, int] | None, list[object], int]:
    return found.gap, [each["id"] for each in found.events], found.reached


@pytest.mark.parametrize(
    ("kept_from", "after", "expected"),
    [
        (1, 0, (None, [1, 2], 2)),
        (1, 2, (None, [3, 4], 4)),
        (1, 4, (None, [5], 5)),
        (1, 5, (None, [], 5)),
        (3, 0, ((1, 2), [3, 4], 4)),
        (3, 1, ((2, 2), [3, 4], 4)),
        (3, 2, (None, [3, 4], 4)),
        (6, 0, ((1, 5), [], 5)),
        (6, 4, ((5, 5), [], 5)),
        (6, 5, (None, [], 5)),
        (1, 9, (None, [], 9)),  # of another database: nothing is made up
    ],
)
def test_a_page_has_what_comes_next_and_names_what_is_gone(
    db: sqlite3.Connection,
    kept_from: int,
    after: int,
    expected: tuple[tuple[int, int] | None, list[object], int],
) -> None:
    _tell(db, 5)
    _forget(db, kept_from - 1)
    assert _brief(page(db, after=after, limit=2)) == expected


def test_what_is_gone_between_two_that_are_kept_is_named_too(db: sqlite3.Connection) -> None:
    """A clock that was set back lets go of events that are younger than some that stay."""
    _tell(db, 6)
    db.execute("DELETE FROM events WHERE id IN (3, 4)")
    assert [_brief(page(db, after=after, limit=5)) for after in (0, 2, 3, 4)] == [
        (None, [1, 2], 2),
        ((3, 4), [5, 6], 6),
        ((4, 4), [5, 6], 6),
        (None, [5, 6], 6),
    ]


def test_the_newest_is_known_before_the_first_and_after_the_last_is_gone(
    db: sqlite3.Connection,
) -> None:
    before = newest(db)
    _tell(db, 3)
    _forget(db, 3)
    assert (before, newest(db)) == (0, 3)


def test_what_is_undone_leaves_no_gap(db: sqlite3.Connection) -> None:
    _tell(db, 1)
    with atomic(db):
        db.execute("SAVEPOINT job")
        rows.publish(db, [event.escalated(make.incident(), "x", at=NOW)] * 3)
        db.execute("ROLLBACK TO job")
        db.execute("RELEASE job")
    _tell(db, 1)
    assert _brief(page(db, after=0, limit=9)) == (None, [1, 2], 2)
