"""Explained: what is read back of an analysis is what was kept, and no more is said after it."""

import json
import sqlite3
from collections.abc import Iterator

import pytest

from tests.webhook.make import NOW, SECOND
from tests.webhook.reasoned import ANSWER, PACK, analysis, answered, call, decided, fill
from tests.webhook.store.fill import add
from webhook.action import State
from webhook.analyzer.analysis import Decision, Gate
from webhook.analyzer.learning import Came
from webhook.evidence.pack import wire
from webhook.store.database import connect
from webhook.store.explained import After, Standing, explained, standing


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """Open an empty database."""
    with connect(":memory:") as made:
        yield made
    made.close()


def test_an_analysis_is_read_back_whole(db: sqlite3.Connection) -> None:
    fill(db)
    first, *_ = explained(db, 1, limit=20, now=NOW)
    assert (first.analysis.answer, first.analysis.decision) == (ANSWER, Decision.HUMAN)
    assert first.gates[0] == Gate(
        name="answered", passed=True, why="claude-sonnet-5-5 has answered"
    )
    assert first.pack == json.loads(wire(PACK))
    assert (first.confidence, first.cost) == ((0.9, 0.9, 0.72), 54_100_000)
    assert [(each.outcome, each.seconds) for each in first.attempts] == [
        ("overloaded", 0.4),
        ("ok", 3.2),
    ]
    assert first.after.action is not None
    assert first.after.action.state is State.REJECTED


def test_the_newest_are_told_the_oldest_first(db: sqlite3.Connection) -> None:
    fill(db)
    assert [each.analysis.id for each in explained(db, 1, limit=2, now=NOW)] == [2, 3]
    assert explained(db, 2, limit=2, now=NOW) == ()


def test_a_call_that_is_not_settled_costs_what_was_reserved(db: sqlite3.Connection) -> None:
    add(db, "incidents")
    analysis(db, 1, state="running")
    call(db, reserved=7)
    call(db, reserved=7, cost=0)
    call(db, reserved=7, cost=3)
    [found] = explained(db, 1, limit=1, now=NOW)
    assert found.cost == 10


def test_nothing_has_happened_after_what_is_not_decided(db: sqlite3.Connection) -> None:
    add(db, "incidents")
    add(db, "episodes", ended_at=NOW)
    analysis(db, 1, **answered())
    [found] = explained(db, 1, limit=1, now=NOW)
    assert (found.after, found.confidence) == (After(), None)


def test_an_alert_has_ended_when_all_of_it_has(db: sqlite3.Connection) -> None:
    add(db, "incidents")
    add(db, "episodes", ended_at=NOW + SECOND)
    add(db, "episodes", fingerprint="g")
    analysis(db, 1, **answered(action="none"), **decided("observe"))
    [goes_on] = explained(db, 1, limit=1, now=NOW)
    assert goes_on.after == After(came=Came.OPEN)
    db.execute("UPDATE episodes SET ended_at = '2026-11-21T12:00:08.000000Z' WHERE id = 2")
    [over] = explained(db, 1, limit=1, now=NOW)
    assert over.after == After(ended_at=NOW + 8 * SECOND, came=Came.OPEN)


def test_half_an_hour_later_it_is_told_what_came_of_a_decision(db: sqlite3.Connection) -> None:
    add(db, "incidents")
    add(db, "episodes", ended_at=NOW + SECOND)
    analysis(db, 1, **answered(action="none"), **decided("observe"))
    for later, came in ((29, Came.OPEN), (31, Came.ENDED)):
        [found] = explained(db, 1, limit=1, now=NOW + later * 60 * SECOND)
        assert found.after == After(ended_at=NOW + SECOND, came=came)


def test_an_alert_of_another_name_says_nothing_of_it(db: sqlite3.Connection) -> None:
    add(db, "incidents")
    add(db, "episodes", ended_at=NOW, alertname="ProjectHighCPU", received_at=NOW + 60 * SECOND)
    analysis(db, 1, **answered(action="none"), **decided("observe"))
    [found] = explained(db, 1, limit=1, now=NOW)
    assert found.after == After(came=Came.OPEN)


def test_what_is_under_way_and_what_was_done_lately_is_counted(db: sqlite3.Connection) -> None:
    fill(db)
    analysis(db, 4)
    analysis(db, 5)
    analysis(db, 6, state="running")
    analysis(db, 7, **answered(answered_at=NOW + 10 * SECOND))
    assert standing(db, since=NOW) == Standing(
        waiting=2,
        running=1,
        answered={"claude": 2, "rules": 1},
        decided={"human": 1, "playbook": 1},
    )
    assert standing(db, since=NOW + 5 * SECOND) == Standing(
        waiting=2, running=1, answered={"claude": 1}, decided={}
    )


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT * FROM analyses WHERE incident = 1 ORDER BY id DESC", "analyses_of_incident"),
        ("SELECT * FROM calls WHERE analysis IN (1, 2) ORDER BY id", "calls_of_analysis"),
        ("SELECT count(*) FROM analyses WHERE state IN ('queued', 'running')", "analyses_to_do"),
    ],
)
def test_none_of_it_reads_a_whole_table(db: sqlite3.Connection, query: str, index: str) -> None:
    plan = " ".join(row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {query}"))
    assert f"USING INDEX {index}" in plan or f"USING COVERING INDEX {index}" in plan
