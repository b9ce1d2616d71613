"""A question has one answer for good, whoever comes second."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import action as law
from webhook import outcome
from webhook.approval import Approval, Decision, Question
from webhook.briefing import Briefing
from webhook.case import Case
from webhook.store import approvals, paging, work
from webhook.store.approvals import Undecidable
from webhook.store.database import atomic, connect
from webhook.store.intake import receive

EPOCH = 7
MINUTE = timedelta(minutes=1)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    sent = make.alert()
    receive(connection, make.notification(sent), make.body(sent), at=NOW)
    case = _claimed(connection)
    question = Question(bound="b0", text="may it?", expires_at=NOW + 15 * MINUTE)
    page = Briefing(labels={"alertname": "ApprovalRequired"}, annotations={"summary": "may it?"})
    pending = make.action(state=law.State.PENDING, executed_at=None)
    asked = outcome.asked(case, pending, question, page, now=NOW)
    work.apply(connection, asked, epoch=EPOCH, at=NOW)
    yield connection
    connection.close()


def _claimed(db: sqlite3.Connection, *, after: timedelta = timedelta(0)) -> Case:
    case = work.claim(db, epoch=EPOCH, at=NOW + after)
    assert case is not None
    return case


def _decide(
    db: sqlite3.Connection, decision: Decision, *, by: str = "ann", after: timedelta = MINUTE
) -> None:
    with atomic(db):
        approvals.decide(db, 1, decision, by=by, why="because", at=NOW + after)


def _row(db: sqlite3.Connection) -> Approval:
    found = approvals.of_action(db, "key-1")
    assert found is not None
    return found


def test_an_answer_is_kept_and_wakes_the_incident(db: sqlite3.Connection) -> None:
    _decide(db, Decision.APPROVED)
    case = _claimed(db, after=MINUTE)
    assert case.approval == Approval(
        id=1,
        action="key-1",
        incident=1,
        project="email-blast",
        bound="b0",
        question="may it?",
        asked_at=NOW,
        expires_at=NOW + 15 * MINUTE,
        decision=Decision.APPROVED,
        decided_by="ann",
        reason="because",
    )
    assert case.incident.due_at == NOW + MINUTE


@pytest.mark.parametrize("second", [Decision.APPROVED, Decision.REJECTED])
def test_the_second_answer_is_refused_with_the_first(
    db: sqlite3.Connection, second: Decision
) -> None:
    _decide(db, Decision.REJECTED)
    with pytest.raises(Undecidable, match="approval 1 was rejected by ann already"):
        _decide(db, second, by="bob")
    assert (_row(db).decision, _row(db).decided_by) == (Decision.REJECTED, "ann")


def test_an_answer_after_the_expiry_is_none(db: sqlite3.Connection) -> None:
    with pytest.raises(Undecidable, match="approval 1 expired at 12:15:00 UTC"):
        _decide(db, Decision.APPROVED, after=15 * MINUTE)
    assert _row(db).decision is None


def test_an_answer_to_no_question_is_refused(db: sqlite3.Connection) -> None:
    with pytest.raises(Undecidable, match="there is no approval 9"):
        approvals.decide(db, 9, Decision.APPROVED, by="ann", why="", at=NOW)


def test_a_withdrawn_question_is_closed_as_such_and_its_page_ends(db: sqlite3.Connection) -> None:
    case = _claimed(db, after=2 * SECOND)
    assert case.action is not None
    change = outcome.withdrawn(case, case.action, "the alert has ended", NOW + 3 * SECOND)
    work.apply(db, change, epoch=EPOCH, at=NOW + 3 * SECOND)
    [page] = paging.due(db, at=NOW + 3 * SECOND)
    assert (_row(db).decision, _row(db).reason) == (Decision.WITHDRAWN, "the alert has ended")
    assert (page.kind, page.ended_at) == ("approval", NOW + 3 * SECOND)


def test_an_answer_that_comes_during_a_step_is_not_passed_over(db: sqlite3.Connection) -> None:
    """The step saw no answer and would let the question expire; the answer was in time."""
    case = _claimed(db, after=2 * SECOND)
    _decide(db, Decision.APPROVED, after=3 * SECOND)
    page = Briefing(labels={}, annotations={})
    expired = outcome.escalated(
        case, "nobody said yes or no", NOW + 4 * SECOND, page, leaves=law.State.EXPIRED
    )
    with pytest.raises(work.Overtaken), atomic(db):
        work.apply(db, expired, epoch=EPOCH, at=NOW + 4 * SECOND)
    assert _row(db).decision is Decision.APPROVED


def test_who_answered_is_in_the_audit(db: sqlite3.Connection) -> None:
    _decide(db, Decision.REJECTED, by="bob")
    row = db.execute("SELECT actor, data FROM audit WHERE what = 'approval decided'").fetchone()
    assert tuple(row) == ("bob", '{"approval":1,"decision":"rejected","reason":"because"}')


def test_the_questions_that_wait_are_found_without_looking_at_all_that_ever_were(
    db: sqlite3.Connection,
) -> None:
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    found = approvals.listed(db, waiting=True, before=None, limit=9, now=NOW)
    db.set_trace_callback(None)
    [plan, *_] = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {asked[0]}")]
    assert ([each["id"] for each in found], "approvals_waiting" in plan) == ([1], True)
