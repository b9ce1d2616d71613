"""Intake: a notification becomes episodes, and episodes wake or open incidents."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic_core import to_json

from orchestrator import clock
from webhook import audit, event
from webhook.alert import SAME, WATCHDOG, Alert, Notification, Status
from webhook.incident import Incident, State
from webhook.store import rows

REOPEN_WITHIN = timedelta(hours=1)  # a re-fire sooner than this is the same story to people
_EPISODES = (
    "episodes (fingerprint, alertname, project, labels, annotations,"
    " first_started_at, started_at, received_at, seen_at, incident)"
)
_LAST = (
    "SELECT id, fingerprint, alertname, incident, first_started_at, started_at, ended_at"
    " FROM episodes WHERE id IN"
    " (SELECT max(id) FROM episodes WHERE fingerprint IN ({}) GROUP BY fingerprint)"
)
_SEE = "UPDATE episodes SET seen_at = ? WHERE id IN ({})"


class Meaning(StrEnum):
    """What one alert of a notification meant to us; a label, so bounded."""

    OPENED = "opened"  # a new episode
    REPEATED = "repeated"  # an episode that we know
    ENDED = "ended"
    LATE = "late"  # firing, of an episode that is over: a copy that was overtaken
    STALE = "stale"  # resolved, of an episode before the present one
    UNKNOWN = "unknown"  # resolved, and never seen firing
    WATCHDOG = "watchdog"  # the alert that always fires; nothing is to be kept of it
    UNROUTABLE = "unroutable"  # to be repaired, and it names no project
    OURS = "ours"  # an escalation that we posted ourselves


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a stored notification amounted to."""

    meanings: Counter[Meaning]


@dataclass(slots=True, kw_only=True)
class _Ledger:
    """What one notification adds, kept until `write` puts it into each table at once."""

    db: sqlite3.Connection
    at: datetime
    opened: list[tuple[object, ...]] = field(default_factory=list)  # rows of `episodes`
    repeated: list[int] = field(default_factory=list)  # ids of episodes
    events: list[event.Event] = field(default_factory=list)
    entries: list[audit.Entry] = field(default_factory=list)

    def note(self, what: str, data: audit.Data) -> None:
        self.entries.append(audit.entry(what, data, at=self.at))

    def write(self) -> None:
        rows.append(self.db, _EPISODES, self.opened)
        _see(self.db, self.repeated, clock.written(self.at))
        rows.publish(self.db, self.events)
        rows.record(self.db, *self.entries)
        for each in (self.opened, self.repeated, self.events, self.entries):
            each.clear()


def receive(
    db: sqlite3.Connection, notification: Notification, body: bytes, *, at: datetime
) -> Receipt:
    """Store a notification and all that follows from it for our state."""
    told = notification.alerts
    kept = (notification.status, notification.receiver, len(told), body.decode("utf-8", "replace"))
    db.execute(
        "INSERT INTO notifications (at, status, receiver, alerts, body) VALUES (?, ?, ?, ?, ?)",
        (clock.written(at), *kept),
    )
    ledger = _Ledger(db=db, at=at)
    known = _last(db, [alert.fingerprint for alert in told if not alert.ours])
    meanings = Counter(_take(ledger, alert, known) for alert in told)
    ledger.write()
    return Receipt(meanings)


def _take(ledger: _Ledger, alert: Alert, known: dict[str, sqlite3.Row | None]) -> Meaning:
    if alert.ours:
        return Meaning.OURS
    if alert.name == WATCHDOG and not alert.remediable:
        return Meaning.WATCHDOG
    if alert.fingerprint not in known:  # a second time in one notification
        ledger.write()
        known |= _last(ledger.db, [alert.fingerprint])
    last = known.pop(alert.fingerprint)
    return (_resolved if alert.status is Status.RESOLVED else _firing)(ledger, alert, last)


