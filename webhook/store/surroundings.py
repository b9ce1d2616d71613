"""Surroundings: what the rest of the fleet is like, as far as one decision needs it."""

import sqlite3
from collections.abc import Collection
from datetime import datetime, timedelta

from orchestrator import clock
from orchestrator.project import Project
from webhook.change import Change
from webhook.guard import Surroundings
from webhook.incident import DOWN, Episode
from webhook.store import rows


def elsewhere(db: sqlite3.Connection, project: str) -> int:
    """Count the repairs under way on others; one that only waits for its proof is none."""
    row = db.execute(
        "SELECT count(*) AS many FROM incidents WHERE state NOT IN ('resolved', 'closed')"
        " AND project <> ? AND (state = 'repairing'"
        " OR (state = 'verifying' AND recovered_at IS NULL))",
        (project,),
    ).fetchone()
    return int(row["many"])


def against(db: sqlite3.Connection, change: Change, *, at: datetime) -> str | None:
    """Say what has come between a decision and its intent; None: nothing has, or it has none.

    Asked in the transaction that commits the intent: so once people have said hands off, none is,
    but for a person who overrode just that.
    """
    project, at_most = change.before.project, change.at_most
    if at_most is None:
        return None
    overrode = change.request.overrode if change.request else ()
    for kind in _restraining(db, project, at):
        if kind not in overrode:
            return f"a {kind.replace('_', ' ')} was set meanwhile"
    if elsewhere(db, project) >= at_most:
        return f"{at_most} repairs are under way elsewhere"
    return None


def _restraining(db: sqlite3.Connection, project: str, at: datetime) -> list[str]:
    found = db.execute(
        "SELECT kind FROM restraints WHERE lifted_at IS NULL AND coalesce(project, :project)"
        " = :project AND coalesce(starts_at, '') <= :now AND (ends_at IS NULL OR ends_at > :now)"
        " ORDER BY id",
        {"project": project, "now": clock.written(at)},
    )
    return [row["kind"] for row in found]


# Of what a look of ours spoke against, the alert alone says nothing: anybody may post one.
_BELIEVED = (
    "JOIN incidents ON incidents.id = incident WHERE alertname = ?"
    " AND episodes.ended_at IS NULL"
    " AND NOT (state = 'open' AND coalesce(held_by, '') = 'evidence')"
)


def around(
    db: sqlite3.Connection,
    project: Project,
    episode: Episode,
    *,
    within: timedelta,
    fleet: Collection[str],
    parents: Collection[str],
) -> Surroundings:
    """Return what the rest of the *fleet* is like; *parents* are what the project depends on."""
    fell = db.execute(
        f"SELECT DISTINCT episodes.project FROM episodes {_BELIEVED}"  # noqa: S608  ours
        " AND received_at BETWEEN ? AND ?",
        (
            episode.alertname,
            clock.written(episode.received_at - within),
            clock.written(episode.received_at + within),
        ),
    )
    lying = f"SELECT 1 FROM episodes {_BELIEVED} AND episodes.project = ? LIMIT 1"  # noqa: S608
    restraints = db.execute(
        "SELECT * FROM restraints WHERE lifted_at IS NULL AND coalesce(project, ?) = ? ORDER BY id",
        (project.name, project.name),
    )
    return Surroundings(
        fleet=len(fleet),
        fell=tuple(row["project"] for row in fell if row["project"] in fleet),
        parents_down=tuple(
            each for each in sorted(parents) if db.execute(lying, (DOWN, each)).fetchone()
        ),
        repairs=elsewhere(db, project.name),
        restraints=tuple(rows.restraint(row) for row in restraints),
    )
