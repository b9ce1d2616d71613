"""The trail: the audit as it stands in the database, read in order, and its oldest part let go."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from orchestrator import clock
from orchestrator.errors import OrchestratorError
from webhook import audit, chain
from webhook.audit import NOTHING, Head, Row
from webhook.chain import Break, Verdict
from webhook.change import Change
from webhook.store import rows

SOONER = timedelta(
    days=1
)  # less than a whole portion waits for so long, or each row would cost one
LOOKED_AT = 20_000  # rows of one page at most, however few of them are asked for
LAST = 2**63 - 1  # beyond every id

_COLUMNS = "id, at, actor, what, data, previous, hash"


class NoAudit(OrchestratorError):
    """The file is no database of the webhook."""


class BrokenAudit(OrchestratorError):
    """Rows that are due to go do not fit together, so they stay for whoever looks into it."""

    def __init__(self, broken: Break) -> None:
        super().__init__(
            f"nothing of the audit is let go of: row {broken.row}: {broken.what};"
            " see python -m webhook audit verify"
        )
        self.broken = broken


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some rows, and the id behind which the next ones are; None: these were the last."""

    rows: tuple[Row, ...]
    next: int | None


def any_text(raw: bytes) -> str:
    """Read text that may be damaged, as a `text_factory`: its hash tells, and it is no error."""
    return raw.decode(errors="replace")


def stream(db: sqlite3.Connection, *, after: int = 0, limit: int = LAST) -> Iterator[Row]:
    """Yield up to *limit* rows above the id *after*, in their order; raise NoAudit."""
    query = f"SELECT {_COLUMNS} FROM audit WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608  our names
    for row in _asked(db, query, after, limit):
        yield _row(row)


def up_to(db: sqlite3.Connection, instant: datetime) -> int:
    """Return the id behind which the first row from *instant* on stands; raise NoAudit."""
    query = "SELECT min(id) - 1 FROM audit WHERE at >= ?"
    [found] = _asked(db, query, clock.written(instant)).fetchone()
    return head(db).rows if found is None else int(found)


def _row(row: sqlite3.Row) -> Row:
    at, actor, what, data, previous, made = map(_text, tuple(row)[1:])
    entry = audit.Entry(at=at, actor=actor, what=what, data=data)
    return Row(id=_number(row["id"]), entry=entry, previous=previous, hash=made)


def _text(value: object) -> str:
    """Read what should be text: whoever can write the file can put anything there."""
    return value if isinstance(value, str) else repr(value)


def _number(value: object) -> int:
    if type(value) is not int:  # only where somebody made the table anew, for our key is a number
        raise NoAudit("the audit in it is not as the webhook makes it")
    return value


def _asked(db: sqlite3.Connection, query: str, *values: object) -> sqlite3.Cursor:
    try:
        return db.execute(query, values)
    except sqlite3.OperationalError as error:
        if "no such table" in str(error) or "no such column" in str(error):
            raise NoAudit("there is no audit in it; it is no database of the webhook") from error
        raise


