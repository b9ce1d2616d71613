"""What is recorded: the part of the tables that a replay needs, and what was done with it."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime

from pydantic_core import from_json

from orchestrator import clock
from webhook.approval import Decision
from webhook.recording import (
    Decided,
    Deed,
    Lifted,
    Line,
    Mark,
    Restrained,
    Silenced,
    Told,
    What,
)
from webhook.restraint import Kind

_NEWEST = (  # of each table that is written to while the webhook lives
    "SELECT at FROM audit ORDER BY id DESC LIMIT 1",
    "SELECT at FROM notifications ORDER BY id DESC LIMIT 1",
    "SELECT at FROM system_health ORDER BY id DESC LIMIT 1",
)


def lines(
    db: sqlite3.Connection, *, since: datetime | None = None, until: datetime | None = None
) -> list[Line]:
    """Return all that was recorded from *since* to *until*, in order of time; raise sqlite3.Error.

    Nothing is told of the time before the oldest notification that is kept.
    """
    oldest = db.execute("SELECT at FROM notifications ORDER BY id LIMIT 1").fetchone()
    newest = max((row["at"] for each in _NEWEST for row in db.execute(each)), default=None)
    if oldest is None or newest is None:
        return []
    begin = max(oldest["at"], clock.written(since) if since else "")
    end = min(newest, clock.written(until)) if until else newest
    found: list[Line] = [
        Mark(at=clock.read(begin), kind="begin"),
        *_heard(db, begin, end),
        *(each for each in deeds(db) if begin <= clock.written(each.at) <= end),
        Mark(at=clock.read(end), kind="end"),
    ]
    return sorted(found, key=lambda line: line.at)  # stable: what is at one instant stays in order


def deeds(db: sqlite3.Connection) -> list[Deed]:
    """Return what was done, without what people asked for by hand."""
    return sorted([*_acts(db), *_questions(db), *_pages(db)], key=lambda deed: deed.at)


def _acts(db: sqlite3.Connection) -> Iterator[Deed]:
    found = db.execute(
        "SELECT coalesce(executed_at, created_at) AS at, project, alertname, name, state"
        " FROM actions WHERE (executed_at IS NOT NULL OR state = 'shadowed')"
        " AND NOT EXISTS (SELECT 1 FROM requests WHERE requests.key = actions.key)"
        " ORDER BY at, created_at, key"
    )
    for row in found:
        yield Deed(
            at=clock.read(row["at"]),
            what=What.ACT if row["state"] != "shadowed" else What.SHADOW,
            project=row["project"],
            alertname=row["alertname"],
            action=row["name"],
            detail=row["state"],
        )


def _questions(db: sqlite3.Connection) -> Iterator[Deed]:
    found = db.execute(
        "SELECT asked_at, approvals.project, alertname, name, decision FROM approvals"
        " JOIN actions ON actions.key = approvals.action ORDER BY approvals.id"
    )
    for row in found:
        yield Deed(
            at=clock.read(row["asked_at"]),
            what=What.ASK,
            project=row["project"],
            alertname=row["alertname"],
            action=row["name"],
            detail=row["decision"] or "waiting",
        )


def _pages(db: sqlite3.Connection) -> Iterator[Deed]:
    found = db.execute(
        "SELECT started_at, kind, project, reason FROM pages"
        " WHERE kind IN ('escalation', 'fleet') ORDER BY id"
    )
    for row in found:
        yield Deed(
            at=clock.read(row["started_at"]),
            what=What.FLEET if row["kind"] == "fleet" else What.ESCALATE,
            project=row["project"] or "",
            detail=row["reason"],
        )


def _heard(db: sqlite3.Connection, begin: str, end: str) -> Iterator[Line]:
    told = [*_told(db, begin, end)]
    yield from told
    yield from _found(db, begin, end, {clock.written(each.at) for each in told})
    yield from _restrained(db, begin, end)
    yield from _decided(db, begin, end)
    yield from _silenced(db, begin, end)


def _told(db: sqlite3.Connection, begin: str, end: str) -> Iterator[Told]:
    found = db.execute(
        "SELECT at, body FROM notifications WHERE at BETWEEN ? AND ? ORDER BY at, id", (begin, end)
    )
    for row in found:
        yield Told(at=clock.read(row["at"]), body=from_json(row["body"]))


def _found(db: sqlite3.Connection, begin: str, end: str, told: set[str]) -> Iterator[Told]:
    """Yield what reconciling found, as Alertmanager would have told it."""
    found = db.execute(
        "SELECT * FROM episodes WHERE received_at BETWEEN ? AND ?"
        " OR (seen_at BETWEEN ? AND ? AND how = 'reconciled') ORDER BY id",
        (begin, end, begin, end),
    )
    for row in found:
        if row["received_at"] not in told and begin <= row["received_at"] <= end:
            yield _as_told(row, row["received_at"], None)
        if row["how"] == "reconciled" and begin <= row["seen_at"] <= end:
            yield _as_told(row, row["seen_at"], row["ended_at"])


def _as_told(row: sqlite3.Row, at: str, ended_at: str | None) -> Told:
    status = "resolved" if ended_at else "firing"
    said = {
        "status": status,
        "labels": json.loads(row["labels"]),
        "annotations": json.loads(row["annotations"]),
        "startsAt": row["first_started_at"],
        "endsAt": ended_at or "",
        "fingerprint": row["fingerprint"],
    }
    body = {"version": "4", "status": status, "receiver": "reconciled", "alerts": [said]}
    return Told(at=clock.read(at), body=body)


def _restrained(db: sqlite3.Connection, begin: str, end: str) -> Iterator[Line]:
    """Yield what people said, also before the begin, when it bound somebody then."""
    found = db.execute(
        "SELECT *, coalesce(set_at, starts_at, ?) AS said_at FROM restraints"
        " WHERE coalesce(set_at, starts_at, ?) <= ?"
        " AND (ends_at IS NULL OR ends_at > ?) AND (lifted_at IS NULL OR lifted_at > ?)"
        " ORDER BY id",
        (begin, begin, end, begin, begin),
    )
    for row in found:
        yield Restrained(
            at=clock.read(max(row["said_at"], begin)),
            number=row["id"],
            restraint=Kind(row["kind"]),
            project=row["project"],
            reason=row["reason"],
            by=row["set_by"],
            starts_at=row["starts_at"] and clock.read(row["starts_at"]),
            ends_at=row["ends_at"] and clock.read(row["ends_at"]),
        )
        if row["lifted_at"] and row["lifted_at"] <= end:
            at = clock.read(row["lifted_at"])
            yield Lifted(at=at, number=row["id"], by=row["lifted_by"] or "")


def _decided(db: sqlite3.Connection, begin: str, end: str) -> Iterator[Decided]:
    found = db.execute(
        "SELECT decided_at, approvals.project, name, decision, decided_by, reason FROM approvals"
        " JOIN actions ON actions.key = approvals.action"
        " WHERE decision IN ('approved', 'rejected') AND decided_at BETWEEN ? AND ?"
        " ORDER BY decided_at, approvals.id",
        (begin, end),
    )
    for row in found:
        approved = row["decision"] == Decision.APPROVED
        yield Decided(
            at=clock.read(row["decided_at"]),
            project=row["project"],
            action=row["name"],
            decision=Decision.APPROVED if approved else Decision.REJECTED,
            by=row["decided_by"] or "",
            reason=row["reason"] or "",
        )


def _silenced(db: sqlite3.Connection, begin: str, end: str) -> Iterator[Silenced]:
    found = db.execute(
        "SELECT at, data FROM audit WHERE what = 'episode silenced' AND at BETWEEN ? AND ?"
        " ORDER BY id",
        (begin, end),
    )
    for row in found:
        said = json.loads(row["data"])
        yield Silenced(
            at=clock.read(row["at"]), fingerprint=said["fingerprint"], text=said["silenced"]
        )
