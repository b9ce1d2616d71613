"""History: what readers ask of the store, and the snapshots of our own health kept for them."""

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator import clock
from webhook import audit
from webhook.action import Action
from webhook.restraint import Kind
from webhook.store import rows

Json = dict[str, object]

KEEP = timedelta(days=30)  # snapshots; half a kilobyte a minute
CLEARED = 10  # old snapshots that go with each new one, at most: more would hold up the writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for somebody."""

    many: int
    since: datetime | None  # the one that has waited for longest

    def age(self, now: datetime) -> timedelta:
        """Return how long the oldest has waited; nothing when none waits."""
        return timedelta(0) if self.since is None else max(now - self.since, timedelta(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the gauges show."""

    at: datetime
    incidents: Mapping[str, int]  # open ones, by state
    holding: Mapping[str, int]  # open ones that are held, by guard
    episodes: int  # open ones
    queue: Waiting  # due incidents that nobody has claimed
    approvals: Waiting
    attempts: tuple[Action, ...]  # those that still count, oldest first
    maintenance: frozenset[str | None]  # projects; None: every one
    restraints: Mapping[str, int]  # in force, by kind
    pages: Mapping[str, int]  # that go on, by kind
    audit_rows: int
    audit_head: str  # the hash of the newest row


def events(db: sqlite3.Connection, *, after: int, limit: int) -> list[Json]:
    """Return up to *limit* events with an id above *after*, oldest first."""
    found = db.execute(
        "SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
    ).fetchall()
    return [dict(row) | {"data": json.loads(row["data"])} for row in found]


def figures(db: sqlite3.Connection, *, now: datetime, window: timedelta) -> Figures:
    """Return what the gauges show at *now*; attempts count for as long as *window*."""
    incidents, holding = _open_incidents(db)
    maintenance, restraints = _restraints(db, now)
    last = db.execute(
        "SELECT id, hash FROM audit WHERE id = (SELECT max(id) FROM audit)"
    ).fetchone()
    return Figures(
        at=now,
        incidents=incidents,
        holding=holding,
        episodes=_count(db, "SELECT count(*) FROM episodes WHERE ended_at IS NULL"),
        queue=_queue(db, now),
        approvals=_waiting(
            db, "SELECT count(*), min(asked_at) FROM approvals WHERE decision IS NULL"
        ),
        attempts=_attempts(db, now - window),
        maintenance=maintenance,
        restraints=restraints,
        pages=_pages(db),
        audit_rows=last["id"] if last else 0,
        audit_head=last["hash"] if last else audit.GENESIS,
    )


def _open_incidents(db: sqlite3.Connection) -> tuple[Counter[str], Counter[str]]:
    """Count by state and by guard. The condition is that of the index, which knows no others."""
    found = db.execute(
        "SELECT state, held_by, count(*) AS many FROM incidents"
        " WHERE state NOT IN ('resolved', 'closed') GROUP BY state, held_by"
    )
    states, guards = Counter[str](), Counter[str]()
    for row in found:
        states[row["state"]] += row["many"]
        if row["held_by"] is not None:
            guards[row["held_by"]] += row["many"]
    return states, guards


def _queue(db: sqlite3.Connection, now: datetime) -> Waiting:
    return _waiting(
        db,
        "SELECT count(*), min(due_at) FROM incidents WHERE (due_at <= ? OR due_at > ?)"
        " AND (claimed_by IS NULL OR claimed_by <> (SELECT max(epoch) FROM boots))",
        clock.written(now),
        clock.written(now + rows.ASTRAY),
    )


def _attempts(db: sqlite3.Connection, since: datetime) -> tuple[Action, ...]:
    found = db.execute(
        "SELECT * FROM actions WHERE executed_at > ? AND forgiven_at IS NULL"
        " ORDER BY executed_at, created_at",
        (clock.written(since),),
    )
    return tuple(rows.action(row) for row in found)


def _restraints(
    db: sqlite3.Connection, now: datetime
) -> tuple[frozenset[str | None], Counter[str]]:
    """Return whom a maintenance binds, and count what is in force by kind."""
    found = db.execute(
        "SELECT kind, project, count(*) AS many FROM restraints"
        " WHERE lifted_at IS NULL AND coalesce(starts_at, '') <= ?"
        " AND (ends_at IS NULL OR ends_at > ?) GROUP BY kind, project",
        [clock.written(now)] * 2,
    )
    whom, kinds = set[str | None](), Counter[str]()
    for row in found:
        kinds[row["kind"]] += row["many"]
        if row["kind"] == Kind.MAINTENANCE:
            whom.add(row["project"])
    return frozenset(whom), kinds


def _pages(db: sqlite3.Connection) -> dict[str, int]:
    """Count by kind. What goes on is posted again and again; that it has a time, finds it."""
    found = db.execute(
        "SELECT kind, count(*) AS many FROM pages WHERE post_at > '' AND ended_at IS NULL"
        " GROUP BY kind"
    )
    return {row["kind"]: row["many"] for row in found}


def _waiting(db: sqlite3.Connection, query: str, *values: str) -> Waiting:
    many, since = db.execute(query, values).fetchone()
    return Waiting(many=many, since=None if since is None else clock.read(since))


def _count(db: sqlite3.Connection, query: str) -> int:
    return int(db.execute(query).fetchone()[0])


def keep(db: sqlite3.Connection, snapshot: Mapping[str, object], *, at: datetime) -> None:
    """Store a snapshot of our own health, and let go of the oldest that are out of date."""
    db.execute(
        "INSERT INTO system_health (at, figures) VALUES (?, ?)",
        (clock.written(at), json.dumps(snapshot, sort_keys=True)),
    )
    db.execute(  # the oldest by their place: to look at the time of each would read them all
        "DELETE FROM system_health WHERE at < ?"
        " AND id IN (SELECT id FROM system_health ORDER BY id LIMIT ?)",
        (clock.written(at - KEEP), CLEARED),
    )
