"""Restraints: people's words that nothing is to be repaired, kept until they end or are lifted."""

import sqlite3
from datetime import datetime

from orchestrator.errors import OrchestratorError
from webhook import audit
from webhook.restraint import Kind
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

    Returns its number.
    Raises Endless for a kill switch without an end.
    """
    if kind is Kind.KILL_SWITCH and ends_at is None:
        raise Endless("a kill switch needs an end, like --for 30m")
    row = db.execute(
        "INSERT INTO restraints (kind, project, reason, set_by, starts_at, ends_at)"
        " VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
        (kind, project, reason, by, rows.text(starts_at), rows.text(ends_at)),
    ).fetchone()
    number = int(row["id"])
    data = {"kind": kind, "project": project, "reason": reason, "restraint": number}
    rows.record(db, audit.entry("restraint set", data, at=at, actor=by))
    return number


def lift(db: sqlite3.Connection, number: int, *, by: str, at: datetime) -> bool:
    """End it now, and let what it held be decided anew; False: it is not in force."""
    lifted = db.execute(
        "UPDATE restraints SET lifted_at = ?, lifted_by = ? WHERE id = ? AND lifted_at IS NULL",
        (rows.text(at), by, number),
    )
    if lifted.rowcount != 1:
        return False
    held = "UPDATE incidents SET due_at = ? WHERE due_at IS NOT NULL AND held_by IS NOT NULL"
    db.execute(held, (rows.text(at),))
    rows.record(db, audit.entry("restraint lifted", {"restraint": number}, at=at, actor=by))
    return True
