"""The stream: what comes next for a reader of the events, and what it can never have."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from webhook.store import history
from webhook.store.history import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What comes after a cursor, as of one instant."""

    gap: tuple[int, int] | None = None  # the first and the last id that are not there any more
    events: Sequence[Json] = ()  # oldest first
    reached: int  # the cursor of what comes then


def newest(db: sqlite3.Connection) -> int:
    """Return the greatest id that an event ever had; 0 where there was none."""
    # SQLite's own table. To ask `events` would say 0 again when the last of them was let go of,
    # and then every reader that knows better would seem to come from another database.
    found = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    return int(found["seq"]) if found else 0


def page(db: sqlite3.Connection, *, after: int, limit: int) -> Page:
    """Return up to *limit* events with an id above *after*; the next gap begins another page.

    Ids have no gaps, as what is undone gives its own back. So what is missing was let go of.
    """
    events = history.events(db, after=after, limit=limit)
    ids = [int(str(each["id"])) for each in events]
    # Not only from the begin: a clock that was set back leaves old ones before those let go of.
    ids = [each for place, each in enumerate(ids) if each == ids[0] + place]
    events = events[: len(ids)]
    first, reached = (ids[0], ids[-1]) if ids else (newest(db) + 1, newest(db))
    gap = (after + 1, first - 1) if first > after + 1 else None
    return Page(gap=gap, events=events, reached=max(reached, after))
