"""Forgers of the audit: what somebody can do who has the file and knows how it is made."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tests.webhook.make import NOW
from webhook import audit
from webhook.audit import Head
from webhook.store import rows, trail
from webhook.store.database import atomic, connect

Forger = Callable[[sqlite3.Connection, int], object]  # which row it is about


def written(path: Path, length: int) -> Head:
    """Write a database with an audit of so many rows, a second apart; return its head."""
    with closing(connect(path)) as db:
        with atomic(db):
            rows.record(
                db,
                *(
                    audit.entry(
                        "action moved",
                        {"detail": "restarted", "incident": place, "project": "email-blast"},
                        at=NOW + timedelta(seconds=place),
                    )
                    for place in range(1, length + 1)
                ),
            )
        return trail.head(db)


def forged(path: Path, forger: Forger, row: int) -> None:
    """Let *forger* at the file, without the triggers that are in everybody else's way."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        triggers = db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for [name] in triggers:
            db.execute(f"DROP TRIGGER {name}")
        with atomic(db):
            forger(db, row)


def change(db: sqlite3.Connection, row: int) -> None:
    """Put another text into a row."""
    db.execute("UPDATE audit SET data = '{}' WHERE id = ?", (row,))


def delete(db: sqlite3.Connection, row: int) -> None:
    """Take a row out."""
    db.execute("DELETE FROM audit WHERE id = ?", (row,))


def delete_and_renumber(db: sqlite3.Connection, row: int) -> None:
    """Take a row out, and close the gap."""
    delete(db, row)
    _move(db, row, by=-1)


def insert(db: sqlite3.Connection, row: int) -> None:
    """Make room for a row, and put one in that continues the chain."""
    [previous] = db.execute("SELECT hash FROM audit WHERE id = ?", (row - 1,)).fetchone()
    _move(db, row - 1, by=1)
    entry = audit.entry("said", {}, at=NOW)
    made = audit.digest(entry, id=row, previous=previous)
    values = (row, entry.at, entry.actor, entry.what, entry.data, previous, made)
    db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def _move(db: sqlite3.Connection, after: int, *, by: int) -> None:
    db.execute("UPDATE audit SET id = -(id + ?) WHERE id > ?", (by, after))
    db.execute("UPDATE audit SET id = -id WHERE id < 0")


def swap(db: sqlite3.Connection, row: int) -> None:
    """Let a row and the next change places."""
    for was, becomes in ((row, -1), (row + 1, row), (-1, row + 1)):
        db.execute("UPDATE audit SET id = ? WHERE id = ?", (becomes, was))


def cut(db: sqlite3.Connection, row: int) -> None:
    """Take a row out and all that follow."""
    db.execute("DELETE FROM audit WHERE id >= ?", (row,))


def rehash(db: sqlite3.Connection, row: int) -> None:
    """Put another text into a row, and hash it and all that follow anew."""
    after = list(trail.stream(db, after=row - 1))
    cut(db, row)
    rows.record(db, replace(after[0].entry, data="{}"), *(each.entry for each in after[1:]))


def move_the_anchor(db: sqlite3.Connection, row: int) -> None:
    """Let the audit begin behind a row without a word, as if everything before had been let go."""
    db.execute(
        "INSERT INTO audit_anchors SELECT id, hash, at, id + 1 FROM audit WHERE id = ?", (row,)
    )
    db.execute("DELETE FROM audit WHERE id <= ?", (row,))


HOSTILE = "\x1b]0;owned\x07\x1b[2J"  # what a terminal would obey


def speak_in_a_hash(db: sqlite3.Connection, row: int) -> None:
    """Put something else than a hash into the place of one."""
    db.execute("UPDATE audit SET hash = ? WHERE id = ?", (HOSTILE, row))


def speak_in_an_anchor(db: sqlite3.Connection, row: int) -> None:
    """Let the audit begin behind a row with a hash that is none."""
    db.execute("INSERT INTO audit_anchors VALUES (?, ?, 'then', ?)", (row, HOSTILE, row + 1))
    db.execute("DELETE FROM audit WHERE id <= ?", (row,))


def blob(db: sqlite3.Connection, row: int) -> None:
    """Put bytes into the place of a hash."""
    db.execute("UPDATE audit SET hash = x'00ff' WHERE id = ?", (row,))


def no_utf_8(db: sqlite3.Connection, row: int) -> None:
    """Put bytes into a text that are none."""
    db.execute("UPDATE audit SET data = CAST(x'ff41' AS TEXT) WHERE id = ?", (row,))


def other_table(db: sqlite3.Connection, row: int) -> None:
    """Make the table anew, with ids that are no numbers."""
    db.execute("ALTER TABLE audit RENAME TO was")
    db.execute("CREATE TABLE audit (id, at, actor, what, data, previous, hash)")
    db.execute(
        "INSERT INTO audit SELECT 'row ' || id, at, actor, what, data, previous, hash FROM was"
        " WHERE id = ?",
        (row,),
    )


def other_anchors(db: sqlite3.Connection, row: int) -> None:
    """Make the anchors anew, with one that is no number."""
    db.execute("DROP TABLE audit_anchors")
    db.execute("CREATE TABLE audit_anchors (through, hash, at, told)")
    db.execute("INSERT INTO audit_anchors VALUES ('all', 'x', 'then', ?)", (row,))


def other_columns(db: sqlite3.Connection, _row: int) -> None:
    """Make the table anew, as another program would."""
    db.execute("DROP TABLE audit")
    db.execute("CREATE TABLE audit (id INTEGER PRIMARY KEY, message)")


DAMAGED: Mapping[str, Forger] = {
    each.__name__: each for each in (speak_in_a_hash, speak_in_an_anchor, blob, no_utf_8)
}
MADE_ANEW: Mapping[str, Forger] = {
    each.__name__: each for each in (other_table, other_anchors, other_columns)
}
SEEN: Mapping[str, Forger] = {  # without anything from elsewhere
    "changed": change,
    "deleted": delete,
    "deleted and renumbered": delete_and_renumber,
    "inserted": insert,
    "swapped": swap,
    "anchor moved": move_the_anchor,
}
SHOWN_BY_A_HEAD: Mapping[str, Forger] = {"cut": cut, "hashed anew": rehash}
