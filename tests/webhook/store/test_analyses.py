"""Analyses: asked for with a step, claimed once, answered once, and never lost with the program."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.webhook.hearing import answer
from tests.webhook.make import NOW, SECOND
from tests.webhook.store.queue import EPOCH, apply, claimed, ends, fires
from webhook import consult, outcome
from webhook.analyzer.analysis import Analysis, By, Decision, Gate, Ruling, State
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
    found = analyses.claim(db, epoch=EPOCH)
    assert found is not None
    return found


def _known(db: sqlite3.Connection) -> tuple[Analysis | None, int]:
    case = work.look(db, 1)
    assert case is not None
    return case.analysis, case.analyses


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
    assert analyses.claim(db, epoch=EPOCH) is None


def test_its_answer_wakes_the_incident_and_stands_there_for_the_next_step(
    db: sqlite3.Connection,
) -> None:
    _asks(db)
    number = _claim(db).analysis.id
    assert not _due(db)
    analyses.store(db, number, FOUND, at=NOW)
    known, many = _known(db)
    assert _due(db)
    assert known is not None
    assert (known.state, known.answer, known.measured, many) == (
        State.ANSWERED,
        answer(),
        frozenset({"M1"}),
        1,
    )


def test_what_was_being_asked_when_the_program_ended_counts_as_never_asked(
    db: sqlite3.Connection,
) -> None:
    _asks(db)
    number = _claim(db).analysis.id
    assert analyses.cut_off(db, epoch=EPOCH, at=NOW) == 0  # by this start
    assert analyses.cut_off(db, epoch=EPOCH + 1, at=NOW) == 1
    known, many = _known(db)
    assert known is not None
    assert (known.state, many, _due(db)) == (State.ABORTED, 0, True)
    analyses.store(db, number, FOUND, at=NOW)  # too late
    assert _known(db) == (known, 0)


def test_what_has_ended_meanwhile_is_not_asked_about(db: sqlite3.Connection) -> None:
    case = _asks(db)
    ends(db, after=1)
    due = claimed(db, after=2)
    apply(db, outcome.closed(due, "recovered by itself", NOW + 2 * SECOND), after=2)
    assert case.incident.id == due.incident.id
    assert analyses.claim(db, epoch=EPOCH) is None


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
    ("digest", "prompt", "after", "found"),
    [
        ("0" * 64, "1", 0, 1),
        ("0" * 64, "1", 1, None),  # it is older than that
        ("0" * 64, "2", 0, None),
        ("1" * 64, "1", 0, None),
    ],
)
def test_the_same_evidence_need_not_be_paid_for_twice(
    db: sqlite3.Connection, digest: str, prompt: str, after: int, found: int | None
) -> None:
    _asks(db)
    analyses.store(db, _claim(db).analysis.id, FOUND, at=NOW)
    since = NOW + after * SECOND
    similar = analyses.similar(db, digest=digest, prompt=prompt, since=since)
    assert (similar and similar.id) == found


def test_bodies_are_let_go_of_and_what_was_decided_stays(db: sqlite3.Connection) -> None:
    _asks(db)
    analyses.store(db, _claim(db).analysis.id, FOUND, at=NOW)
    gone = [analyses.forget_bodies(db, before=NOW + late * SECOND, limit=9) for late in (0, 1, 1)]
    row = db.execute("SELECT evidence, answer IS NULL AS lost FROM analyses").fetchone()
    assert (gone, row["evidence"], row["lost"]) == ([0, 1, 0], None, 0)
