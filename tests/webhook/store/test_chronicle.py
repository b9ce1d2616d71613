"""The chronicle: one list of what happened, in pages that neither miss nor repeat anything."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webhook.make import NOW, SECOND
from tests.webhook.store.fill import HOUR, add
from webhook.store.chronicle import Entry, Stretch, between
from webhook.store.database import connect

ALL = Stretch(project=None, begin=NOW - HOUR, end=NOW + HOUR)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    add(connection, "incidents", project="a")
    add(connection, "incidents", project="b")
    yield connection
    connection.close()


def _event(db: sqlite3.Connection, seconds: float, name: str, project: str = "a") -> None:
    add(db, "events", at=NOW + seconds * SECOND, name=name, project=project, incident=None)


def _end(db: sqlite3.Connection, seconds: float, name: str, project: str = "a") -> None:
    add(
        db,
        "episodes",
        ended_at=NOW + seconds * SECOND,
        alertname=name,
        project=project,
        fingerprint=name,
        incident=1 if project == "a" else 2,
    )


def _names(found: list[Entry]) -> list[str]:
    return [getattr(each.what, "name", None) or each.what.alertname for each in found]  # type: ignore[union-attr]  # either


def _filled(db: sqlite3.Connection) -> None:
    _event(db, 0, "first")
    _event(db, 3, "of-b", "b")
    _end(db, 5, "end")
    _event(db, 5, "at-the-same-instant")
    _event(db, 4, "for-all", "")
    _end(db, 6, "end-of-b", "b")
    _event(db, 7, "last")
    add(db, "episodes", fingerprint="open", alertname="open")
    add(db, "episodes", fingerprint="x", alertname="of-nobody", incident=None, ended_at=NOW)


def test_events_and_the_ends_of_alerts_are_one_list(db: sqlite3.Connection) -> None:
    _filled(db)
    assert _names(between(db, ALL, limit=99)) == [
        "first",
        "of-b",
        "for-all",
        "end",
        "at-the-same-instant",
        "end-of-b",
        "last",
    ]


def test_what_is_for_the_whole_fleet_is_on_the_list_of_a_project_and_nothing_of_others(
    db: sqlite3.Connection,
) -> None:
    _filled(db)
    found = between(db, replace(ALL, project="a"), limit=99)
    assert _names(found) == ["first", "for-all", "end", "at-the-same-instant", "last"]


def test_the_begin_belongs_to_it_and_the_end_does_not(db: sqlite3.Connection) -> None:
    _filled(db)
    stretch = replace(ALL, begin=NOW + 5 * SECOND, end=NOW + 7 * SECOND)
    assert _names(between(db, stretch, limit=99)) == ["end", "at-the-same-instant", "end-of-b"]


def _paged(db: sqlite3.Connection, stretch: Stretch, limit: int) -> list[str]:
    seen: list[str] = []
    while found := between(db, stretch, limit=limit):
        seen += _names(found)
        assert len(seen) < 99, "it goes round in circles"
        stretch = replace(stretch, after=found[-1].place)
    return seen


_HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(["event", "end"]), st.integers(0, 4), st.sampled_from(["a", "b", ""])
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(_HAPPENINGS, st.integers(1, 4), st.sampled_from([None, "a"]))
def test_pages_miss_nothing_and_repeat_nothing(
    happenings: list[tuple[str, int, str]], limit: int, project: str | None
) -> None:
    db = connect(":memory:")
    add(db, "incidents", project="a")
    add(db, "incidents", project="b")
    for place, (kind, seconds, whose) in enumerate(happenings):
        (_event if kind == "event" else _end)(db, seconds, f"{place}", whose)
    stretch = replace(ALL, project=project)
    once = _names(between(db, stretch, limit=99))
    concerned = [
        str(place)
        for place, (kind, _, whose) in enumerate(happenings)
        if project is None or whose == project or (kind == "event" and whose == "")
    ]
    assert (_paged(db, stretch, limit), sorted(once)) == (once, sorted(concerned))
    db.close()


def test_a_reader_who_is_before_the_begin_starts_with_it(db: sqlite3.Connection) -> None:
    _filled(db)
    [first] = between(db, ALL, limit=1)
    stretch = replace(ALL, begin=NOW + 6 * SECOND, after=first.place)
    assert _names(between(db, stretch, limit=99)) == ["end-of-b", "last"]