def _last(db: sqlite3.Connection, fingerprints: Sequence[str]) -> dict[str, sqlite3.Row | None]:
    """Return the newest episode of each fingerprint, None for one that we have never seen."""
    last: dict[str, sqlite3.Row | None] = dict.fromkeys(fingerprints)
    for some in rows.portions(list(last)):
        found = db.execute(_LAST.format(rows.marks(len(some))), some).fetchall()
        last |= {row["fingerprint"]: row for row in found}
    return last


def _see(db: sqlite3.Connection, episodes: Sequence[int], at: str) -> None:
    for some in rows.portions(episodes):
        db.execute(_SEE.format(rows.marks(len(some))), (at, *some))


def firing(db: sqlite3.Connection, alert: Alert, at: datetime) -> Meaning:
    """Tell a new episode from another copy of a known one: startsAt may move earlier, not later."""
    ledger = _Ledger(db=db, at=at)
    meaning = _firing(ledger, alert, _last(db, [alert.fingerprint])[alert.fingerprint])
    ledger.write()
    return meaning


def _firing(ledger: _Ledger, alert: Alert, last: sqlite3.Row | None) -> Meaning:
    if last is None:
        return _open(ledger, alert)
    started = clock.read(last["started_at"])
    newest = max(started, clock.read(last["first_started_at"]))  # a later copy may have lowered it
    if last["ended_at"] is not None:
        over = clock.read(last["ended_at"])
        if alert.started_at <= newest + SAME or alert.started_at < over:
            return Meaning.LATE
        return _open(ledger, alert)
    if alert.started_at > newest + SAME:  # it ended and began again, and we were told neither
        _end(ledger, last, alert.started_at, how="implied by a later start")
        return _open(ledger, alert)
    if alert.started_at < started:
        _lower(ledger.db, last, alert.started_at)
    ledger.repeated.append(last["id"])
    return Meaning.REPEATED


def _lower(db: sqlite3.Connection, last: sqlite3.Row, told: datetime) -> None:
    """Note the earlier start, but none from before the end of the episode before this one."""
    db.execute(
        "UPDATE episodes SET started_at = ?1 WHERE id = ?2 AND ?1 >= coalesce("
        "(SELECT max(ended_at) FROM episodes WHERE fingerprint = ?3 AND id < ?2), '')",
        (clock.written(told), last["id"], last["fingerprint"]),
    )


def resolved(db: sqlite3.Connection, alert: Alert, at: datetime) -> Meaning:
    """End the open episode, whatever startsAt says: a flap may have moved it unseen."""
    ledger = _Ledger(db=db, at=at)
    meaning = _resolved(ledger, alert, _last(db, [alert.fingerprint])[alert.fingerprint])
    ledger.write()
    return meaning


def _resolved(ledger: _Ledger, alert: Alert, last: sqlite3.Row | None) -> Meaning:
    if last is None:
        return Meaning.UNKNOWN
    if last["ended_at"] is not None:
        return Meaning.REPEATED
    ended = alert.ended_at or ledger.at
    if ended < clock.read(last["started_at"]):
        return Meaning.STALE
    _end(ledger, last, ended, how="resolved")
    return Meaning.ENDED


def _open(ledger: _Ledger, alert: Alert) -> Meaning:
    incident = _gather(ledger, alert.project or "") if alert.remediable and alert.project else None
    began, now = clock.written(alert.started_at), clock.written(ledger.at)
    texts = (to_json(alert.labels).decode(), to_json(alert.annotations).decode())
    named = (alert.fingerprint, alert.name, alert.project)
    times = (began, began, now, now)
    ledger.opened.append((*named, *texts, *times, incident.id if incident else None))
    if incident:
        ledger.events += event.fired(incident, alert, at=ledger.at)
    data = {"alertname": alert.name, "fingerprint": alert.fingerprint, "project": alert.project}
    ledger.note("episode opened", data)
    return Meaning.OPENED if incident or not alert.remediable else Meaning.UNROUTABLE


