"""Analyses: asked for with a step, claimed once, answered once, and never lost with the program."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.webhook.hearing import answer
from tests.webhook.make import NOW, SECOND
from tests.webhook.store.fill import add
from tests.webhook.store.queue import EPOCH, apply, claimed, ends, fires
from webhook import consult, outcome
from webhook.analyzer.analysis import SLOW, Analysis, By, Decision, Gate, Ruling, State
from webhook.case import Case
from webhook.store import analyses, work
from webhook.store.analyses import WAITING, Claimed, Found
from webhook.store.database import connect

DOWN = "ProjectDown"
FOUND = Found(
    by=By.CLAUDE,
    answer=answer(),
    model="claude-sonnet-5-5",
    prompt="1",
    ids=("A1", "M1"),
    measured=("M1",),
    digest="0" * 64,
    evidence=b"evidence",
)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    fires(connection)
    yield connection
    connection.close()


def _asks(db: sqlite3.Connection) -> Case:
    """Let the step of the one due incident ask the analyzer; return its case."""
    case = claimed(db)
    about = consult.situation(case, DOWN)
    apply(db, outcome.consulted(case, about, "it is asked", NOW))
    return case


def _claim(db: sqlite3.Connection) -> Claimed:
    found = analyses.claim(db, epoch=EPOCH, at=NOW)
    assert found is not None
    return found


def _known(db: sqlite3.Connection) -> Analysis:
    """Return the one analysis of the first incident, as a step gets it."""
    case = work.look(db, 1)
    assert case is not None
    [known] = case.analyses
    return known


def _due(db: sqlite3.Connection) -> bool:
    """Tell whether the incident is looked at now, and not only in a while."""
    return work.claim(db, epoch=EPOCH, at=NOW) is not None


def test_what_a_step_asks_is_claimed_once_with_all_that_its_alert_said(
    db: sqlite3.Connection,
) -> None:
    case = _asks(db)
    found = _claim(db)
    assert found.analysis.situation == consult.situation(case, DOWN)
    assert (found.severity, found.crowded) == ("", False)
    assert (found.labels["project"], found.annotations) == (
        "email-blast",
        {"summary": "email-blast is down."},
    )
    assert analyses.claim(db, epoch=EPOCH, at=NOW) is None


def test_its_answer_wakes_the_incident_and_stands_there_for_the_next_step(
    db: sqlite3.Connection,
) -> None:
    _asks(db)
    number = _claim(db).analysis.id
    assert not _due(db)
    analyses.store(db, number, FOUND, at=NOW)
    known = _known(db)
    assert _due(db)
    assert (known.state, known.answer, known.measured) == (
        State.ANSWERED,
        answer(),
        frozenset({"M1"}),
    )


def test_what_was_being_asked_when_the_program_ended_is_cut_off(
    db: sqlite3.Connection,
) -> None:
    _asks(db)
    number = _claim(db).analysis.id
    assert analyses.cut_off(db, epoch=EPOCH, at=NOW) == 0  # by this start
    assert analyses.cut_off(db, epoch=EPOCH + 1, at=NOW) == 1
    known = _known(db)
    assert (known.state, _due(db)) == (State.ABORTED, True)
    analyses.store(db, number, FOUND, at=NOW)  # too late
    assert _known(db) == known


def test_what_has_ended_meanwhile_is_not_asked_about(db: sqlite3.Connection) -> None:
    case = _asks(db)
    ends(db, after=1)
    due = claimed(db, after=2)
    apply(db, outcome.closed(due, "recovered by itself", NOW + 2 * SECOND), after=2)
    assert case.incident.id == due.incident.id
    assert analyses.claim(db, epoch=EPOCH, at=NOW) is None


def test_to_look_for_what_waits_does_not_read_what_was_answered(db: sqlite3.Connection) -> None:
    _asks(db)
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    analyses.cut_off(db, epoch=EPOCH, at=NOW)
    _claim(db)
    db.set_trace_callback(None)
    plans = [row["detail"] for each in asked for row in db.execute(f"EXPLAIN QUERY PLAN {each}")]
    read = {each for each in plans if each.startswith(("SCAN", "SEARCH")) and "analyses" in each}
    assert read == {
        "SCAN analyses USING INDEX analyses_to_do",
        "SEARCH analyses USING INTEGER PRIMARY KEY (rowid=?)",
    }


def test_where_many_wait_no_model_is_asked(db: sqlite3.Connection) -> None:
    for number in range(WAITING):
        fires(db, project=f"p{number}")
    for _ in range(WAITING + 1):
        _asks(db)
    assert [_claim(db).crowded for _ in range(2)] == [True, False]


def test_what_was_decided_is_kept_with_every_gate_and_in_the_audit(
    db: sqlite3.Connection,
) -> None:
    _asks(db)
    analyses.store(db, _claim(db).analysis.id, FOUND, at=NOW)
    ruling = Ruling(
        analysis=1,
        decision=Decision.OBSERVE,
        gates=(Gate(name="answered", passed=True, why="it has"),),
        raw=0.9,
        calibrated=0.8,
        effective=0.7,
        reason="nothing is to be done",
    )
    advised = outcome.advised(claimed(db), ruling.reason, NOW)
    apply(db, replace(advised, ruling=ruling))
    row = db.execute("SELECT * FROM analyses").fetchone()
    kept = ("decision", "reason", "raw", "calibrated", "effective", "key")
    assert [row[each] for each in kept] == [
        *("observe", "nothing is to be done"),
        *(0.9, 0.8, 0.7, None),
    ]
    assert json.loads(row["gates"]) == [{"name": "answered", "passed": True, "why": "it has"}]
    [entry] = db.execute("SELECT data FROM audit WHERE what = 'analysis decided'").fetchall()
    assert json.loads(entry["data"])["decision"] == "observe"


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, 1),
        ({"since": NOW + SECOND}, None),  # it is older than that
        ({"now": NOW - SECOND}, None),  # it is of a clock that was set back
        ({"digest": "1" * 64}, None),
        ({"prompt": "2"}, None),
        ({"model": "claude-haiku-5-5"}, None),
    ],
)
def test_the_same_evidence_need_not_be_paid_for_twice(
    db: sqlite3.Connection, changed: dict[str, Any], found: int | None
) -> None:
    _asks(db)
    analyses.store(db, _claim(db).analysis.id, FOUND, at=NOW)
    add(db, "calls", model="claude-sonnet-5-5", outcome="ok")
    asked = {
        "digest": "0" * 64,
        "prompt": "1",
        "model": "claude-sonnet-5-5",
        "since": NOW,
        "now": NOW,
    }
    similar = analyses.similar(db, **{**asked, **changed})
    assert (similar and similar.id) == found


@pytest.mark.parametrize("late", [SLOW, -SLOW])
def test_what_nobody_waits_for_any_more_is_not_asked(
    db: sqlite3.Connection, late: timedelta
) -> None:
    _asks(db)
    beyond = SECOND if late > timedelta(0) else -SECOND
    assert analyses.claim(db, epoch=EPOCH, at=NOW + late + beyond) is None
    assert _known(db).state is State.ABORTED


def test_an_answer_in_words_of_another_version_counts_as_cut_off(db: sqlite3.Connection) -> None:
    _asks(db)
    analyses.store(db, _claim(db).analysis.id, FOUND, at=NOW)
    db.execute("UPDATE analyses SET answer = replace(answer, 'process_down', 'sunspots')")
    assert (_known(db).state, _known(db).answer) == (State.ABORTED, None)


@pytest.mark.parametrize("many", [10, 3_000])
def test_however_many_were_answered_a_claim_looks_at_none_of_them(
    db: sqlite3.Connection, many: int
) -> None:
    for _ in range(many):
        add(db, "analyses")
    _asks(db)
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    db.set_progress_handler(count, 100)  # of the instructions of SQLite's machine
    _claim(db)
    analyses.cut_off(db, epoch=EPOCH + 1, at=NOW)
    assert steps < 30


def test_bodies_are_let_go_of_and_what_was_decided_stays(db: sqlite3.Connection) -> None:
    _asks(db)
    analyses.store(db, _claim(db).analysis.id, FOUND, at=NOW)
    gone = [analyses.forget_bodies(db, before=NOW + late * SECOND, limit=9) for late in (0, 1, 1)]
    row = db.execute("SELECT evidence, answer IS NULL AS lost FROM analyses").fetchone()
    assert (gone, row["evidence"], row["lost"]) == ([0, 1, 0], None, 0)
