"""Paging: the escalations that people have to be told of, or told the end of."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from orchestrator import clock
from webhook.store import rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """One request for people, from its start until they were told of its end."""

    id: int
    incident: int
    project: str
    reason: str
    started_at: datetime
    ended_at: datetime | None


def due(db: sqlite3.Connection, *, at: datetime) -> list[Escalation]:
    """Return the escalations that have to be posted now."""
    found = db.execute("SELECT * FROM pages WHERE post_at <= ? ORDER BY id", (clock.written(at),))
    return [
        Escalation(
            id=row["id"],
            incident=row["incident"],
            project=row["project"],
            reason=row["reason"],
            started_at=clock.read(row["started_at"]),
            ended_at=clock.read(row["ended_at"]) if row["ended_at"] else None,
        )
        for row in found
    ]


def posted(db: sqlite3.Connection, escalation: Escalation, *, again: datetime | None) -> None:
    """Note that *escalation* was posted as it was read; None: its end was, so it is settled.

    When it has ended since it was read, it stays due, so the end goes out at once.
    """
    db.execute(
        "UPDATE pages SET post_at = ? WHERE id = ? AND coalesce(ended_at, '') = ?",
        (rows.text(again), escalation.id, rows.text(escalation.ended_at) or ""),
    )
