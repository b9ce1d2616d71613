"""The audit: rows that carry the hash of the one before, so that none can be changed unseen."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestrator import clock
from orchestrator.errors import OrchestratorError

GENESIS = "0" * 64  # what the first row carries as its predecessor's hash
PRUNED = "audit pruned"  # the row that says how far the oldest were let go of
RESTORED = "database restored"
SHORTEST = 12  # digits of a hash that is told from others: the 48 bits that a metric holds

_HEAD = re.compile(rf"(\d{{1,18}}):([0-9a-f]{{{SHORTEST},64}})", re.ASCII)

Data = Mapping[str, object]

_TEXT = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What was done, by whom, when; `data` is JSON text with sorted keys."""

    at: str
    actor: str
    what: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An entry in its place of the chain."""

    id: int
    entry: Entry
    previous: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How many rows there were at one time, and how the hash of the newest of them begins."""

    rows: int
    hash: str

    def __str__(self) -> str:
        return f"{self.rows}:{self.hash}"


NOTHING = Head(rows=0, hash=GENESIS)  # the head before the first row


class BadHead(OrchestratorError):
    """The text is not a head as `audit verify` and `audit export` print it."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text[:100]!r} is not a head; write rows and hash, like 1234:0f1e2d3c4b5a"
        )


def head(text: str) -> Head:
    """Read a head, `ROWS:HASH`; raise BadHead."""
    found = _HEAD.fullmatch(text)
    if found is None:
        raise BadHead(text)
    return Head(rows=int(found[1]), hash=found[2])


def pruned_data(through: Head) -> str:
    """Return the text of the one entry that lets the audit begin behind *through*."""
    return _TEXT.encode({"hash": through.hash, "through": through.rows})


def pruned(through: Head, *, at: datetime) -> Entry:
    """Write the entry that lets the audit begin behind *through*."""
    return Entry(at=clock.written(at), actor="webhook", what=PRUNED, data=pruned_data(through))


def entry(what: str, data: Data, *, at: datetime, actor: str = "webhook") -> Entry:
    """Write an entry the one way that its hash is taken of."""
    return Entry(at=clock.written(at), actor=actor, what=what, data=_TEXT.encode(data))


def digest(of: Entry, *, id: int, previous: str) -> str:  # noqa: A002  the column's name
    """Return the hash (SHA-256, hex) of an entry in its place.

    The fields are hashed as one JSON list, so no text can move from one field into the next.
    """
    fields = [previous, id, of.at, of.actor, of.what, of.data]
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()
