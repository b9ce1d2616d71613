"""The past of an alert on a project: what ended, the newest first, found without a long look."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from time import process_time

import pytest

from tests.webhook.make import NOW, SECOND
from tests.webhook.store.fill import HOUR, add
from webhook.evidence.raw import Past
from webhook.store.database import connect
from webhook.store.pasts import past


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    yield connection
    connection.close()


def _ended(db: sqlite3.Connection, number: int, **changes: object) -> None:
    """Add an incident that ended after a minute, *number* hours ago."""
    opened = NOW - number * HOUR
    given = {
        "id": number,
        "state": "resolved",
        "opened_at": opened,
        "ended_at": opened + 60 * SECOND,
    }
    add(db, "incidents", **{**given, **changes})
    add(db, "episodes", incident=number, fingerprint=str(number), ended_at=opened + 60 * SECOND)


def test_an_incident_that_ended_is_told_with_what_was_done_and_what_came_of_it(
    db: sqlite3.Connection,
) -> None:
    _ended(db, 1)
    for place, state in enumerate(("failed", "completed")):
        at = NOW + place * SECOND
        add(db, "actions", key=state, state=state, executed_at=at, created_at=at)
    add(db, "actions", key="never", state="shadowed")
    add(db, "incidents", id=2)
    add(db, "actions", key="other", state="completed", incident=2, executed_at=NOW)
    assert past(db, "a", "ProjectDown") == (
        Past(
            incident=1,
            opened_at=NOW - HOUR,
            seconds=60.0,
            ended="resolved",
            actions=(("restart_service", "failed"), ("restart_service", "completed")),
        ),
    )


def test_what_goes_on_and_what_is_of_others_is_not_told(db: sqlite3.Connection) -> None:
    _ended(db, 1, project="b")
    _ended(db, 2, state="open", ended_at=None)
    _ended(db, 3, state="closed")
    assert [each.incident for each in past(db, "a", "ProjectDown")] == [3]
    assert past(db, "a", "ProjectHighCPU") == ()


def test_the_newest_come_first_and_five_are_enough(db: sqlite3.Connection) -> None:
    for number in range(1, 9):
        _ended(db, number)
    found = [[each.incident for each in past(db, "a", "ProjectDown", n)] for n in (2, 5)]
    assert found == [[1, 2], [1, 2, 3, 4, 5]]
    assert len(past(db, "a", "ProjectDown")) == 5


def test_a_clock_that_was_set_back_makes_no_time_less_than_none(db: sqlite3.Connection) -> None:
    _ended(db, 1, ended_at=NOW - timedelta(days=1))
    assert [each.seconds for each in past(db, "a", "ProjectDown")] == [0.0]


@pytest.mark.long
def test_ten_thousand_incidents_of_other_alerts_keep_nobody_waiting(
    db: sqlite3.Connection,
) -> None:
    for number in range(1, 10_001):
        _ended(db, number)
    began = process_time()
    assert past(db, "a", "ProjectHighCPU") == ()
    assert process_time() - began < 0.2


def test_no_question_reads_a_whole_table(db: sqlite3.Connection) -> None:
    _ended(db, 1)
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    past(db, "a", "ProjectDown")
    db.set_trace_callback(None)
    plans = [row["detail"] for each in asked for row in db.execute(f"EXPLAIN QUERY PLAN {each}")]
    looks = [each for each in plans if each.startswith(("SCAN", "SEARCH", "USE TEMP"))]
    assert looks == [
        "SEARCH incidents USING INDEX incidents_of_project (project=?)",
        "SEARCH episodes USING INDEX episodes_of_incident (incident=?)",
        "SEARCH actions USING INDEX actions_of_incident (incident=?)",
        "USE TEMP B-TREE FOR ORDER BY",  # of the few actions of one incident
    ]
