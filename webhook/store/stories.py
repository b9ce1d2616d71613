"""Stories: incidents read back with all that belongs to them."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from orchestrator import clock
from webhook.plain import masked
from webhook.store import rows
from webhook.story import Story, Told

Json = dict[str, object]

LAST = 2**63 - 1  # beyond every id
EVENTS = 500  # of one incident, the newest
AROUND = timedelta(minutes=1)  # by which a clock may have been set between two events

FOREVER = "A"  # sorts behind every instant

GOING, ENDED = "state NOT IN ('resolved', 'closed')", "state IN ('resolved', 'closed')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which incidents."""

    state: str | None = None  # a condition of ours, GOING or ENDED
    project: str | None = None
    found: str | None = None  # an expression of the search


def page(db: sqlite3.Connection, wanted: Wanted, *, before: int | None, limit: int) -> list[Story]:
    """Return up to *limit* incidents with an id below *before*, newest first, without events."""
    place = "incidents.id" if wanted.found is None else "sayings.rowid"
    source = "incidents"
    if wanted.found is not None:
        source = "sayings CROSS JOIN incidents ON incidents.id = sayings.rowid"
    conditions = {
        f"{place} < :before": True,
        "sayings MATCH :found": wanted.found,
        "incidents.project = :project": wanted.project,
        wanted.state or "": wanted.state,
    }
    where = " AND ".join(each for each, asked in conditions.items() if asked is not None)
    query = f"SELECT incidents.* FROM {source} WHERE {where} ORDER BY {place} DESC LIMIT :limit"  # noqa: S608  ours
    given = {
        "before": LAST if before is None else before,
        "found": wanted.found,
        "project": wanted.project,
        "limit": limit,
    }
    return _stories(db, db.execute(query, given).fetchall())


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What only readers of one incident want to know; rows as they stand, the oldest first."""

    alerts: list[Json]
    pages: list[Json]


def whole(db: sqlite3.Connection, number: int) -> Story | None:
    """Return one incident with its events; None: there is none of that number."""
    row = db.execute("SELECT * FROM incidents WHERE id = ?", (number,)).fetchone()
    if row is None:
        return None
    [story] = _stories(db, [row], events(db, number, limit=EVENTS))
    return story


def details(db: sqlite3.Connection, number: int, *, limit: int) -> Details:
    """Return the newest *limit* alerts and pages of an incident."""
    alerts = db.execute(
        "SELECT id, alertname, labels, annotations, started_at, received_at, ended_at, how,"
        " silenced FROM episodes WHERE incident = ? ORDER BY id DESC LIMIT ?",
        (number, limit),
    ).fetchall()
    pages = db.execute(
        "SELECT id, kind, reason, started_at, ended_at FROM pages WHERE incident = ?"
        " ORDER BY id DESC LIMIT ?",
        (number, limit),
    ).fetchall()
    return Details(
        alerts=[_alert(row) for row in reversed(alerts)], pages=[dict(row) for row in pages[::-1]]
    )


def _alert(row: sqlite3.Row) -> Json:
    found = dict(row)
    summary = masked(json.loads(found.pop("annotations")).get("summary", ""))
    labels = {name: masked(value) for name, value in json.loads(row["labels"]).items()}
    return found | {"summary": summary, "labels": labels}


def _stories(
    db: sqlite3.Connection, found: Sequence[sqlite3.Row], told: Sequence[Told] = ()
) -> list[Story]:
    """Read all that belongs to these rows of `incidents`, a table at a time."""
    numbers = [row["id"] for row in found]
    episodes = _of(db, "episodes", numbers, "id")
    actions = _of(db, "actions", numbers, "created_at, key")
    asked = _of(db, "approvals", numbers, "id")
    requests = _of(db, "requests", numbers, "id")
    return [
        Story(
            incident=rows.incident(row),
            episodes=tuple(rows.episode(each) for each in episodes[row["id"]]),
            actions=tuple(rows.action(each) for each in actions[row["id"]]),
            approvals=tuple(rows.approval(each) for each in asked[row["id"]]),
            events=tuple(told),
            asked_by={each["key"]: each["asked_by"] for each in requests[row["id"]] if each["key"]},
            how=_how(db, row),
            acknowledged_at=row["acknowledged_at"] and clock.read(row["acknowledged_at"]),
            acknowledged_by=row["acknowledged_by"],
        )
        for row in found
    ]


def _of(
    db: sqlite3.Connection, table: str, incidents: Sequence[int], order: str
) -> Mapping[int, list[sqlite3.Row]]:
    """Return the rows of *table* that belong to *incidents*, by incident."""
    found = defaultdict[int, list[sqlite3.Row]](list)
    for some in rows.portions(incidents):
        query = f"SELECT * FROM {table} WHERE incident IN ({rows.marks(len(some))})"  # noqa: S608  ours
        for row in db.execute(f"{query} ORDER BY {order}", some):
            found[row["incident"]].append(row)
    return found


def _how(db: sqlite3.Connection, row: sqlite3.Row) -> str | None:
    """Return how a closed incident ended; its last event has the instant of its end."""
    if row["state"] != "closed":
        return None
    found = db.execute(
        "SELECT data FROM events WHERE project = ? AND at = ? AND name = 'IncidentClosed'"
        " AND incident = ? ORDER BY id DESC LIMIT 1",
        (row["project"], row["ended_at"], row["id"]),
    ).fetchone()
    return None if found is None else str(json.loads(found["data"]).get("how"))


def events(db: sqlite3.Connection, incident: int, *, limit: int) -> tuple[Told, ...]:
    """Return the newest *limit* events of an incident, the oldest first.

    They are looked for by project and time, for that has an index; one more would cost the
    receiver.
    """
    row = db.execute(
        "SELECT project, ended_at, opened_at,"
        " (SELECT min(received_at) FROM episodes WHERE incident = incidents.id) AS heard_at,"
        " (SELECT min(asked_at) FROM requests WHERE incident = incidents.id) AS asked_at"
        " FROM incidents WHERE id = ?",
        (incident,),
    ).fetchone()
    began = min(row[name] for name in ("opened_at", "heard_at", "asked_at") if row[name])
    until = clock.written(clock.read(row["ended_at"]) + AROUND) if row["ended_at"] else FOREVER
    found = db.execute(
        "SELECT * FROM events WHERE project = ? AND at >= ? AND at <= ? AND incident = ?"
        " ORDER BY at DESC, id DESC LIMIT ?",
        (row["project"], clock.written(clock.read(began) - AROUND), until, incident, limit),
    )
    return tuple(sorted(map(told, found), key=lambda each: each.id))


def told(row: sqlite3.Row) -> Told:
    """Read a row of `events`."""
    return Told(
        id=row["id"],
        at=clock.read(row["at"]),
        name=row["name"],
        project=row["project"],
        incident=row["incident"],
        data=json.loads(row["data"]),
    )
