"""Search: the words of each incident, kept beside it for those who look for one.

One row of text an incident, written some seconds after what it tells of: nobody waits for it.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from webhook.store import stories

AT_ONCE = 200  # events that are looked at in one go
LENGTH = 20_000  # characters of one incident
PIECE = 4_000  # characters of any one thing that was said
EVENTS = 200  # of one incident, the newest
WORDS = 20  # of one question

_SPOKEN = ("reason", "detail", "how", "text", "question", "by", "summary")  # what people read
_OF_INCIDENT = (
    "SELECT DISTINCT project || ' ' || alertname FROM episodes WHERE incident = :id",
    "SELECT name || ' ' || detail FROM actions WHERE incident = :id",
    "SELECT action || ' ' || asked_by || ' ' || reason FROM requests WHERE incident = :id",
    "SELECT question FROM approvals WHERE incident = :id",
    "SELECT coalesce(decided_by, '') || ' ' || reason FROM approvals WHERE incident = :id",
    "SELECT reason FROM pages WHERE incident = :id",
    "SELECT held FROM incidents WHERE id = :id",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What has to be written next: the text of incidents, and through which event that is all."""

    through: int
    texts: Mapping[int, str]  # by incident


def expression(words: str) -> str | None:
    """Return what SQLite is to look for: every word, or how it begins; None: there is no word.

    Each is quoted, so nothing in it is taken for an operator of the search.
    """
    cut = "".join(each if each.isalnum() else " " for each in words).split()
    return " AND ".join(f'"{each}" *' for each in cut[:WORDS]) or None


def gather(db: sqlite3.Connection) -> Batch | None:
    """Return the incidents of the next events, each with all of its text; None: no event is new."""
    found = db.execute(
        "SELECT events.id, incidents.id AS incident FROM events"
        " LEFT JOIN incidents ON incidents.id = incident"  # none: put together by hand
        " WHERE events.id > (SELECT through FROM searched) ORDER BY events.id LIMIT ?",
        (AT_ONCE,),
    ).fetchall()
    if not found:
        return None
    concerned = sorted({row["incident"] for row in found if row["incident"] is not None})
    return Batch(through=found[-1]["id"], texts={number: text(db, number) for number in concerned})


def keep(db: sqlite3.Connection, batch: Batch) -> None:
    """Let *batch* be found from now on."""
    db.execute("UPDATE searched SET through = ?", (batch.through,))
    db.executemany("DELETE FROM sayings WHERE rowid = ?", [(number,) for number in batch.texts])
    db.executemany("INSERT INTO sayings (rowid, text) VALUES (?, ?)", list(batch.texts.items()))


def text(db: sqlite3.Connection, incident: int) -> str:
    """Return all that was said of an incident, each thing once, as long as there is room."""
    said = dict.fromkeys(each[:PIECE] for each in _said(db, incident) if each)
    return "\n".join(said)[:LENGTH]


def _said(db: sqlite3.Connection, incident: int) -> Iterator[str | None]:
    for query in _OF_INCIDENT:
        yield from (row[0] for row in db.execute(query, {"id": incident}))
    for row in db.execute("SELECT annotations FROM episodes WHERE incident = ?", (incident,)):
        annotations = json.loads(row["annotations"])
        yield from (annotations.get(name) for name in ("summary", "description"))
    for event in stories.events(db, incident, limit=EVENTS):
        yield from (str(event.data[name]) for name in _SPOKEN if event.data.get(name))
    for row in db.execute("SELECT output FROM actions WHERE incident = ?", (incident,)):
        yield row["output"]
