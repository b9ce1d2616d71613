"""What is only recorded is an action row that ends at once, and is read again with its case."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.store.queue import apply, claimed, ends, fires, moved
from webhook import action as law
from webhook import outcome
from webhook.action import Action
from webhook.case import Case
from webhook.change import Change
from webhook.incident import State
from webhook.store import trail
from webhook.store.database import connect

PENDING = make.action(state=law.State.PENDING, executed_at=None)
REASON = "dry run; would restart_service email-blast"
RECORDED = replace(PENDING, state=law.State.SHADOWED, finished_at=NOW, detail=REASON)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    fires(connection)
    yield connection
    connection.close()


def _shadowed(case: Case, action: Action = PENDING) -> Change:
    return outcome.shadowed(case, action, "act", REASON, NOW)


def test_the_record_is_read_with_its_case_and_counts_as_no_attempt(db: sqlite3.Connection) -> None:
    apply(db, _shadowed(claimed(db)))
    case = claimed(db)
    assert (case.shadowed, case.action, case.attempts) == ((RECORDED,), None, ())
    assert case.incident.state is State.OPEN


def test_the_record_is_audited_with_its_reason(db: sqlite3.Connection) -> None:
    apply(db, _shadowed(claimed(db)))
    moves = [row.entry.data for row in trail.stream(db) if row.entry.what == "action moved"]
    assert [text.partition('"to":')[2] for text in moves] == ['"pending"}', '"shadowed"}']
    assert REASON in moves[-1]


def test_an_incident_that_is_opened_again_begins_without_records(db: sqlite3.Connection) -> None:
    apply(db, _shadowed(claimed(db)))
    ends(db, after=1)
    apply(db, moved(claimed(db, after=1), State.CLOSED, after=1), after=1)
    fires(db, after=2)
    again = claimed(db, after=2)
    assert (again.incident.opened_at, again.shadowed) == (NOW + 2 * SECOND, ())


def test_the_records_of_other_projects_are_theirs(db: sqlite3.Connection) -> None:
    apply(db, _shadowed(claimed(db)))
    fires(db, after=1, project="chatbot")
    found = {
        case.incident.project: case.shadowed
        for case in (claimed(db, after=1), claimed(db, after=1))
    }
    assert found == {"email-blast": (RECORDED,), "chatbot": ()}


def test_a_record_leaves_room_for_an_action_under_way(db: sqlite3.Connection) -> None:
    apply(db, _shadowed(claimed(db)))
    case = claimed(db)
    other = replace(PENDING, key="key-2", name="start_service")
    apply(db, outcome.begun(case, other, NOW, at_most=9, detail="no approval needed"))
    assert [each.key for each in claimed(db).attempts] == ["key-2"]
