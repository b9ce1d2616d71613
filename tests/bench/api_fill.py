"""A database as it may be after half a year of a fleet with much trouble, made in a minute."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from orchestrator import clock
from webhook import audit
from webhook.store import search
from webhook.store.database import atomic, connect

PROJECTS = 50
DAYS = 180
LASTS = timedelta(minutes=10)
WORDS = ("refused", "timeout", "disk", "memory", "certificate", "deadlock", "queue", "upstream")
AT_ONCE = 10_000  # rows of one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much there is in the database."""

    incidents: int
    events: int
    audit: int


def project(number: int) -> str:
    """Name the project of an incident."""
    return f"project-{number % PROJECTS:02}"


def opened(number: int, size: Size, end: datetime) -> datetime:
    """Return when incident *number* (from 1) was opened; the last one right before *end*."""
    return end - LASTS - timedelta(days=DAYS) * (size.incidents - number) / size.incidents


def fill(db: sqlite3.Connection, size: Size, end: datetime) -> None:
    """Put everything into an empty database."""
    of = [(number, opened(number, size, end)) for number in range(1, size.incidents + 1)]
    _insert(db, "incidents (id, project, state, since, opened_at, ended_at)", _incidents(of))
    _insert(db, _EPISODES, _episodes(of))
    _insert(db, _ACTIONS, _actions(of))
    _insert(db, _APPROVALS, _approvals(of))
    _insert(db, _PAGES, _pages(of))
    each = size.events // size.incidents
    _insert(db, "events (at, name, project, incident, data)", _events(of, each))
    _insert(db, "audit (id, at, actor, what, data, previous, hash)", _audit(size.audit, end))
    _insert(db, "sayings (rowid, text)", ((number, search.text(db, number)) for number, _ in of))
    db.execute("UPDATE searched SET through = (SELECT max(id) FROM events)")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


_EPISODES = (
    "episodes (fingerprint, alertname, project, labels, annotations, first_started_at, started_at,"
    " ended_at, received_at, seen_at, incident, how)"
)
_ACTIONS = (
    "actions (key, incident, project, name, alertname, attempt, state, created_at, executed_at,"
    " finished_at, detail, output)"
)
_APPROVALS = (
    "approvals (action, incident, project, bound, question, asked_at, expires_at, decided_at,"
    " decision, decided_by, reason)"
)
_PAGES = "pages (kind, incident, project, reason, labels, annotations, started_at, ended_at)"

Numbered = list[tuple[int, datetime]]
Row = tuple[object, ...]


def _insert(db: sqlite3.Connection, into: str, made: Iterator[Row]) -> None:
    statement = ""
    while some := list(islice(made, AT_ONCE)):
        statement = statement or f"INSERT INTO {into} VALUES ({', '.join('?' * len(some[0]))})"  # noqa: S608  ours
        with atomic(db):
            db.executemany(statement, some)


def _state(number: int) -> str:
    return "resolved" if number % 3 else "closed"


def _incidents(of: Numbered) -> Iterator[Row]:
    for number, at in of:
        over = clock.written(at + LASTS)
        yield number, project(number), _state(number), over, clock.written(at), over


def _episodes(of: Numbered) -> Iterator[Row]:
    labels = json.dumps({"team": "messaging", "client": "acme", "severity": "critical"})
    for number, at in of:
        for place, name in enumerate(("ProjectDown", "ProjectHighErrorRate")):
            began, over = clock.written(at + timedelta(seconds=place)), clock.written(at + LASTS)
            told = {"summary": f"{project(number)}: {WORDS[number % 8]} on node {number}"}
            named = (f"{number:08x}{place:08x}", name, project(number), labels, json.dumps(told))
            yield *named, began, began, over, began, over, number, "resolved"


def _actions(of: Numbered) -> Iterator[Row]:
    for number, at in of:
        for attempt, state in ((1, "failed"), (2, "completed")):
            begun, over = at + LASTS * attempt / 4, at + LASTS * attempt / 3
            named = (f"key-{number}-{attempt}", number, project(number), "restart_service")
            times = (clock.written(each) for each in (begun, begun, over))
            output = f"{WORDS[attempt]} while node {number} was restarted\n" * 10
            yield *named, "ProjectDown", attempt, state, *times, "it answered", output


def _approvals(of: Numbered) -> Iterator[Row]:
    for number, at in of:
        if number % 10 == 0:
            times = [clock.written(at + timedelta(minutes=each)) for each in (1, 16, 2)]
            named = (f"key-{number}-2", number, project(number), "0" * 64, "may it be restarted?")
            yield *named, *times, "approved", "ann", f"seen {WORDS[number // 10 % 8]}, go"


def _pages(of: Numbered) -> Iterator[Row]:
    for number, at in of:
        if number % 10 == 0:
            over = clock.written(at + LASTS)
            told = ("approval", number, project(number), "may it be restarted?", "{}", "{}")
            yield *told, clock.written(at), over


def _events(of: Numbered, each: int) -> Iterator[Row]:
    """Yield the events in the order of time; incidents of other projects overlap only rarely."""
    for number, at in of:
        for place in range(each):
            said = {"reason": f"{WORDS[place % 8]}, look {place} at node {number}"}
            name, data = "ActionWithheld", said
            if place == each - 1:
                name, data = "IncidentClosed", {"how": "recovered by itself"}
            when = clock.written(at + LASTS * (place + 1) / each)
            yield when, name, project(number), number, json.dumps(data)


def _audit(many: int, end: datetime) -> Iterator[Row]:
    previous = audit.GENESIS
    for place in range(1, many + 1):
        at = end - timedelta(days=DAYS) * (many - place) / many
        made = audit.entry("incident held", {"incident": place}, at=at)
        digest = audit.digest(made, id=place, previous=previous)
        yield place, made.at, made.actor, made.what, made.data, previous, digest
        previous = digest


def made(path: str, size: Size, end: datetime) -> None:
    """Make the database at *path*."""
    db = connect(path)
    try:
        db.execute("PRAGMA synchronous=OFF")
        fill(db, size, end)
    finally:
        db.close()
