"""Intake: a notification becomes episodes, and episodes wake or open incidents."""

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator import clock
from webhook import audit, event
from webhook.alert import SAME, Alert, Notification, Status
from webhook.incident import Incident, State
from webhook.store import rows

REOPEN_WITHIN = timedelta(hours=1)  # a re-fire sooner than this is the same story to people


class Meaning(StrEnum):
    """What one alert of a notification meant to us; a label, so bounded."""

    OPENED = "opened"  # a new episode
    REPEATED = "repeated"  # an episode that we know
    ENDED = "ended"
    LATE = "late"  # firing, of an episode that is over: a copy that was overtaken
    STALE = "stale"  # resolved, of an episode before the present one
    UNKNOWN = "unknown"  # resolved, and never seen firing
    UNROUTABLE = "unroutable"  # to be repaired, and it names no project
    OURS = "ours"  # an escalation that we posted ourselves


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a stored notification amounted to."""

    meanings: Counter[Meaning]


def receive(
    db: sqlite3.Connection, notification: Notification, body: bytes, *, at: datetime
) -> Receipt:
    """Store a notification and all that follows from it for our state."""
    db.execute(
        "INSERT INTO notifications (at, status, receiver, alerts, body) VALUES (?, ?, ?, ?, ?)",
        (
            clock.written(at),
            notification.status,
            notification.receiver,
            len(notification.alerts),
            body.decode("utf-8", "replace"),
        ),
    )
    return Receipt(Counter(_take(db, alert, at) for alert in notification.alerts))


def _take(db: sqlite3.Connection, alert: Alert, at: datetime) -> Meaning:
    if alert.ours:
        return Meaning.OURS
    return (resolved if alert.status is Status.RESOLVED else firing)(db, alert, at)


def _last(db: sqlite3.Connection, fingerprint: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = db.execute(
        "SELECT * FROM episodes WHERE fingerprint = ? ORDER BY id DESC LIMIT 1", (fingerprint,)
    ).fetchone()
    return found


def firing(db: sqlite3.Connection, alert: Alert, at: datetime) -> Meaning:
    """Tell a new episode from another copy of a known one: startsAt may move earlier, not later."""
    last = _last(db, alert.fingerprint)
    if last is None:
        return _open(db, alert, at)
    started = clock.read(last["started_at"])
    newest = max(started, clock.read(last["first_started_at"]))  # a later copy may have lowered it
    if last["ended_at"] is not None:
        over = clock.read(last["ended_at"])
        if alert.started_at <= newest + SAME or alert.started_at < over:
            return Meaning.LATE
        return _open(db, alert, at)
    if alert.started_at > newest + SAME:  # it ended and began again, and we were told neither
        end(db, last, alert.started_at, at, how="implied by a later start")
        return _open(db, alert, at)
    db.execute(
        "UPDATE episodes SET started_at = ?, seen_at = ? WHERE id = ?",
        (rows.text(_lowered(db, last, started, alert.started_at)), clock.written(at), last["id"]),
    )
    return Meaning.REPEATED


def _lowered(
    db: sqlite3.Connection, last: sqlite3.Row, known: datetime, told: datetime
) -> datetime:
    """Return the earlier start, but none from before the end of the episode before this one."""
    row = db.execute(
        "SELECT max(ended_at) AS ended_at FROM episodes WHERE fingerprint = ? AND id < ?",
        (last["fingerprint"], last["id"]),
    ).fetchone()
    before = row["ended_at"]
    return known if before and told < clock.read(before) else min(known, told)


def resolved(db: sqlite3.Connection, alert: Alert, at: datetime) -> Meaning:
    """End the open episode, whatever startsAt says: a flap may have moved it unseen."""
    last = _last(db, alert.fingerprint)
    if last is None:
        return Meaning.UNKNOWN
    if last["ended_at"] is not None:
        return Meaning.REPEATED
    ended = alert.ended_at or at
    if ended < clock.read(last["started_at"]):
        return Meaning.STALE
    end(db, last, ended, at, how="resolved")
    return Meaning.ENDED


def _open(db: sqlite3.Connection, alert: Alert, at: datetime) -> Meaning:
    incident = _incident_for(db, alert, at) if alert.remediable and alert.project else None
    db.execute(
        "INSERT INTO episodes (fingerprint, alertname, project, labels, annotations,"
        " first_started_at, started_at, received_at, seen_at, incident)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            alert.fingerprint,
            alert.name,
            alert.project,
            json.dumps(alert.labels, sort_keys=True),
            json.dumps(alert.annotations, sort_keys=True),
            clock.written(alert.started_at),
            clock.written(alert.started_at),
            clock.written(at),
            clock.written(at),
            incident.id if incident else None,
        ),
    )
    if incident:
        rows.publish(db, event.fired(incident, alert, at=at))
    data = {"alertname": alert.name, "fingerprint": alert.fingerprint, "project": alert.project}
    rows.record(db, audit.entry("episode opened", data, at=at))
    return Meaning.OPENED if incident or not alert.remediable else Meaning.UNROUTABLE


def end(
    db: sqlite3.Connection, last: sqlite3.Row, ended: datetime, at: datetime, *, how: str
) -> None:
    """Note the end of the open episode *last*, a row of `episodes`, and wake its incident."""
    db.execute(
        "UPDATE episodes SET ended_at = ?, seen_at = ? WHERE id = ? AND ended_at IS NULL",
        (clock.written(ended), clock.written(at), last["id"]),
    )
    _wake(db, last["incident"], at)
    data = {"alertname": last["alertname"], "fingerprint": last["fingerprint"], "how": how}
    rows.record(db, audit.entry("episode ended", data, at=at))


def _wake(db: sqlite3.Connection, incident: int | None, at: datetime) -> None:
    db.execute(
        "UPDATE incidents SET due_at = ? WHERE id = ? AND due_at IS NOT NULL",
        (clock.written(at), incident),
    )


def _incident_for(db: sqlite3.Connection, alert: Alert, at: datetime) -> Incident:
    last = db.execute(
        "SELECT * FROM incidents WHERE project = ? ORDER BY id DESC LIMIT 1", (alert.project,)
    ).fetchone()
    if last is None or (last["ended_at"] and clock.read(last["ended_at"]) < at - REOPEN_WITHIN):
        return _open_incident(db, alert, at)
    known = rows.incident(last)
    if known.ended_at is None:
        _wake(db, known.id, at)
        return known
    again = known.move(State.OPEN, at=at)
    db.execute(
        "UPDATE incidents SET state = ?, since = ?, opened_at = ?, due_at = ?, held = NULL,"
        " recovered_at = NULL, ended_at = NULL WHERE id = ? AND state = ?",
        (again.state, *[rows.text(at)] * 3, known.id, known.state),
    )
    data = {"incident": known.id, "from": known.state, "to": again.state}
    rows.record(db, audit.entry("incident moved", data, at=at))
    return again


def _open_incident(db: sqlite3.Connection, alert: Alert, at: datetime) -> Incident:
    row = db.execute(
        "INSERT INTO incidents (project, state, since, opened_at, due_at)"
        " VALUES (?, 'open', ?, ?, ?) RETURNING *",
        (alert.project, rows.text(at), rows.text(at), rows.text(at)),
    ).fetchone()
    opened = rows.incident(row)
    data = {"incident": opened.id, "project": opened.project}
    rows.record(db, audit.entry("incident opened", data, at=at))
    return opened
