"""The audit in its table: read in order, its oldest part let go, and what a forger leaves."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webhook.make import NOW
from webhook import audit
from webhook.audit import Head
from webhook.chain import Break
from webhook.store import rows, trail
from webhook.store.database import atomic, connect
from webhook.store.trail import BrokenAudit, NoAudit, Page

DAY = timedelta(days=1)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def empty() -> Iterator[sqlite3.Connection]:
    """Open one to be copied: to make the tables takes longer than everything else."""
    connection = connect(":memory:")
    yield connection
    connection.close()


def _append(db: sqlite3.Connection, *days: int, what: str = "said") -> None:
    """Append a row of each of these days before NOW."""
    entries = [audit.entry(what, {"project": f"p-{day}"}, at=NOW - day * DAY) for day in days]
    with atomic(db):
        rows.record(db, *entries)


def _prune(db: sqlite3.Connection, *, keep: int = 30, limit: int = 99, at: datetime = NOW) -> int:
    with atomic(db):
        return trail.prune(db, before=at - keep * DAY, at=at, limit=limit)


def _ids(db: sqlite3.Connection) -> list[int]:
    return [row.id for row in trail.stream(db)]


def _unguarded(db: sqlite3.Connection) -> None:
    """Do away with the triggers, as somebody can who has the file."""
    for [name] in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")


def _at_fault(db: sqlite3.Connection, *heads: Head) -> int | None:
    broken = trail.verified(db, heads).broken
    return None if broken is None else broken.row


def test_what_is_old_goes_and_a_row_says_how_far(db: sqlite3.Connection) -> None:
    _append(db, 40, 35, 32, 29, 1)
    gone = [row.hash for row in trail.stream(db)][2]
    assert _prune(db) == 3
    [*_, last] = trail.stream(db)
    assert (_ids(db), last.entry) == (
        [4, 5, 6],
        audit.pruned(Head(rows=3, hash=gone), at=NOW),
    )
    verdict = trail.verified(db)
    assert (verdict.begin, verdict.head, verdict.broken) == (
        Head(rows=3, hash=gone),
        trail.head(db),
        None,
    )


def test_nothing_young_goes_and_little_waits_for_a_day(db: sqlite3.Connection) -> None:
    _append(db, 31, 30, 29)
    assert (_prune(db), _ids(db)) == (0, [1, 2, 3])
    later = NOW + timedelta(seconds=1)
    assert (_prune(db, at=later), _ids(db)) == (2, [3, 4])


def test_a_portion_is_bounded_and_the_next_begins_behind_it(db: sqlite3.Connection) -> None:
    _append(db, *range(50, 40, -1))
    assert [_prune(db, limit=4) for _ in range(4)] == [4, 4, 2, 0]
    assert (_ids(db), _at_fault(db)) == ([11, 12, 13], None)


def test_a_whole_portion_does_not_wait(db: sqlite3.Connection) -> None:
    _append(db, 31, 31, 31)
    assert (_prune(db, limit=4), _prune(db, limit=3), _ids(db)) == (0, 3, [4])


def test_all_may_go_and_the_row_that_says_so_stays(db: sqlite3.Connection) -> None:
    _append(db, 50, 40)
    assert (_prune(db), _ids(db), _at_fault(db)) == (2, [3], None)
    _append(db, 0)
    assert (_ids(db), trail.head(db).rows) == ([3, 4], 4)


def test_what_comes_behind_a_young_row_stays_with_it(db: sqlite3.Connection) -> None:
    _append(db, 40, 1, 40)
    assert (_prune(db), _ids(db)) == (1, [2, 3, 4])


def test_nothing_can_be_deleted_that_no_anchor_covers(db: sqlite3.Connection) -> None:
    _append(db, 40, 1)
    _prune(db)
    for statement in (
        "DELETE FROM audit WHERE id = 2",
        "UPDATE audit SET actor = 'nobody' WHERE id = 2",
        "DELETE FROM audit_anchors",
        "UPDATE audit_anchors SET through = 2",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="the audit only appends"):
            db.execute(statement)


def test_a_portion_that_was_changed_stays_as_evidence(db: sqlite3.Connection) -> None:
    _append(db, 40, 39, 38)
    _unguarded(db)
    db.execute("UPDATE audit SET actor = 'nobody' WHERE id = 2")
    with pytest.raises(BrokenAudit, match="nothing of the audit is let go of: row 2: it was chan"):
        _prune(db)
    assert _ids(db) == [1, 2, 3]


def test_what_somebody_else_deleted_is_not_covered_by_the_next_anchor(
    db: sqlite3.Connection,
) -> None:
    _append(db, 40, 39, 38, 37)
    [_, second, *_] = trail.stream(db)
    db.execute(
        "INSERT INTO audit_anchors (through, hash, at, told) VALUES (2, ?, '', 4)", (second.hash,)
    )
    db.execute("DELETE FROM audit WHERE id <= 2")
    silent = Break(row=2, what="rows up to 2 are gone, and no row says that they were let go of")
    assert trail.verified(db).broken == silent
    with pytest.raises(BrokenAudit, match="row 2: rows up to here are gone, and no row says so"):
        _prune(db)
    assert trail.verified(db).broken == silent


def test_old_rows_that_come_back_are_found_and_not_swept_away(db: sqlite3.Connection) -> None:
    _append(db, 50, 49, 35)
    _prune(db, keep=40)
    first = (1, "", "", "", "", "", "")
    db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", first)
    assert _at_fault(db) == 1
    with pytest.raises(BrokenAudit, match="row 2: rows that were let go of are there"):
        _prune(db)


def test_a_cut_tail_and_an_audit_hashed_anew_are_shown_by_a_head(db: sqlite3.Connection) -> None:
    _append(db, *range(9, 0, -1))
    noted, before = trail.head(db), [row.entry for row in trail.stream(db)]
    _unguarded(db)
    db.execute("DELETE FROM audit WHERE id > 6")
    assert (_at_fault(db), _at_fault(db, noted)) == (None, 7)
    db.execute("DELETE FROM audit")
    rows.record(db, *(replace(each, actor="nobody") for each in before))
    assert (_at_fault(db), _at_fault(db, noted)) == (None, 9)


@pytest.mark.parametrize("value", [b"\xff\x00", "\udcff".encode("utf-8", "surrogatepass"), 12])
def test_whatever_stands_in_a_row_it_is_only_broken(db: sqlite3.Connection, value: object) -> None:
    _append(db, 3, 2, 1)
    _unguarded(db)
    db.execute("UPDATE audit SET data = ? WHERE id = 2", (value,))
    assert _at_fault(db) == 2


def test_a_file_of_something_else_is_told_as_such() -> None:
    with closing(sqlite3.connect(":memory:")) as other, pytest.raises(NoAudit):
        trail.verified(other)


def test_a_database_of_a_version_without_anchors_is_verified(db: sqlite3.Connection) -> None:
    _append(db, 2, 1)
    db.execute("DROP TABLE audit_anchors")
    assert _at_fault(db) is None


def test_a_page_has_what_is_asked_for_and_where_the_next_begins(db: sqlite3.Connection) -> None:
    _append(db, 3, 2, 3, what="one")
    _append(db, 3, what="other")
    every = tuple(trail.stream(db))
    assert trail.page(db, after=0, limit=2) == Page(rows=every[:2], next=2)
    assert trail.page(db, after=2, limit=2) == Page(rows=every[2:], next=None)
    assert trail.page(db, after=0, limit=9, what="one", project="p-3") == Page(
        rows=(every[0], every[2]), next=None
    )


def test_a_page_looks_at_so_many_rows_and_goes_on_behind_them(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "LOOKED_AT", 3)
    _append(db, *range(50, 40, -1))
    _append(db, 0, what="rare")
    _prune(db, limit=5)
    ways, after = [], 0
    while (page := trail.page(db, after=after, limit=9, what="rare")).next is not None:
        ways.append((after, len(page.rows)))
        after = page.next
    assert (ways, [row.id for row in page.rows]) == ([(0, 0), (8, 1)], [])


def test_the_rows_from_an_instant_on_are_found(db: sqlite3.Connection) -> None:
    _append(db, 3, 2, 1)
    assert [trail.up_to(db, NOW - day * DAY) for day in (9, 2, 0)] == [0, 1, 3]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 5)),
        st.tuples(st.just("prune"), st.integers(1, 5)),
    ),
    min_size=1,
    max_size=12,
)
FORGERIES = {
    "changed": "UPDATE audit SET data = '{}' WHERE id = ?",
    "hash": "UPDATE audit SET hash = previous WHERE id = ?",
    "deleted": "DELETE FROM audit WHERE id = ?",
    "inserted": "INSERT INTO audit SELECT id + 100, at, actor, what, data, previous, hash"
    " FROM audit WHERE id = ?",
    "anchor": "INSERT INTO audit_anchors SELECT id, hash, at, id FROM audit WHERE id = ?",
}


def _told(steps: list[tuple[str, int]], db: sqlite3.Connection) -> None:
    for day, (step, many) in enumerate(steps):
        at = NOW + 2 * day * DAY
        if step == "prune":
            with atomic(db):
                trail.prune(db, before=at - 5 * DAY, at=at, limit=many)
        else:
            with atomic(db):
                rows.record(db, *[audit.entry("said", {"n": each}, at=at) for each in range(many)])


@given(steps=STEPS, data=st.data())
@settings(max_examples=30, deadline=None)
def test_whatever_was_appended_and_let_go_of_is_whole_and_each_forgery_is_found(
    empty: sqlite3.Connection, steps: list[tuple[str, int]], data: st.DataObject
) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        empty.backup(db)
        _told(steps, db)
        noted = trail.head(db)
        assert trail.verified(db, [noted]).broken is None
        ids = _ids(db)
        if not ids:
            return
        _unguarded(db)
        name = data.draw(st.sampled_from(sorted(FORGERIES)))
        row = data.draw(st.sampled_from(ids))
        changed = db.execute(FORGERIES[name], (row,)).rowcount
        assert (changed, _at_fault(db, noted) is None) == (1, False), (name, row)
