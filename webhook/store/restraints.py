"""Restraints: people's words that nothing is to be repaired, kept until they end or are lifted.

Those about the same project stand beside each other, and each binds until its own end: a second
kill switch never makes the first one shorter.
"""

import sqlite3
from datetime import datetime

from orchestrator.errors import OrchestratorError
from webhook import audit, event
from webhook.restraint import Kind, Restraint
from webhook.store import rows


class Endless(OrchestratorError):
    """A kill switch without an end would be forgotten, and the fleet with it."""


def add(
    db: sqlite3.Connection,
    kind: Kind,
    project: str | None,
    *,
    reason: str,
    by: str,
    starts_at: datetime | None,
    ends_at: datetime | None,
    at: datetime,
) -> int:
    """Leave *project* (None: all of them) alone from *starts_at* on (None: from now on).

    Wakes whom it is about, so that each says what holds it. Returns its number.
    Raises Endless for a kill switch without an end.
    """
    if kind is Kind.KILL_SWITCH and ends_at is None:
        raise Endless("a kill switch needs an end, like --for 30m")
    row = db.execute(
        "INSERT INTO restraints (kind, project, reason, set_by, starts_at, ends_at, set_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *",
        (kind, project, reason, by, rows.text(starts_at), rows.text(ends_at), rows.text(at)),
    ).fetchone()
    made = rows.restraint(row)
    db.execute(
        "UPDATE incidents SET due_at = ? WHERE due_at IS NOT NULL"
        " AND coalesce(?, project) = project",
        (rows.text(at), project),
    )
    rows.publish(db, [event.restrained(made, by=by, at=at)])
    data = {
        "ends_at": rows.text(ends_at),
        "kind": kind,
        "project": project,
        "reason": reason,
        "restraint": made.id,
        "starts_at": rows.text(starts_at),
    }
    rows.record(db, audit.entry("restraint set", data, at=at, actor=by))
    return made.id


def lift(db: sqlite3.Connection, number: int, *, by: str, at: datetime) -> bool:
    """End it now, and let what it held be decided anew; False: it is not in force."""
    row = db.execute(
        "UPDATE restraints SET lifted_at = ?, lifted_by = ? WHERE id = ? AND lifted_at IS NULL"
        " AND (ends_at IS NULL OR ends_at > ?) RETURNING *",
        (rows.text(at), by, number, rows.text(at)),
    ).fetchone()
    if row is None:
        return False
    lifted = rows.restraint(row)
    db.execute(
        "UPDATE incidents SET due_at = ? WHERE due_at IS NOT NULL AND held_by IS NOT NULL"
        " AND coalesce(?, project) = project",
        (rows.text(at), lifted.project),
    )
    rows.publish(db, [event.lifted(lifted, by=by, at=at)])
    data = {"kind": lifted.kind, "project": lifted.project, "restraint": number}
    rows.record(db, audit.entry("restraint lifted", data, at=at, actor=by))
    return True


def one(db: sqlite3.Connection, number: int) -> Restraint | None:
    """Return it by its number; None when it was never set."""
    row = db.execute("SELECT * FROM restraints WHERE id = ?", (number,)).fetchone()
    return rows.restraint(row) if row else None


def in_force(db: sqlite3.Connection, *, at: datetime) -> tuple[Restraint, ...]:
    """Return all that bind somebody now, or will, in the order in which they were set."""
    found = db.execute(
        "SELECT * FROM restraints WHERE lifted_at IS NULL AND (ends_at IS NULL OR ends_at > ?)"
        " ORDER BY id",
        (rows.text(at),),
    )
    return tuple(rows.restraint(row) for row in found)


def page(
    db: sqlite3.Connection,
    *,
    kind: Kind | None,
    project: str | None,
    current: bool,
    before: int,
    limit: int,
    at: datetime,
) -> tuple[Restraint, ...]:
    """Return up to *limit* with an id below *before*, newest first; *current*: not over ones only.

    Those of a *project* are also those of every project.
    """
    found = db.execute(
        "SELECT * FROM restraints WHERE id < :before AND coalesce(:kind, kind) = kind"
        " AND (:project IS NULL OR project IS NULL OR project = :project)"
        " AND (NOT :current OR lifted_at IS NULL AND (ends_at IS NULL OR ends_at > :now))"
        " ORDER BY id DESC LIMIT :limit",
        {
            "before": before,
            "kind": kind,
            "project": project,
            "current": current,
            "now": rows.text(at),
            "limit": limit,
        },
    )
    return tuple(rows.restraint(row) for row in found)
