"""Paging: what people have to be told of, or told the end of."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestrator import clock
from webhook.store import rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One thing that people are told, from its begin until every peer knows of its end."""

    id: int
    kind: str  # escalation, approval, fleet, watchdog
    incident: int | None
    project: str | None
    reason: str
    labels: Mapping[str, str]  # as at its begin: they are its identity; none: of the first schema
    annotations: Mapping[str, str]  # may change while it lasts
    started_at: datetime
    ended_at: datetime | None = None


def due(db: sqlite3.Connection, *, at: datetime) -> list[Page]:
    """Return the pages that have to be posted now."""
    found = db.execute(
        "SELECT * FROM pages WHERE post_at <= ? OR post_at > ? ORDER BY id",
        (clock.written(at), clock.written(at + rows.ASTRAY)),
    )
    return [_page(row) for row in found]


def posted(db: sqlite3.Connection, page: Page, *, again: datetime | None) -> None:
    """Note that *page* is posted as it was read; None: its end was, so it is settled.

    When it has ended since it was read, it stays due, so that the end goes out at once.
    """
    db.execute(
        "UPDATE pages SET post_at = ? WHERE id = ? AND coalesce(ended_at, '') = ?",
        (rows.text(again), page.id, rows.text(page.ended_at) or ""),
    )


def raise_once(
    db: sqlite3.Connection,
    *,
    kind: str,
    reason: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    at: datetime,
    incident: int | None = None,
    project: str | None = None,
) -> bool:
    """Begin a page that is due at once; False: one of this kind and incident goes on already."""
    created = db.execute(
        "INSERT INTO pages (kind, incident, project, reason, labels, annotations, started_at,"
        " post_at) SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM pages"
        " WHERE kind = ? AND incident IS ? AND ended_at IS NULL)",
        (
            kind,
            incident,
            project,
            reason,
            _written(labels),
            _written(annotations),
            rows.text(at),
            rows.text(at),
            kind,
            incident,
        ),
    )
    return created.rowcount == 1


def settle(db: sqlite3.Connection, *, kind: str, at: datetime, incident: int | None = None) -> bool:
    """End the page of this kind and incident, and let that be told; False: there was none."""
    ended = db.execute(
        "UPDATE pages SET ended_at = ?, post_at = ? WHERE kind = ?"
        " AND incident IS ? AND ended_at IS NULL",
        (rows.text(at), rows.text(at), kind, incident),
    )
    return ended.rowcount > 0


def _written(texts: Mapping[str, str]) -> str:
    return json.dumps(dict(texts), sort_keys=True)


def _page(row: sqlite3.Row) -> Page:
    return Page(
        id=row["id"],
        kind=row["kind"],
        incident=row["incident"],
        project=row["project"],
        reason=row["reason"],
        labels=json.loads(row["labels"]),
        annotations=json.loads(row["annotations"]),
        started_at=clock.read(row["started_at"]),
        ended_at=clock.read(row["ended_at"]) if row["ended_at"] else None,
    )