def end(
    db: sqlite3.Connection, last: sqlite3.Row, ended: datetime, at: datetime, *, how: str
) -> None:
    """Note the end of the open episode *last*, a row of `episodes`, and wake its incident."""
    ledger = _Ledger(db=db, at=at)
    _end(ledger, last, ended, how=how)
    ledger.write()


def _end(ledger: _Ledger, last: sqlite3.Row, ended: datetime, *, how: str) -> None:
    ledger.db.execute(
        "UPDATE episodes SET ended_at = ?, seen_at = ?, how = ?, silenced = NULL"
        " WHERE id = ? AND ended_at IS NULL",
        (clock.written(ended), clock.written(ledger.at), how, last["id"]),
    )
    wake(ledger.db, last["incident"], ledger.at)
    ledger.db.execute(_WAKE_FALLEN, (clock.written(ledger.at), AT_ONCE))
    data = {"alertname": last["alertname"], "fingerprint": last["fingerprint"], "how": how}
    ledger.note("episode ended", data)


# With one fewer down, what is held because so many are may not be held any more. A few at a time:
# thousands that come back would each wake thousands.
AT_ONCE = 20
_WAKE_FALLEN = (
    "UPDATE incidents SET due_at = ? WHERE held_by = 'fleet' AND id IN"
    " (SELECT id FROM incidents WHERE storm = 1 AND ended_at IS NULL LIMIT ?)"
)


def wake(db: sqlite3.Connection, incident: int | None, at: datetime) -> None:
    """Let an incident that goes on be looked at now; None has nothing to be woken."""
    if incident is not None:
        db.execute(
            "UPDATE incidents SET due_at = ? WHERE id = ? AND due_at IS NOT NULL",
            (clock.written(at), incident),
        )


def incident_for(db: sqlite3.Connection, alert: Alert, at: datetime) -> Incident:
    """Return the incident that an alert belongs to: the open one, a recent one again, or a new."""
    return incident_of(db, alert.project or "", at)


def incident_of(db: sqlite3.Connection, project: str, at: datetime) -> Incident:
    """Return the incident that what happens to *project* now belongs to; it is due at once."""
    ledger = _Ledger(db=db, at=at)
    incident = _gather(ledger, project)
    ledger.write()
    return incident


def _gather(ledger: _Ledger, project: str) -> Incident:
    db, at = ledger.db, ledger.at
    last = db.execute(
        "SELECT * FROM incidents WHERE project = ? ORDER BY id DESC LIMIT 1", (project,)
    ).fetchone()
    if last is None or (last["ended_at"] and clock.read(last["ended_at"]) < at - REOPEN_WITHIN):
        return _open_incident(ledger, project)
    known = rows.incident(last)
    if known.ended_at is None:
        wake(db, known.id, at)
        return known
    again = known.move(State.OPEN, at=at)
    db.execute(
        "UPDATE incidents SET state = ?, since = ?, opened_at = ?, due_at = ?, held = NULL,"
        " held_by = NULL, recovered_at = NULL, escalated_at = NULL, ended_at = NULL,"
        " acknowledged_at = NULL, acknowledged_by = NULL,"
        " asked_about = '[]', storm = 0,"
        " first_episode = (SELECT coalesce(max(id), 0) + 1 FROM episodes)"
        " WHERE id = ? AND state = ?",
        (again.state, *[rows.text(at)] * 3, known.id, known.state),
    )
    data = {"incident": known.id, "from": known.state, "to": again.state}
    ledger.note("incident moved", data)
    return again


def _open_incident(ledger: _Ledger, project: str) -> Incident:
    now = clock.written(ledger.at)
    row = ledger.db.execute(
        "INSERT INTO incidents (project, state, since, opened_at, due_at)"
        " VALUES (?, 'open', ?, ?, ?) RETURNING *",
        (project, now, now, now),
    ).fetchone()
    opened = rows.incident(row)
    ledger.note("incident opened", {"incident": opened.id, "project": opened.project})
    return opened
