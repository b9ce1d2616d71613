"""The past: incidents of the same alert on the same project, which have ended."""

import sqlite3

from orchestrator import clock
from webhook.evidence.raw import Past

LIMIT = 5


def past(
    db: sqlite3.Connection, project: str, alertname: str, limit: int = LIMIT
) -> tuple[Past, ...]:
    """Return the *limit* newest of *project* that *alertname* was part of, the newest first."""
    found = db.execute(
        "SELECT id, state, opened_at, ended_at FROM incidents WHERE project = ?"
        " AND ended_at IS NOT NULL AND EXISTS"
        " (SELECT 1 FROM episodes WHERE incident = incidents.id AND alertname = ?)"
        " ORDER BY opened_at DESC, id DESC LIMIT ?",
        (project, alertname, limit),
    ).fetchall()
    return tuple(_past(db, row) for row in found)


def _past(db: sqlite3.Connection, row: sqlite3.Row) -> Past:
    opened_at = clock.read(row["opened_at"])
    lasted = clock.read(row["ended_at"]) - opened_at
    return Past(
        incident=row["id"],
        opened_at=opened_at,
        seconds=max(lasted.total_seconds(), 0.0),  # clocks are set back, too
        ended=row["state"],
        actions=_actions(db, row["id"]),
    )


def _actions(db: sqlite3.Connection, incident: int) -> tuple[tuple[str, str], ...]:
    """Return what was executed, oldest first, and what came of it."""
    found = db.execute(
        "SELECT name, state FROM actions WHERE incident = ? AND executed_at IS NOT NULL"
        " ORDER BY executed_at, created_at",
        (incident,),
    )
    return tuple((row["name"], row["state"]) for row in found)
