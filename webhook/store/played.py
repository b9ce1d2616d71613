"""What is played: the questions of a simulation to its own store, and what has come of it."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime

from orchestrator import clock
from webhook.hindsight import Held, Spell, settling
from webhook.recording import Decided, Told
from webhook.replay import Story
from webhook.store import intake


def due(db: sqlite3.Connection) -> datetime | None:
    """Return when the next step is due; None: never."""
    found = db.execute("SELECT min(due_at) FROM incidents WHERE due_at IS NOT NULL").fetchone()[0]
    return None if found is None else clock.read(found)


def question(db: sqlite3.Connection, answer: Decided, *, at: datetime) -> int | None:
    """Return the number of the open question that *answer* is for; None: there is none."""
    found = db.execute(
        "SELECT approvals.id FROM approvals JOIN actions ON actions.key = approvals.action"
        " WHERE decision IS NULL AND approvals.project = ? AND name = ? AND expires_at > ?",
        (answer.project, answer.action, clock.written(at)),
    ).fetchone()
    return None if found is None else int(found["id"])


def held(db: sqlite3.Connection, told: Iterable[Told]) -> Iterator[Held]:
    """Yield when each alert held, by all that was *told*; *db* is a store for nothing else."""
    for each in told:
        intake.receive(db, each.notification(), b"", at=each.at)
    for row in db.execute("SELECT * FROM episodes WHERE project IS NOT NULL ORDER BY id"):
        ended = None if row["ended_at"] is None else clock.read(row["ended_at"])
        yield Held(
            project=row["project"],
            alertname=row["alertname"],
            spell=Spell(start=clock.read(row["started_at"]), end=ended),
            settle=settling(json.loads(row["annotations"])),
        )


def stories(db: sqlite3.Connection) -> tuple[Story, ...]:
    """Return every incident, in the order in which they began."""
    found = db.execute(
        "SELECT incidents.id, incidents.project, state, min(received_at) AS began"
        " FROM incidents JOIN episodes ON episodes.incident = incidents.id"
        " GROUP BY incidents.id, incidents.project, state ORDER BY began, incidents.id"
    ).fetchall()
    return tuple(
        Story(
            incident=row["id"],
            project=row["project"],
            alerts=_alerts(db, row["id"]),
            began=clock.read(row["began"]),
            state=row["state"],
        )
        for row in found
    )


def _alerts(db: sqlite3.Connection, incident: int) -> tuple[str, ...]:
    named = "SELECT DISTINCT alertname FROM episodes WHERE incident = ? ORDER BY alertname"
    return tuple(row["alertname"] for row in db.execute(named, (incident,)))