def head(db: sqlite3.Connection) -> Head:
    """Return the head of today; raise NoAudit."""
    last = _asked(db, "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    return Head(rows=_number(last["id"]), hash=_text(last["hash"])) if last else NOTHING


def begin(db: sqlite3.Connection) -> Head:
    """Return the anchor that the chain begins behind; raise NoAudit."""
    anchor = _anchor(db)
    if anchor is None:
        return NOTHING
    return Head(rows=_number(anchor["through"]), hash=_text(anchor["hash"]))


def ends(db: sqlite3.Connection) -> tuple[Head, Head]:
    """Return the anchor that the chain begins behind, and the head of today; raise NoAudit."""
    return begin(db), head(db)


def _anchor(db: sqlite3.Connection) -> sqlite3.Row | None:
    """Return the newest; none in a database of a version that had no anchors."""
    there = "SELECT 1 FROM sqlite_master WHERE name = 'audit_anchors'"
    if db.execute(there).fetchone() is None:
        return None
    found: sqlite3.Row | None = db.execute(
        "SELECT * FROM audit_anchors ORDER BY through DESC LIMIT 1"
    ).fetchone()
    return found


def verified(db: sqlite3.Connection, heads: Sequence[Head] = ()) -> Verdict:
    """Follow the whole chain, and compare it with *heads*; raise NoAudit."""
    return chain.verify(stream(db), begin=begin(db), told=False, heads=heads)


def page(
    db: sqlite3.Connection,
    *,
    after: int,
    limit: int,
    what: str | None = None,
    project: str | None = None,
) -> Page:
    """Return up to *limit* rows above the id *after*, oldest first.

    A page that is short of rows and has a next one has looked at as many as it may.
    """
    until = min(max(after, begin(db).rows) + LOOKED_AT, LAST)
    found = db.execute(
        f"SELECT {_COLUMNS} FROM audit WHERE id > ? AND id <= ? AND (? IS NULL OR what = ?)"  # noqa: S608  our names
        " AND (? IS NULL OR data LIKE ?) ORDER BY id LIMIT ?",
        (after, until, what, what, project, f'%"project":"{project}"%', limit),
    ).fetchall()
    looked = found[-1]["id"] if len(found) == limit else until
    more = looked < head(db).rows
    return Page(rows=tuple(_row(each) for each in found), next=looked if more else None)


def prune(db: sqlite3.Connection, *, before: datetime, at: datetime, limit: int) -> int:
    """Let go of the oldest rows that are from *before*; return how many, *limit* at most.

    1. What goes is verified, and so is that nobody else has let go of anything. Raises BrokenAudit.
    2. A row of the audit says how far they go, and which hash the last of them had.
    3. The anchor, which is the same, lets them be deleted.

    It is one transaction, the caller's. Fewer than *limit* wait until the oldest is a day late.
    """
    known, old = begin(db), clock.written(before)
    oldest = stream(db, after=known.rows, limit=limit)
    due = tuple(takewhile(lambda row: row.entry.at < old, oldest))
    if not due or (len(due) < limit and due[0].entry.at >= clock.written(before - SOONER)):
        return 0
    verdict = chain.verify(due, begin=known)
    if broken := verdict.broken or _loose(db, known):
        raise BrokenAudit(broken)
    rows.record(db, audit.pruned(verdict.head, at=at))
    db.execute(
        "INSERT INTO audit_anchors (through, hash, at, told) VALUES (?, ?, ?, ?)",
        (verdict.head.rows, verdict.head.hash, clock.written(at), head(db).rows),
    )
    db.execute("DELETE FROM audit WHERE id <= ?", (verdict.head.rows,))
    return len(due)


def _loose(db: sqlite3.Connection, known: Head) -> Break | None:
    """Tell when rows were let go of that should not have been: the next anchor would cover it."""
    anchor = _anchor(db)
    if anchor is None:
        return None
    told = db.execute("SELECT * FROM audit WHERE id = ?", (anchor["told"],)).fetchone()
    if told is None or (told["what"], told["data"]) != (audit.PRUNED, audit.pruned_data(known)):
        return Break(row=known.rows, what="rows up to here are gone, and no row says so")
    [left] = db.execute("SELECT count(*) FROM audit WHERE id <= ?", (known.rows,)).fetchone()
    return Break(row=known.rows, what="rows that were let go of are there") if left else None


def moves(change: Change, *, at: datetime) -> list[audit.Entry]:
    """Return what the audit has to say of *change*, in the order in which it happened."""
    found = []
    was = change.action_was
    for became in change.action_became:
        moved = {
            "action": became.name,
            "attempt": became.attempt,
            "detail": became.detail,
            "from": was.state if was else None,
            "incident": became.incident,
            "key": became.key,
            "project": became.project,
            "to": became.state,
        }
        found.append(audit.entry("action moved", moved, at=at))
        was = became
    if change.after.state is not change.before.state:
        gone = {
            "from": change.before.state,
            "incident": change.after.id,
            "reason": change.reason,
            "to": change.after.state,
        }
        found.append(audit.entry("incident moved", gone, at=at))
    elif change.after.news_beside(change.before):
        held = {"held": change.after.held, "incident": change.after.id}
        found.append(audit.entry("incident held", held, at=at))
    return found
