"""Leftovers: alerts that go on although their incident has ended, when their project is back."""

import json
import sqlite3
from collections.abc import Collection
from datetime import datetime

from orchestrator import clock
from webhook import event
from webhook.alert import Alert, Status
from webhook.store import intake, rows


def take_up(db: sqlite3.Connection, projects: Collection[str], *, at: datetime) -> int:
    """Open again what ended although an alert of it goes on, of *projects*; return how many.

    That is what is left of a project that was taken out of the configuration and put back.
    """
    lost = db.execute(
        "SELECT episodes.* FROM episodes JOIN incidents ON incidents.id = incident"
        " WHERE episodes.ended_at IS NULL AND incidents.ended_at IS NOT NULL"
    ).fetchall()
    found = [row for row in lost if row["project"] in projects]
    for row in found:
        alert = _alert(row)
        incident = intake.incident_for(db, alert, at)
        db.execute("UPDATE episodes SET incident = ? WHERE id = ?", (incident.id, row["id"]))
        db.execute(
            "UPDATE incidents SET first_episode = min(first_episode, ?) WHERE id = ?",
            (row["id"], incident.id),
        )
        rows.publish(db, event.fired(incident, alert, at=at))
    return len(found)


def _alert(row: sqlite3.Row) -> Alert:
    return Alert(
        status=Status.FIRING,
        labels=json.loads(row["labels"]),
        annotations=json.loads(row["annotations"]),
        fingerprint=row["fingerprint"],
        started_at=clock.read(row["started_at"]),
    )
