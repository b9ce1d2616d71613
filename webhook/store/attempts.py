"""Attempts: what was tried on a project, what is under way, and what was only recorded."""

import sqlite3
from datetime import datetime

from webhook import audit
from webhook.action import Action
from webhook.incident import Incident
from webhook.store import rows

LAST = 200  # of a project that are looked back at; no window holds more


def executed(db: sqlite3.Connection, project: str) -> tuple[Action, ...]:
    """Return those on *project* that still count, oldest first."""
    found = db.execute(
        "SELECT * FROM actions WHERE project = ? AND executed_at IS NOT NULL"
        " AND forgiven_at IS NULL ORDER BY executed_at DESC, created_at DESC LIMIT ?",
        (project, LAST),
    ).fetchall()
    return tuple(rows.action(row) for row in reversed(found))


def shadowed(db: sqlite3.Connection, incident: Incident) -> tuple[Action, ...]:
    """Return what was recorded instead of taken since *incident* was opened, oldest first."""
    found = db.execute(  # by what an index has first: an incident alone has none
        "SELECT * FROM actions WHERE project = ? AND executed_at IS NULL AND incident = ?"
        " AND opened_at = ? AND state = 'shadowed' ORDER BY created_at",
        (incident.project, incident.id, rows.text(incident.opened_at)),
    )
    return tuple(rows.action(row) for row in found)


def under_way(db: sqlite3.Connection, incident: Incident) -> Action | None:
    """Return the one that is being done for *incident*, or waits for people."""
    row = db.execute(
        "SELECT * FROM actions WHERE incident = ?"
        " AND state IN ('pending', 'approved', 'executing')",
        (incident.id,),
    ).fetchone()
    return rows.action(row) if row else None


def forgive(db: sqlite3.Connection, project: str, since: datetime, *, at: datetime) -> None:
    """Let the attempts on a project count no more, unless some were forgiven after *since*."""
    forgiven = db.execute(
        "UPDATE actions SET forgiven_at = ? WHERE project = ? AND executed_at IS NOT NULL"
        " AND forgiven_at IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM actions WHERE project = ? AND forgiven_at > ?)",
        (rows.text(at), project, project, rows.text(since)),
    )
    if forgiven.rowcount:
        data = {"project": project, "attempts": forgiven.rowcount}
        rows.record(db, audit.entry("attempts forgiven", data, at=at))
