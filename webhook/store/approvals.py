"""Approvals: the questions to people, each with one answer for good."""

import sqlite3
from datetime import datetime

from orchestrator import clock
from orchestrator.errors import OrchestratorError
from webhook import audit, event
from webhook.approval import Approval, Decision
from webhook.change import Change
from webhook.store import rows

Json = dict[str, object]


class Undecidable(OrchestratorError):
    """The question is not open any more; its text says why."""


def of_action(db: sqlite3.Connection, key: str) -> Approval | None:
    """Return the question about an action; None when nobody was asked."""
    row = db.execute("SELECT * FROM approvals WHERE action = ?", (key,)).fetchone()
    return rows.approval(row) if row else None


def numbered(db: sqlite3.Connection, number: int) -> Approval | None:
    """Return question *number*; None when there is none."""
    row = db.execute("SELECT * FROM approvals WHERE id = ?", (number,)).fetchone()
    return rows.approval(row) if row else None


_LAST = 2**63 - 1  # beyond every id
_SHOWN = (
    "SELECT approvals.id, approvals.incident, approvals.project, actions.name AS action,"
    " approvals.action AS key, actions.attempt, actions.alertname, question, bound, asked_at,"
    " expires_at, CASE WHEN decision IS NOT NULL THEN decision WHEN expires_at > :now"
    " THEN 'waiting' ELSE 'expired' END AS state, decided_at, decided_by, approvals.reason"
    " FROM approvals JOIN actions ON actions.key = approvals.action"
)


def shown(db: sqlite3.Connection, number: int, *, now: datetime) -> Json | None:
    """Return question *number* as readers see it; None when there is none."""
    given = {"number": number, "now": clock.written(now)}
    row = db.execute(f"{_SHOWN} WHERE approvals.id = :number", given).fetchone()
    return dict(row) if row else None


def listed(
    db: sqlite3.Connection, *, waiting: bool, before: int | None, limit: int, now: datetime
) -> list[Json]:
    """Return up to *limit* questions below *before*, newest first; all, or those that wait."""
    # The few that wait have an index; the sign keeps SQLite from walking over all that ever were.
    number = "+approvals.id" if waiting else "approvals.id"
    only = " AND decision IS NULL AND expires_at > :now" if waiting else ""
    given = {"before": _LAST if before is None else before, "limit": limit}
    found = db.execute(
        f"{_SHOWN} WHERE {number} < :before{only} ORDER BY {number} DESC LIMIT :limit",
        given | {"now": clock.written(now)},
    )
    return [dict(each) for each in found]


def decide(
    db: sqlite3.Connection, number: int, decision: Decision, *, by: str, why: str, at: datetime
) -> None:
    """Answer question *number*, and wake its incident; raise Undecidable.

    One conditional update: of two people at once, one has answered and the other is told so.
    """
    found = db.execute(
        "UPDATE approvals SET decision = ?, decided_by = ?, reason = ?, decided_at = ?"
        " WHERE id = ? AND decision IS NULL AND expires_at > ? RETURNING *",
        (decision, by, why, rows.text(at), number, rows.text(at)),
    ).fetchone()
    if found is None:
        raise Undecidable(_why_not(db, number))
    asked = rows.approval(found)
    wake(db, asked, at=at)
    _tell(db, asked, at)
    data = {"approval": number, "decision": decision, "reason": why}
    rows.record(db, audit.entry("approval decided", data, at=at, actor=by))


def wake(db: sqlite3.Connection, asked: Approval, *, at: datetime) -> None:
    """Let the incident of a question be looked at now."""
    db.execute(
        "UPDATE incidents SET due_at = ? WHERE id = ? AND due_at IS NOT NULL",
        (rows.text(at), asked.incident),
    )


def _tell(db: sqlite3.Connection, asked: Approval, at: datetime) -> None:
    incident = db.execute("SELECT * FROM incidents WHERE id = ?", (asked.incident,)).fetchone()
    action = db.execute("SELECT name FROM actions WHERE key = ?", (asked.action,)).fetchone()
    told = event.approval_decided(rows.incident(incident), asked, action["name"], at=at)
    rows.publish(db, (told,))


def _why_not(db: sqlite3.Connection, number: int) -> str:
    row = db.execute("SELECT * FROM approvals WHERE id = ?", (number,)).fetchone()
    if row is None:
        return f"there is no approval {number}"
    asked = rows.approval(row)
    if asked.decision is None:
        return f"approval {number} expired at {asked.expires_at:%H:%M:%S} UTC"
    by = f" by {asked.decided_by}" if asked.decided_by else ""
    return f"approval {number} was {asked.decision}{by} already"


def follow(db: sqlite3.Connection, change: Change, *, at: datetime) -> None:
    """Ask what *change* asks, and close the question about an action that it drops."""
    if change.question is not None:
        _ask(db, change, at)
    if change.closes is not None and change.action_was is not None:
        db.execute(
            "UPDATE approvals SET decision = ?, reason = ?, decided_at = ?"
            " WHERE action = ? AND decision IS NULL",
            (change.closes, change.reason, rows.text(at), change.action_was.key),
        )


def _ask(db: sqlite3.Connection, change: Change, at: datetime) -> None:
    action, question = change.action_became[-1], change.question
    assert question is not None  # noqa: S101  follow has looked
    db.execute(
        "INSERT INTO approvals (action, incident, project, bound, question, asked_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            action.key,
            action.incident,
            action.project,
            question.bound,
            question.text,
            clock.written(at),
            clock.written(question.expires_at),
        ),
    )
