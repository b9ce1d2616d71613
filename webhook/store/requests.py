"""Requests: what people ask for by hand, kept until it is taken, refused, or too old."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from orchestrator import clock
from orchestrator.errors import OrchestratorError
from webhook import audit, event
from webhook.change import Change
from webhook.incident import Incident, State
from webhook.request import TAKE_WITHIN, Request
from webhook.store import intake, rows

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it was stored, and the id of the event that tells of it."""

    request: Request
    after: int


class UnderWay(OrchestratorError):
    """Something goes on with the project already; its text says what, and what to do."""


def ask(
    db: sqlite3.Connection,
    project: str,
    action: str,
    *,
    reason: str,
    forced: tuple[str, ...],
    by: str,
    at: datetime,
) -> Asked:
    """Ask for *action* on *project*: its incident is due at once; raise UnderWay.

    Where there is no incident, one is opened for it, or a recent one again.
    """
    busy = _busy(db, project)
    if busy is not None:
        raise UnderWay(busy)
    incident = intake.incident_of(db, project, at)
    row = db.execute(
        "INSERT INTO requests (project, action, reason, forced, asked_by, asked_at, expires_at,"
        " incident) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
        (
            project,
            action,
            reason,
            json.dumps(forced),
            by,
            clock.written(at),
            clock.written(at + TAKE_WITHIN),
            incident.id,
        ),
    ).fetchone()
    request = rows.request(row)
    _tell(db, incident, request, at)
    last = db.execute("SELECT max(id) FROM events").fetchone()[0]
    return Asked(request=request, after=last)


def _tell(db: sqlite3.Connection, incident: Incident, request: Request, at: datetime) -> None:
    rows.publish(db, [event.requested(incident, request, at=at)])
    data = {
        "action": request.action,
        "forced": request.forced,
        "incident": incident.id,
        "project": request.project,
        "reason": request.reason,
        "request": request.id,
    }
    rows.record(db, audit.entry("action requested", data, at=at, actor=request.asked_by))


def _busy(db: sqlite3.Connection, project: str) -> str | None:
    """Say what goes on with *project*; None: nothing that speaks against an action."""
    waiting = _open(db, project)
    if waiting is not None:
        return (
            f"{waiting.asked_by} has asked for {waiting.action} already, and it is about to be"
            f" done or refused (request {waiting.id}); ask again when that has ended"
        )
    row = db.execute(
        "SELECT actions.name, actions.state, incidents.id, approvals.id AS approval"
        " FROM incidents JOIN actions ON actions.incident = incidents.id"
        " LEFT JOIN approvals ON approvals.action = actions.key"
        " WHERE incidents.project = ? AND incidents.state NOT IN ('resolved', 'closed')"
        " AND actions.project = ? AND actions.state IN ('pending', 'approved', 'executing')",
        (project, project),
    ).fetchone()
    if row is None:
        return None
    if row["state"] == "pending":
        return f"approval {row['approval']} waits, for {row['name']}: approve or reject it"
    return f"{row['name']} is under way (incident {row['id']}); ask again when it has ended"


def _open(db: sqlite3.Connection, project: str) -> Request | None:
    row = db.execute(
        "SELECT * FROM requests WHERE project = ? AND outcome IS NULL", (project,)
    ).fetchone()
    return rows.request(row) if row else None


def of_case(db: sqlite3.Connection, incident: Incident, key: str | None) -> Request | None:
    """Return the request that became the action *key*; without one, the open one."""
    if key is None:
        return _open(db, incident.project)
    row = db.execute("SELECT * FROM requests WHERE key = ?", (key,)).fetchone()
    return rows.request(row) if row else None


def overlooked(db: sqlite3.Connection, change: Change) -> bool:
    """Tell whether a person has asked for something that *change* did not know of."""
    goes = change.after.state not in (change.before.state, State.OPEN)
    return goes and change.request is None and _open(db, change.before.project) is not None


def follow(db: sqlite3.Connection, change: Change, *, at: datetime) -> bool:
    """End the request that *change* takes or turns down; False: it had ended before."""
    request = change.request
    if request is None:
        return True
    ended = db.execute(
        "UPDATE requests SET ended_at = ?, outcome = ?, why = ?, key = ?, guard = ?, until = ?,"
        " overrode = ? WHERE id = ? AND outcome IS NULL",
        (
            rows.text(request.ended_at),
            request.outcome,
            request.why,
            request.key,
            request.guard,
            rows.text(request.until),
            json.dumps(request.overrode),
            request.id,
        ),
    )
    data = {
        "asked_by": request.asked_by,
        "guard": request.guard,
        "key": request.key,
        "outcome": request.outcome,
        "overrode": request.overrode,
        "request": request.id,
        "why": request.why,
    }
    rows.record(db, audit.entry("request ended", data, at=at))
    return ended.rowcount == 1


_TOLD = (
    "SELECT requests.*, actions.state AS action_state, actions.detail AS action_detail,"
    " incidents.state AS incident_state, incidents.held AS incident_held"
    " FROM requests JOIN incidents ON incidents.id = requests.incident"
    " LEFT JOIN actions ON actions.key = requests.key WHERE requests.id = ?"
)


def told(db: sqlite3.Connection, number: int) -> Json | None:
    """Return what became of request *number*; None when there is none."""
    row = db.execute(_TOLD, (number,)).fetchone()
    if row is None:
        return None
    return dict(row) | {
        "forced": json.loads(row["forced"]),
        "overrode": json.loads(row["overrode"]),
    }
