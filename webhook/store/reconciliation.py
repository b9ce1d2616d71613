"""Reconciliation: what Alertmanager shows is brought into the store, whoever missed it."""

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator import clock
from webhook import audit, event
from webhook.alert import Alert
from webhook.store import intake, rows
from webhook.store.intake import Meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An open episode that Alertmanager should show."""

    id: int
    fingerprint: str
    started_at: datetime  # the latest that we were told of it
    seen_at: datetime
    silenced: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeared:
    """Alertmanager shows an alert that has no open episode, or one that began after ours."""

    alert: Alert
    updated_at: datetime  # when Alertmanager was last told that it fires
    silenced: str | None
    beside: bool  # whether an earlier episode of it was open


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """No Alertmanager has shown the episode for so long that it must have ended."""

    episode: Known
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Silenced:
    """People silenced the episode, or changed how."""

    episode: Known
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsilenced:
    """The silence is over, and the episode is not."""

    episode: Known


Finding = Appeared | Gone | Silenced | Unsilenced


class Kind(StrEnum):
    """What was found to differ; a label, so bounded."""

    APPEARED = "appeared"
    GONE = "gone"
    REOPENED = "reopened"
    SILENCED = "silenced"
    UNSILENCED = "unsilenced"


def known(db: sqlite3.Connection) -> tuple[Known, ...]:
    """Return the open episodes of alerts that may be repaired."""
    found = db.execute(
        "SELECT id, fingerprint, labels, started_at, first_started_at, seen_at, silenced"
        " FROM episodes WHERE ended_at IS NULL ORDER BY id"
    )
    return tuple(
        Known(
            id=row["id"],
            fingerprint=row["fingerprint"],
            started_at=max(clock.read(row["started_at"]), clock.read(row["first_started_at"])),
            seen_at=clock.read(row["seen_at"]),
            silenced=row["silenced"],
        )
        for row in found
        if json.loads(row["labels"]).get("remediate") == "true"
    )


def take(db: sqlite3.Connection, findings: Sequence[Finding], *, at: datetime) -> Counter[Kind]:
    """Store what *findings* mean, and return what was new about them.

    Each looks again at what it is about: a notification may have arrived since, and then that
    one was right. So the same finding twice changes nothing the second time.
    """
    return Counter(kind for each in findings if (kind := _take(db, each, at)))


def _take(db: sqlite3.Connection, finding: Finding, at: datetime) -> Kind | None:
    match finding:
        case Appeared():
            return _appeared(db, finding, at)
        case Gone():
            return _gone(db, finding, at)
        case Silenced():
            silenced = _silence(db, finding.episode.id, finding.text, at)
            return Kind.SILENCED if silenced else None
        case Unsilenced():
            told = _silence(db, finding.episode.id, None, at)
            return Kind.UNSILENCED if told else None


def _appeared(db: sqlite3.Connection, found: Appeared, at: datetime) -> Kind | None:
    kind: Kind | None = None
    match intake.firing(db, found.alert, at):
        case Meaning.OPENED | Meaning.UNROUTABLE:
            kind = Kind.APPEARED
        case Meaning.LATE if not found.beside and _reopen(db, found, at):
            kind = Kind.REOPENED
    if found.silenced is not None and kind is not None:
        _silence(db, _last(db, found.alert.fingerprint)["id"], found.silenced, at)
    return kind


def _reopen(db: sqlite3.Connection, found: Appeared, at: datetime) -> bool:
    """Take the end of the last episode back, if Alertmanager was told after it that it fires.

    A peer that is cut off from Prometheus says "resolved" of what goes on, and, for minutes,
    shows what has ended. Which of the two it is, is told by when the peer last heard of it.
    """
    alert, last = found.alert, _last(db, found.alert.fingerprint)
    if found.updated_at <= clock.read(last["ended_at"]):
        return False
    incident = _again(db, alert, last, at) if alert.remediable and alert.project else None
    db.execute(
        "UPDATE episodes SET ended_at = NULL, how = NULL, silenced = NULL, seen_at = ?,"
        " incident = ? WHERE id = ?",
        (clock.written(at), incident, last["id"]),
    )
    data = {"alertname": alert.name, "fingerprint": alert.fingerprint, "project": alert.project}
    rows.record(db, audit.entry("episode reopened", data, at=at))
    return True


def _again(db: sqlite3.Connection, alert: Alert, episode: sqlite3.Row, at: datetime) -> int:
    """Wake the incident of *episode*, or open it again; return its id."""
    going = db.execute(
        "SELECT 1 FROM incidents WHERE id = ? AND ended_at IS NULL", (episode["incident"],)
    ).fetchone()
    incident = intake.incident_for(db, alert, at)
    # One that was opened again has forgotten the episodes of its life before.
    db.execute(
        "UPDATE incidents SET first_episode = ? WHERE id = ? AND first_episode > ?",
        (episode["id"], incident.id, episode["id"]),
    )
    if going is None:  # else nobody was told that it had ended
        rows.publish(db, event.fired(incident, alert, at=at))
    return incident.id


def _gone(db: sqlite3.Connection, found: Gone, at: datetime) -> Kind | None:
    row = db.execute(
        "SELECT * FROM episodes WHERE id = ? AND ended_at IS NULL AND seen_at = ?",
        (found.episode.id, clock.written(found.episode.seen_at)),
    ).fetchone()
    if row is None:  # told of again, or told of its end, since we looked
        return None
    ended = max(found.ended_at, clock.read(row["started_at"]))  # their clocks may differ
    intake.end(db, row, ended, at, how="reconciled")
    return Kind.GONE


def _silence(db: sqlite3.Connection, episode: int, text: str | None, at: datetime) -> bool:
    row = db.execute(
        "UPDATE episodes SET silenced = ? WHERE id = ? AND ended_at IS NULL"
        " AND coalesce(silenced, '') <> ? RETURNING *",
        (text, episode, text or ""),
    ).fetchone()
    if row is None:
        return False
    intake.wake(db, row["incident"], at)
    data = {"alertname": row["alertname"], "fingerprint": row["fingerprint"], "silenced": text}
    rows.record(db, audit.entry("episode silenced", data, at=at))
    return True


def _last(db: sqlite3.Connection, fingerprint: str) -> sqlite3.Row:
    row: sqlite3.Row = db.execute(
        "SELECT * FROM episodes WHERE fingerprint = ? ORDER BY id DESC LIMIT 1", (fingerprint,)
    ).fetchone()
    return row
