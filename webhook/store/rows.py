"""Rows and values: how each of our values stands in its table, and the two append-only tables."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import TypeVar

from orchestrator import clock
from webhook import audit
from webhook.action import Action
from webhook.action import State as ActionState
from webhook.approval import Approval, Decision
from webhook.event import Event
from webhook.incident import Episode, Incident, State
from webhook.request import Outcome, Request
from webhook.restraint import Kind, Restraint

ASTRAY = timedelta(seconds=90)  # nothing is planned so far ahead: the clock was set back
AT_ONCE = 50  # rows of one statement: the more, the more statements there are to keep prepared

T = TypeVar("T")


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
        held_by=row["held_by"],
        recovered_at=_instant(row["recovered_at"]),
        escalated_at=_instant(row["escalated_at"]),
        ended_at=_instant(row["ended_at"]),
        asked_about=tuple(json.loads(row["asked_about"])),
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
        output=row["output"],
        opened_at=_instant(row["opened_at"]),
    )


def episode(row: sqlite3.Row) -> Episode:
    """Read a row of `episodes` that belongs to an incident."""
    return Episode(
        id=row["id"],
        fingerprint=row["fingerprint"],
        alertname=row["alertname"],
        project=row["project"],
        started_at=clock.read(row["started_at"]),
        received_at=clock.read(row["received_at"]),
        ended_at=_instant(row["ended_at"]),
        silenced=row["silenced"],
    )


def approval(row: sqlite3.Row) -> Approval:
    """Read a row of `approvals`."""
    return Approval(
        id=row["id"],
        action=row["action"],
        incident=row["incident"],
        project=row["project"],
        bound=row["bound"],
        question=row["question"],
        asked_at=clock.read(row["asked_at"]),
        expires_at=clock.read(row["expires_at"]),
        decision=Decision(row["decision"]) if row["decision"] else None,
        decided_by=row["decided_by"],
        reason=row["reason"],
    )


def request(row: sqlite3.Row) -> Request:
    """Read a row of `requests`."""
    return Request(
        id=row["id"],
        project=row["project"],
        action=row["action"],
        reason=row["reason"],
        forced=tuple(json.loads(row["forced"])),
        asked_by=row["asked_by"],
        asked_at=clock.read(row["asked_at"]),
        expires_at=clock.read(row["expires_at"]),
        incident=row["incident"],
        ended_at=_instant(row["ended_at"]),
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        why=row["why"],
        guard=row["guard"],
        until=_instant(row["until"]),
        overrode=tuple(json.loads(row["overrode"])),
        key=row["key"],
    )


def restraint(row: sqlite3.Row) -> Restraint:
    """Read a row of `restraints`."""
    return Restraint(
        id=row["id"],
        kind=Kind(row["kind"]),
        project=row["project"],
        reason=row["reason"],
        set_by=row["set_by"],
        starts_at=_instant(row["starts_at"]),
        ends_at=_instant(row["ends_at"]),
        set_at=_instant(row["set_at"]),
        lifted_at=_instant(row["lifted_at"]),
        lifted_by=row["lifted_by"],
    )


def append(db: sqlite3.Connection, into: str, added: Sequence[Sequence[object]]) -> None:
    """Append rows to *into*, which is a table with the names of its columns.

    As few statements as can be: the writer lets go of the interpreter at each of them, and gets it
    back late when there is much to do, which costs more than all that SQLite does.
    """
    for some in portions(added):
        statement = _insert(into, len(some), len(some[0]))
        db.execute(statement, list(chain.from_iterable(some)))


@lru_cache(maxsize=512)
def _insert(into: str, count: int, width: int) -> str:
    values = ", ".join([f"({marks(width)})"] * count)
    return f"INSERT INTO {into} VALUES {values}"  # noqa: S608  names of ours, and placeholders


def portions(many: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut *many* into as much as one statement takes."""
    for begin in range(0, len(many), AT_ONCE):
        yield many[begin : begin + AT_ONCE]


def marks(count: int) -> str:
    """Return so many placeholders for values."""
    return ", ".join("?" * count)


def publish(db: sqlite3.Connection, events: Iterable[Event]) -> None:
    """Append *events* to the stream, in their order."""
    told = [
        (clock.written(each.at), each.name, each.project, each.incident, json.dumps(each.data))
        for each in events
    ]
    append(db, "events (at, name, project, incident, data)", told)


def record(db: sqlite3.Connection, *entries: audit.Entry) -> None:
    """Append *entries* to the audit, in their order, each chained to the row before."""
    last = db.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    before, previous = (last["id"], last["hash"]) if last else (0, audit.GENESIS)
    chained = []
    for place, entry in enumerate(entries, start=before + 1):
        digest = audit.digest(entry, id=place, previous=previous)
        chained.append((place, entry.at, entry.actor, entry.what, entry.data, previous, digest))
        previous = digest
    append(db, "audit (id, at, actor, what, data, previous, hash)", chained)
