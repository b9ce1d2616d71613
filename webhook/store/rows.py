"""Rows and values: how each of our values stands in its table, and the two append-only tables."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from orchestrator import clock
from webhook import audit
from webhook.action import Action
from webhook.action import State as ActionState
from webhook.event import Event
from webhook.incident import Episode, Incident, State


def text(instant: datetime | None) -> str | None:
    """Write an instant for a column that may be NULL."""
    return None if instant is None else clock.written(instant)


def _instant(value: str | None) -> datetime | None:
    return None if value is None else clock.read(value)


def incident(row: sqlite3.Row) -> Incident:
    """Read a row of `incidents`."""
    return Incident(
        id=row["id"],
        project=row["project"],
        state=State(row["state"]),
        since=clock.read(row["since"]),
        opened_at=clock.read(row["opened_at"]),
        due_at=_instant(row["due_at"]),
        held=row["held"],
        recovered_at=_instant(row["recovered_at"]),
        escalated_at=_instant(row["escalated_at"]),
        ended_at=_instant(row["ended_at"]),
    )


def action(row: sqlite3.Row) -> Action:
    """Read a row of `actions`."""
    return Action(
        key=row["key"],
        incident=row["incident"],
        project=row["project"],
        name=row["name"],
        alertname=row["alertname"],
        attempt=row["attempt"],
        state=ActionState(row["state"]),
        created_at=clock.read(row["created_at"]),
        executed_at=_instant(row["executed_at"]),
        finished_at=_instant(row["finished_at"]),
        detail=row["detail"],
    )


def episode(row: sqlite3.Row) -> Episode:
    """Read a row of `episodes` that belongs to an incident."""
    return Episode(
        id=row["id"],
        fingerprint=row["fingerprint"],
        alertname=row["alertname"],
        project=row["project"],
        started_at=clock.read(row["started_at"]),
        ended_at=_instant(row["ended_at"]),
    )


def publish(db: sqlite3.Connection, events: Iterable[Event]) -> None:
    """Append *events* to the stream, in their order."""
    db.executemany(
        "INSERT INTO events (at, name, project, incident, data) VALUES (?, ?, ?, ?, ?)",
        [
            (clock.written(each.at), each.name, each.project, each.incident, json.dumps(each.data))
            for each in events
        ],
    )


def record(db: sqlite3.Connection, entry: audit.Entry) -> None:
    """Append *entry* to the audit, chained to the row before."""
    last = db.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    place, previous = (last["id"] + 1, last["hash"]) if last else (1, audit.GENESIS)
    db.execute(
        "INSERT INTO audit (id, at, actor, what, data, previous, hash)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            place,
            entry.at,
            entry.actor,
            entry.what,
            entry.data,
            previous,
            audit.digest(entry, id=place, previous=previous),
        ),
    )
