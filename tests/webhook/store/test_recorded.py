"""What is read from the tables for a replay."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from orchestrator import clock
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.store import queue
from webhook.approval import Decision, Question
from webhook.briefing import Briefing
from webhook.incident import State
from webhook.recording import (
    Decided,
    Deed,
    Lifted,
    Line,
    Mark,
    Restrained,
    Silenced,
    Told,
    What,
)
from webhook.restraint import Kind
from webhook.store import approvals, reconciliation, recorded, restraints, work
from webhook.store.database import atomic, connect


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    yield connection
    connection.close()


def lines(db: sqlite3.Connection, *kinds: type, **part: int) -> list[Line]:
    """Return the recorded lines of some kinds, of a part in seconds."""
    bounds = {name: NOW + after * SECOND for name, after in part.items()}
    return [each for each in recorded.lines(db, **bounds) if isinstance(each, kinds)]


def found(db: sqlite3.Connection, *, at: int, started: int) -> None:
    """Let reconciling find an alert of chatbot that nobody told us of."""
    sent = make.alert(project="chatbot", fingerprint="chatbot", started=NOW + started * SECOND)
    (alert,) = make.notification(sent).alerts
    appeared = reconciliation.Appeared(
        alert=alert, updated_at=NOW + at * SECOND, silenced=None, beside=False
    )
    with atomic(db):
        reconciliation.take(db, [appeared], at=NOW + at * SECOND)


def test_of_an_empty_database_nothing_is_recorded(db: sqlite3.Connection) -> None:
    assert recorded.lines(db) == []


def test_a_notification_is_recorded_as_it_came_between_two_marks(db: sqlite3.Connection) -> None:
    queue.fires(db)
    body = json.loads(make.body(make.alert(fingerprint="email-blast")))
    assert recorded.lines(db) == [
        Mark(at=NOW, kind="begin"),
        Told(at=NOW, body=body),
        Mark(at=NOW, kind="end"),
    ]


def test_what_reconciling_found_is_recorded_as_if_it_had_been_told(
    db: sqlite3.Connection,
) -> None:
    queue.fires(db)
    found(db, at=20, started=10)
    (known,) = [each for each in reconciliation.known(db) if each.fingerprint == "chatbot"]
    gone = reconciliation.Gone(episode=known, ended_at=NOW + 30 * SECOND)
    with atomic(db):
        reconciliation.take(db, [gone], at=NOW + 40 * SECOND)
    *_, appeared, ended = (each for each in lines(db, Told) if isinstance(each, Told))
    heard = [
        (each.at, alert.status, alert.started_at, alert.ended_at, alert.labels["project"])
        for each in (appeared, ended)
        for alert in each.notification().alerts
    ]
    start = NOW + 10 * SECOND
    assert heard == [
        (NOW + 20 * SECOND, "firing", start, None, "chatbot"),
        (NOW + 40 * SECOND, "resolved", start, NOW + 30 * SECOND, "chatbot"),
    ]


def test_a_part_is_read_with_what_bound_somebody_at_its_begin(db: sqlite3.Connection) -> None:
    queue.fires(db)
    for after, ends in ((1, 5), (2, 60), (3, 60)):
        with atomic(db):
            restraints.add(
                db,
                Kind.HOLD,
                "email-blast",
                reason="mine",
                by="ann",
                starts_at=None,
                ends_at=NOW + ends * SECOND,
                at=NOW + after * SECOND,
            )
    queue.ends(db, after=20)
    for number, after in ((3, 4), (2, 15)):
        with atomic(db):
            restraints.lift(db, number, by="bob", at=NOW + after * SECOND)
    assert lines(db, Restrained, Lifted, since=10, until=18) == [
        Restrained(
            at=NOW + 10 * SECOND,
            number=2,
            restraint=Kind.HOLD,
            project="email-blast",
            reason="mine",
            by="ann",
            ends_at=NOW + 60 * SECOND,
        ),
        Lifted(at=NOW + 15 * SECOND, number=2, by="bob"),
    ]


def test_a_silence_is_recorded_and_its_end(db: sqlite3.Connection) -> None:
    queue.fires(db)
    (known,) = reconciliation.known(db)
    silence = reconciliation.Silenced(episode=known, text="silenced by ann")
    over = reconciliation.Unsilenced(episode=known)
    for after, finding in ((3, silence), (9, over)):
        with atomic(db):
            reconciliation.take(db, [finding], at=NOW + after * SECOND)
    assert lines(db, Silenced) == [
        Silenced(at=NOW + 3 * SECOND, fingerprint="email-blast", text="silenced by ann"),
        Silenced(at=NOW + 9 * SECOND, fingerprint="email-blast", text=None),
    ]


def test_what_was_asked_and_what_people_said_to_it_are_recorded(db: sqlite3.Connection) -> None:
    queue.fires(db)
    case = queue.claimed(db)
    question = Question(bound="x", text="may it?", expires_at=NOW + 60 * SECOND)
    pending = make.action(state="pending", executed_at=None)
    asks = replace(
        queue.moved(case, State.AWAITING_APPROVAL),
        action_became=(pending,),
        question=question,
        page=Briefing(labels={"alertname": "ApprovalRequired"}, annotations={}),
    )
    queue.apply(db, asks)
    with atomic(db):
        approvals.decide(db, 1, Decision.APPROVED, by="ann", why="seen", at=NOW + 5 * SECOND)
    assert lines(db, Decided, Deed) == [
        Deed(
            at=NOW,
            what=What.ASK,
            project="email-blast",
            alertname="ProjectDown",
            action="restart_service",
            detail="approved",
        ),
        Decided(
            at=NOW + 5 * SECOND,
            project="email-blast",
            action="restart_service",
            decision=Decision.APPROVED,
            by="ann",
            reason="seen",
        ),
    ]


def test_an_escalation_and_an_attempt_are_deeds(db: sqlite3.Connection) -> None:
    queue.fires(db)
    queue.apply(db, queue.moved(queue.claimed(db), State.ESCALATED))
    queue.executed(db, "key-1", after=7)
    assert recorded.deeds(db) == [
        Deed(at=NOW, what=What.ESCALATE, project="email-blast", detail="because"),
        Deed(
            at=NOW + 7 * SECOND,
            what=What.ACT,
            project="email-blast",
            alertname="ProjectDown",
            action="restart_service",
            detail="failed",
        ),
    ]


def test_what_people_asked_for_by_hand_is_no_deed_of_the_webhook(db: sqlite3.Connection) -> None:
    queue.fires(db)
    queue.executed(db, "key-1", after=7)
    at = clock.written(NOW)
    db.execute(
        "INSERT INTO requests (project, action, reason, forced, asked_by, asked_at, expires_at,"
        " incident, outcome, key) VALUES ('email-blast', 'restart_service', 'x', '[]', 'ann',"
        " ?, ?, 1, 'taken', 'key-1')",
        (at, at),
    )
    assert recorded.deeds(db) == []


def test_the_end_is_the_last_sign_of_life(db: sqlite3.Connection) -> None:
    queue.fires(db)
    with atomic(db):
        work.boot(db, at=NOW)
    db.execute(
        "INSERT INTO system_health (at, figures) VALUES (?, '{}')",
        (clock.written(NOW + 90 * SECOND),),
    )
    assert lines(db, Mark)[-1] == Mark(at=NOW + 90 * SECOND, kind="end")
