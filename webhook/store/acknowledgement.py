"""Acknowledgement: a person's word that an escalated incident is in their hands."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from orchestrator import clock
from orchestrator.errors import OrchestratorError
from webhook import audit, event
from webhook.incident import State
from webhook.plain import line
from webhook.store import rows

SAID = 500  # characters of a reason that go to a pager


class UnknownIncident(OrchestratorError):
    """There is no incident of this number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"there is no incident {number}")


class NotEscalated(OrchestratorError):
    """Nobody was asked about the incident, or not any more, so nobody can take it."""

    def __init__(self, number: int, state: str) -> None:
        super().__init__(
            f"incident {number} is {state}; only what is escalated can be acknowledged"
        )
        self.state = state


class Taken(OrchestratorError):
    """Somebody else has it already."""

    def __init__(self, number: int, by: str, at: datetime) -> None:
        super().__init__(f"{by} has taken incident {number} at {at:%H:%M} UTC")
        self.by, self.at = by, at


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """Who has an incident, and since when."""

    by: str
    at: datetime


def acknowledge(
    db: sqlite3.Connection, number: int, *, by: str, reason: str, at: datetime
) -> Acknowledged:
    """Note that *by* takes the incident, and say so on its page; return who has it now.

    The same person may say it again: nothing more is noted. One conditional update: of two people
    at once, one has it, and the other is told who.
    Raises UnknownIncident, NotEscalated, Taken.
    """
    taken = db.execute(
        "UPDATE incidents SET acknowledged_at = ?, acknowledged_by = ?"
        " WHERE id = ? AND state = ? AND acknowledged_by IS NULL",
        (rows.text(at), by, number, State.ESCALATED),
    )
    row = db.execute("SELECT * FROM incidents WHERE id = ?", (number,)).fetchone()
    if taken.rowcount != 1:
        return _known(row, number, by)
    _say_on_page(db, number, f"{by} has taken it at {at:%H:%M} UTC: {reason}", at)
    told = event.acknowledged(rows.incident(row), by=by, reason=reason, at=at)
    rows.publish(db, [told])
    data = {"incident": number, "project": row["project"], "reason": reason}
    rows.record(db, audit.entry("escalation acknowledged", data, at=at, actor=by))
    return Acknowledged(by=by, at=at)


def forget(db: sqlite3.Connection, incident: int) -> None:
    """Let nobody have it any more: people are asked anew, about something else."""
    db.execute(
        "UPDATE incidents SET acknowledged_at = NULL, acknowledged_by = NULL WHERE id = ?",
        (incident,),
    )


def _known(row: sqlite3.Row | None, number: int, by: str) -> Acknowledged:
    if row is None:
        raise UnknownIncident(number)
    if row["state"] != State.ESCALATED:
        raise NotEscalated(number, row["state"])
    if row["acknowledged_by"] != by:
        raise Taken(number, row["acknowledged_by"], clock.read(row["acknowledged_at"]))
    return Acknowledged(by=by, at=clock.read(row["acknowledged_at"]))


def _say_on_page(db: sqlite3.Connection, number: int, said: str, at: datetime) -> None:
    """Put it into the annotations, which are posted again at once; the labels are its identity."""
    lasting = db.execute(
        "SELECT id, annotations FROM pages WHERE kind = 'escalation' AND incident = ?"
        " AND ended_at IS NULL",
        (number,),
    ).fetchall()
    text = line(said, SAID)
    for page in lasting:
        known = json.loads(page["annotations"])
        described = "\n".join(part for part in (text, known.get("description")) if part)
        new = {**known, "acknowledged": text, "description": described}
        db.execute(
            "UPDATE pages SET annotations = ?, post_at = ? WHERE id = ?",
            (json.dumps(new, sort_keys=True), rows.text(at), page["id"]),
        )
