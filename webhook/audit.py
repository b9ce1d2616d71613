"""The audit: rows that carry the hash of the one before, so that none can be changed unseen."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestrator import clock

GENESIS = "0" * 64  # what the first row carries as its predecessor's hash

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


def entry(what: str, data: Data, *, at: datetime, actor: str = "webhook") -> Entry:
    """Write an entry the one way that its hash is taken of."""
    return Entry(at=clock.written(at), actor=actor, what=what, data=_TEXT.encode(data))


def digest(of: Entry, *, id: int, previous: str) -> str:  # noqa: A002  the column's name
    """Return the hash (SHA-256, hex) of an entry in its place.

    The fields are hashed as one JSON list, so no text can move from one field into the next.
    """
    fields = [previous, id, of.at, of.actor, of.what, of.data]
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()


def first_broken(rows: Iterable[Row]) -> int | None:
    """Return the id of the first row that does not continue the chain; None when it is whole.

    The rows come in the order of their ids, from the first. A cut tail is not seen here: compare
    the last hash with the head that Prometheus has kept.
    """
    previous, place = GENESIS, 1
    for row in rows:
        right = digest(row.entry, id=row.id, previous=previous)
        if row.id != place or row.previous != previous or row.hash != right:
            return row.id
        previous, place = row.hash, place + 1
    return None
