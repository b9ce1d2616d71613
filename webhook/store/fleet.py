"""The fleet at a glance: what is open, what waits, and what people have said."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from webhook.action import Action
from webhook.approval import Approval
from webhook.incident import Incident
from webhook.restraint import Restraint
from webhook.store import history, restraints, rows
from webhook.store.history import Waiting

MOST = 200  # of a kind: what nobody reads on one screen is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One open incident, with the alerts that fire and who has taken it."""

    incident: Incident
    alerts: tuple[str, ...]
    acknowledged_at: str | None
    acknowledged_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """All of it, as of one instant."""

    incidents: tuple[Standing, ...]  # open ones: those of people first, then the oldest
    open: Mapping[str, int]  # all of them, by state
    of_projects: Mapping[str, int]  # the open incident of each project that has one
    approvals: tuple[Approval, ...]  # that wait, the one that ends first before the others
    restraints: tuple[Restraint, ...]  # in force or planned
    attempts: tuple[Action, ...]  # that still count, oldest first
    queue: Waiting
    pages: tuple[str, ...]  # that go on and are about no single incident: what they say


def glance(db: sqlite3.Connection, *, now: datetime, window: timedelta) -> Glance:
    """Return the fleet as it stands at *now*; attempts count for as long as *window*."""
    figures = history.figures(db, now=now, window=window)
    waiting = db.execute(
        "SELECT * FROM approvals WHERE decision IS NULL AND expires_at > ?"
        " ORDER BY expires_at LIMIT ?",
        (rows.text(now), MOST),
    )
    return Glance(
        incidents=_open(db),
        open=figures.incidents,
        of_projects=_of_projects(db),
        approvals=tuple(rows.approval(row) for row in waiting),
        restraints=restraints.in_force(db, at=now)[:MOST],
        attempts=figures.attempts,
        queue=figures.queue,
        pages=_pages(db),
    )


def _open(db: sqlite3.Connection) -> tuple[Standing, ...]:
    found = db.execute(
        "SELECT * FROM incidents WHERE state NOT IN ('resolved', 'closed') ORDER BY"
        " CASE state WHEN 'escalated' THEN 0 WHEN 'awaiting_approval' THEN 1 ELSE 2 END, id"
        " LIMIT ?",
        (MOST,),
    ).fetchall()
    firing = _firing(db, [row["id"] for row in found])
    return tuple(
        Standing(
            incident=rows.incident(row),
            alerts=tuple(dict.fromkeys(firing.get(row["id"], ()))),
            acknowledged_at=row["acknowledged_at"],
            acknowledged_by=row["acknowledged_by"],
        )
        for row in found
    )


def _firing(db: sqlite3.Connection, incidents: Sequence[int]) -> dict[int, list[str]]:
    firing: dict[int, list[str]] = {}
    asked = (
        "SELECT incident, alertname FROM episodes WHERE ended_at IS NULL"  # noqa: S608  placeholders
        f" AND incident IN ({rows.marks(len(incidents))}) ORDER BY id"
    )
    for row in db.execute(asked, incidents):
        firing.setdefault(row["incident"], []).append(row["alertname"])
    return firing


def _pages(db: sqlite3.Connection) -> tuple[str, ...]:
    """Return the reasons; that what goes on has a time to be posted, finds it."""
    found = db.execute(
        "SELECT reason FROM pages WHERE post_at > '' AND ended_at IS NULL AND incident IS NULL"
        " ORDER BY id"
    )
    return tuple(row["reason"] for row in found)


def _of_projects(db: sqlite3.Connection) -> dict[str, int]:
    found = db.execute(
        "SELECT project, id FROM incidents WHERE state NOT IN ('resolved', 'closed')"
    )
    return {row["project"]: row["id"] for row in found}
