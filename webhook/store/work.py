"""Work: the incident rows are the queue; a step claims one, and commits what it did whole."""

import sqlite3
from datetime import datetime

from orchestrator import clock
from orchestrator.errors import OrchestratorError
from webhook import audit
from webhook.action import Action
from webhook.case import Case, Change
from webhook.incident import Incident, State
from webhook.store import rows


class Overtaken(OrchestratorError):
    """A row was not as the step had read it, so nothing of the step was stored."""


def boot(db: sqlite3.Connection, *, at: datetime) -> int:
    """Return the epoch of this start; the claims of every other epoch are void."""
    row = db.execute(
        "INSERT INTO boots (at) VALUES (?) RETURNING epoch", (clock.written(at),)
    ).fetchone()
    return int(row["epoch"])


def claim(db: sqlite3.Connection, *, epoch: int, at: datetime) -> Case | None:
    """Claim the incident that has been due for longest; None when there is none."""
    row = db.execute(
        "UPDATE incidents SET claimed_by = ? WHERE id = ("
        " SELECT id FROM incidents WHERE due_at <= ?"
        " AND (claimed_by IS NULL OR claimed_by <> ?) ORDER BY due_at LIMIT 1) RETURNING *",
        (epoch, clock.written(at), epoch),
    ).fetchone()
    return _case(db, rows.incident(row)) if row else None


def _case(db: sqlite3.Connection, incident: Incident) -> Case:
    # Of an incident that was opened again, the episodes before that are told already.
    episodes = db.execute(
        "SELECT * FROM episodes WHERE incident = ? AND received_at >= ? ORDER BY id",
        (incident.id, rows.text(incident.opened_at)),
    )
    running = db.execute(
        "SELECT * FROM actions WHERE incident = ? AND state IN ('approved', 'executing')",
        (incident.id,),
    ).fetchone()
    attempts = db.execute(
        "SELECT * FROM actions WHERE project = ? AND executed_at IS NOT NULL"
        " ORDER BY executed_at, created_at",
        (incident.project,),
    )
    return Case(
        incident=incident,
        episodes=tuple(rows.episode(row) for row in episodes),
        action=rows.action(running) if running else None,
        attempts=tuple(rows.action(row) for row in attempts),
    )


def release(db: sqlite3.Connection, incident: Incident, *, due: datetime) -> None:
    """Give a claimed incident back undone, to be tried again at *due*."""
    db.execute(
        "UPDATE incidents SET claimed_by = NULL, due_at = ? WHERE id = ?",
        (clock.written(due), incident.id),
    )


def apply(db: sqlite3.Connection, change: Change, *, epoch: int, at: datetime) -> None:
    """Store *change* and give its incident back; raise Overtaken when a row was not as expected.

    A notification that arrived during the step has moved `due_at`: then the incident stays due,
    and it does not end, for the step did not know what the notification brought.
    """
    _store_incident(db, change, epoch, at)
    if change.action_became:
        _store_action(db, change.action_was, change.action_became[-1])
    rows.publish(db, change.events)
    _follow_escalation(db, change, at)
    for entry in _entries(change, at):
        rows.record(db, entry)


def _store_incident(db: sqlite3.Connection, change: Change, epoch: int, at: datetime) -> None:
    before, after = change.before, change.after
    woken = None if after.due_at is None else clock.written(at)
    found = db.execute(
        "UPDATE incidents SET state = ?, since = ?, held = ?, recovered_at = ?, escalated_at = ?,"
        " ended_at = ?, claimed_by = NULL,"
        " due_at = CASE WHEN due_at = ? THEN ? ELSE ? END"
        " WHERE id = ? AND state = ? AND claimed_by = ? AND (due_at = ? OR ? IS NULL)",
        (
            after.state,
            rows.text(after.since),
            after.held,
            rows.text(after.recovered_at),
            rows.text(after.escalated_at),
            rows.text(after.ended_at),
            rows.text(before.due_at),
            rows.text(after.due_at),
            woken,
            before.id,
            before.state,
            epoch,
            rows.text(before.due_at),
            rows.text(after.ended_at),
        ),
    )
    if found.rowcount != 1:
        raise Overtaken(f"incident {before.id} is no longer {before.state} and ours")


def _store_action(db: sqlite3.Connection, before: Action | None, after: Action) -> None:
    if before is None:
        db.execute(
            "INSERT INTO actions (key, incident, project, name, alertname, attempt, state,"
            " created_at, executed_at, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                after.key,
                after.incident,
                after.project,
                after.name,
                after.alertname,
                after.attempt,
                after.state,
                rows.text(after.created_at),
                rows.text(after.executed_at),
                after.detail,
            ),
        )
        return
    found = db.execute(
        "UPDATE actions SET state = ?, executed_at = ?, finished_at = ?, detail = ?"
        " WHERE key = ? AND state = ?",
        (
            after.state,
            rows.text(after.executed_at),
            rows.text(after.finished_at),
            after.detail,
            after.key,
            before.state,
        ),
    )
    if found.rowcount != 1:
        raise Overtaken(f"action {after.key} is no longer {before.state}")


def _follow_escalation(db: sqlite3.Connection, change: Change, at: datetime) -> None:
    was, now = (each.state is State.ESCALATED for each in (change.before, change.after))
    if now and not was:
        db.execute(
            "INSERT INTO pages (kind, incident, project, reason, labels, annotations, started_at,"
            " post_at) VALUES ('escalation', ?, ?, ?, '{}', '{}', ?, ?)",
            (change.after.id, change.after.project, change.reason, rows.text(at), rows.text(at)),
        )
    if was and not now:
        db.execute(
            "UPDATE pages SET ended_at = ?, post_at = ? WHERE incident = ? AND ended_at IS NULL",
            (rows.text(at), rows.text(at), change.after.id),
        )


def _entries(change: Change, at: datetime) -> list[audit.Entry]:
    found = []
    was = change.action_was
    for became in change.action_became:
        moved = {
            "action": became.name,
            "attempt": became.attempt,
            "detail": became.detail,
            "from": was.state if was else None,
            "incident": became.incident,
            "key": became.key,
            "project": became.project,
            "to": became.state,
        }
        found.append(audit.entry("action moved", moved, at=at))
        was = became
    if change.after.state is not change.before.state:
        gone = {
            "from": change.before.state,
            "incident": change.after.id,
            "reason": change.reason,
            "to": change.after.state,
        }
        found.append(audit.entry("incident moved", gone, at=at))
    elif change.after.held != change.before.held:
        held = {"held": change.after.held, "incident": change.after.id}
        found.append(audit.entry("incident held", held, at=at))
    return found
