"""History: what readers ask of the store. Nothing here changes it."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from webhook import audit
from webhook.incident import downtime
from webhook.store import rows

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the gauges show."""

    incidents: dict[str, int]  # open ones, by state
    audit_rows: int
    audit_head: str  # the hash of the newest row


def events(db: sqlite3.Connection, *, after: int, limit: int) -> list[Json]:
    """Return up to *limit* events with an id above *after*, oldest first."""
    found = db.execute(
        "SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
    ).fetchall()
    return [dict(row) | {"data": json.loads(row["data"])} for row in found]


def incidents(db: sqlite3.Connection, *, before: int | None, limit: int) -> list[Json]:
    """Return up to *limit* incidents with an id below *before*, newest first."""
    found = db.execute(
        "SELECT * FROM incidents WHERE id < coalesce(?, id + 1) ORDER BY id DESC LIMIT ?",
        (before, limit),
    ).fetchall()
    return [_incident(db, row) for row in found]


def _incident(db: sqlite3.Connection, row: sqlite3.Row) -> Json:
    episodes = db.execute("SELECT * FROM episodes WHERE incident = ? ORDER BY id", (row["id"],))
    down = downtime(tuple(rows.episode(each) for each in episodes))
    actions = db.execute(
        "SELECT key, name AS action, attempt, state, created_at, executed_at, finished_at, detail"
        " FROM actions WHERE incident = ? ORDER BY created_at",
        (row["id"],),
    )
    shown = ("id", "project", "state", "opened_at", "ended_at", "escalated_at", "held")
    return {key: row[key] for key in shown} | {
        "downtime_seconds": None if down is None else down.total_seconds(),
        "actions": [dict(each) for each in actions],
    }


def figures(db: sqlite3.Connection) -> Figures:
    """Return what the gauges show at this moment."""
    counted = db.execute(
        "SELECT state, count(*) AS many FROM incidents WHERE ended_at IS NULL GROUP BY state"
    )
    last = db.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    return Figures(
        incidents={row["state"]: row["many"] for row in counted},
        audit_rows=last["id"] if last else 0,
        audit_head=last["hash"] if last else audit.GENESIS,
    )


def audited(db: sqlite3.Connection) -> Iterator[audit.Row]:
    """Yield the audit from its first row on."""
    for row in db.execute("SELECT * FROM audit ORDER BY id"):
        entry = audit.Entry(at=row["at"], actor=row["actor"], what=row["what"], data=row["data"])
        yield audit.Row(id=row["id"], entry=entry, previous=row["previous"], hash=row["hash"])
