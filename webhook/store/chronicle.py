"""The chronicle: what happened between two instants, events and the ends of alerts as one list."""

import heapq
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from orchestrator import clock
from webhook.incident import Episode
from webhook.store import rows, stories
from webhook.store.stories import LAST
from webhook.story import Told

END, EVENT = "end", "event"  # in this order at one instant
_RANKS = {END: 0, EVENT: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a reader is in the list."""

    at: datetime
    kind: str  # END or EVENT
    id: int

    @property
    def rank(self) -> tuple[datetime, int, int]:
        """Its place in the order of the list."""
        return self.at, _RANKS[self.kind], self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened: an event, or the end of an alert."""

    place: Place
    what: Told | Episode
    incident: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Which part of the list: of one project (None: of all), from `begin` to before `end`."""

    project: str | None
    begin: datetime
    end: datetime
    after: Place | None = None  # in the order of the list


def between(db: sqlite3.Connection, stretch: Stretch, *, limit: int) -> list[Entry]:
    """Return up to *limit* entries, the oldest first.

    What concerns the whole fleet belongs to every project's list.
    """
    sources = [_ends(db, stretch, limit)]
    whose = [None] if stretch.project is None else [stretch.project, ""]
    sources += [_events(db, stretch, each, limit) for each in whose]
    return list(islice(heapq.merge(*sources, key=lambda each: each.place.rank), limit))


def _events(
    db: sqlite3.Connection, stretch: Stretch, project: str | None, limit: int
) -> Iterator[Entry]:
    given = (*_project(project), *_bounds(stretch, EVENT), limit)
    found = db.execute(_query("events", "at", project), given)
    for event in map(stories.told, found):
        place = Place(at=event.at, kind=EVENT, id=event.id)
        yield Entry(place=place, what=event, incident=event.incident)


def _ends(db: sqlite3.Connection, stretch: Stretch, limit: int) -> Iterator[Entry]:
    given = (*_project(stretch.project), *_bounds(stretch, END), limit)
    also = " AND ended_at IS NOT NULL AND incident IS NOT NULL"  # as the index has it
    for row in db.execute(_query("episodes", "ended_at", stretch.project, also), given):
        place = Place(at=clock.read(row["ended_at"]), kind=END, id=row["id"])
        yield Entry(place=place, what=rows.episode(row), incident=row["incident"])


def _query(table: str, at: str, project: str | None, also: str = "") -> str:
    whose = "" if project is None else "project = ? AND "
    return (
        f"SELECT * FROM {table} WHERE {whose}{at} >= ? AND {at} < ?"  # noqa: S608  ours
        f" AND ({at} > ? OR id > ?){also} ORDER BY {at}, id LIMIT ?"
    )


def _project(project: str | None) -> Sequence[str]:
    return () if project is None else (project,)


def _bounds(stretch: Stretch, kind: str) -> tuple[str, str, str, int]:
    """Return from when to when, and which rows of the first instant are told already."""
    begin, beyond = stretch.begin, -1
    after = stretch.after
    if after is not None and after.at >= begin:
        begin = after.at
        told = {-1: -1, 0: after.id, 1: LAST}  # this kind comes later, it is the same, or earlier
        beyond = told[(_RANKS[after.kind] > _RANKS[kind]) - (_RANKS[after.kind] < _RANKS[kind])]
    start = clock.written(begin)
    return start, clock.written(stretch.end), start, beyond
