"""The search: every word that was said of an incident finds it, and no question can do harm."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhook.make import NOW, SECOND
from tests.webhook.store.fill import add
from webhook.store import housekeeping, search, stories
from webhook.store.database import atomic, connect
from webhook.store.stories import Wanted


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    yield connection
    connection.close()


def _index(db: sqlite3.Connection) -> int:
    """Take up all that is new; return in how many batches."""
    many = 0
    while (batch := search.gather(db)) is not None:
        many += 1
        with atomic(db):
            search.keep(db, batch)
    return many


def _found(db: sqlite3.Connection, words: str) -> list[int]:
    found = search.expression(words)
    assert found is not None
    return [
        each.incident.id for each in stories.page(db, Wanted(found=found), before=None, limit=9)
    ]


def _said(db: sqlite3.Connection) -> None:
    add(db, "incidents", project="email-blast", held="cooldown until tea")
    add(db, "incidents", project="b")
    annotations = {"summary": "email-blast is down.", "description": "connection refused"}
    add(db, "episodes", project="email-blast", annotations=annotations)
    add(db, "actions", name="command:wipe", detail="exit status 3", output="disk full\nETOOBIG")
    add(db, "approvals", question="may wipe run?", decided_by="bob", reason="payday")
    add(db, "requests", reason="saw smoke", asked_by="carol")
    add(db, "pages", reason="nothing more is tried")
    data = {"reason": "fleet share", "key": "secret-key", "attempt": 7}
    add(db, "events", project="email-blast", data=data)
    add(db, "events", project="b", incident=2)


@pytest.mark.parametrize(
    "words",
    [
        "email-blast",
        "EMAIL",
        "ProjectDown",
        "is down",
        "refus conn",
        "cooldown tea",
        "command:wipe",
        "status 3",
        "etoobig",
        "bob payday",
        "may wipe run",
        "smoke carol",
        "nothing tried",
        "fleet share",
    ],
)
def test_an_incident_is_found_by_what_was_said_of_it(db: sqlite3.Connection, words: str) -> None:
    _said(db)
    _index(db)
    assert _found(db, words) == [1]


@pytest.mark.parametrize("words", ["email chatbot", "secret-key", "lown", "tea AND NOT cooldown"])
def test_it_is_not_found_by_what_was_not_said(db: sqlite3.Connection, words: str) -> None:
    _said(db)
    _index(db)
    assert _found(db, words) == []


def test_what_is_said_later_is_found_once_it_is_taken_up(db: sqlite3.Connection) -> None:
    _said(db)
    _index(db)
    add(db, "events", project="email-blast", data={"reason": "afterthought"})
    before = _found(db, "afterthought")
    assert (before, _index(db), _found(db, "afterthought"), _index(db)) == ([], 1, [1], 0)


def test_events_of_nobody_are_passed_over(db: sqlite3.Connection) -> None:
    add(db, "events", project="", incident=None)
    assert (_index(db), search.gather(db)) == (1, None)


def test_very_many_events_are_taken_up_in_batches(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "AT_ONCE", 10)
    for number in range(1, 26):
        add(db, "incidents", project=f"p{number}")
        add(db, "events", project=f"p{number}", incident=number, data={"reason": "storm"})
    assert (_index(db), len(_found(db, "storm"))) == (3, 9)


def test_a_text_has_its_limit_and_the_rest_is_found(db: sqlite3.Connection) -> None:
    add(db, "incidents")
    for number in range(99):
        add(db, "actions", key=str(number), detail="x" * 90_000, output=f"{number} " * 9_000)
    add(db, "events")
    _index(db)
    [[length]] = db.execute("SELECT length(text) FROM sayings")
    assert (length <= search.LENGTH, _found(db, "restart_service")) == (True, [1])


def test_what_was_said_is_found_after_its_events_were_let_go_of(db: sqlite3.Connection) -> None:
    _said(db)
    _index(db)
    late = NOW + timedelta(days=400)
    with atomic(db):
        housekeeping.tidy(db, raw_before=late, events_before=late, limit=99)
    assert db.execute("SELECT count(*) FROM events").fetchone()[0] == 0
    assert (_found(db, "fleet share"), _index(db)) == ([1], 0)


def test_after_housekeeping_the_next_event_is_taken_up(db: sqlite3.Connection) -> None:
    _said(db)
    _index(db)
    db.execute("DELETE FROM events")
    add(db, "events", project="b", incident=2, at=NOW + SECOND, data={"reason": "later"})
    assert (_index(db), _found(db, "later")) == (1, [2])


@pytest.mark.parametrize("words", ["", "  ", "-- !", '"', "\0", "*", "\N{COMBINING ACUTE ACCENT}"])
def test_where_there_is_no_word_there_is_nothing_to_look_for(words: str) -> None:
    assert search.expression(words) is None


@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(
            ['"', "*", "NEAR(", "AND", "OR", "NOT", "text:", "{text}", "^", "+", ")", "'", ";", "a"]
        )
    ).map(" ".join)
)
def test_no_question_can_be_anything_but_words(words: str) -> None:
    found = search.expression(words)
    if found is not None:
        with _HOSTILE:
            _HOSTILE.execute("SELECT rowid FROM sayings WHERE sayings MATCH ?", (found,)).fetchall()


_HOSTILE = sqlite3.connect(":memory:", check_same_thread=False)
_HOSTILE.execute("CREATE VIRTUAL TABLE sayings USING fts5 (text)")
_HOSTILE.execute("INSERT INTO sayings (text) VALUES ('a and not near b')")
