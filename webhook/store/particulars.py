"""Particulars: what only Prometheus is told of: single things of our projects, each a series."""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from orchestrator import clock
from webhook.store.lately import Lately, lately

LATELY = timedelta(days=30)  # for which it is told when an action was
SINGLE = 50  # questions, and incidents, that are told of one by one: each is a series


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """One question that waits, or one incident that has not ended."""

    id: int
    project: str
    told: str  # the action that is asked about; the state of the incident
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What is told of one by one."""

    questions: tuple[Single, ...]  # the newest SINGLE that wait
    troubles: tuple[Single, ...]  # the newest SINGLE incidents that have not ended
    lately: Lately  # of each action, and each result of it, the newest of the last LATELY


def particulars(db: sqlite3.Connection, *, now: datetime, projects: Collection[str]) -> Particulars:
    """Return what there is to tell of *projects* at *now*."""
    return Particulars(
        questions=_questions(db, projects),
        troubles=_troubles(db, projects),
        lately=lately(db, since=now - LATELY, projects=projects),
    )


def _questions(db: sqlite3.Connection, projects: Collection[str]) -> tuple[Single, ...]:
    """Return the newest that wait, the order of their index: nothing has to be sorted."""
    return _singles(
        db,
        "SELECT approvals.id, approvals.project, actions.name AS told, asked_at AS since"
        " FROM approvals JOIN actions ON actions.key = approvals.action WHERE decision IS NULL"
        " ORDER BY asked_at DESC, approvals.id DESC",
        projects,
    )


def _troubles(db: sqlite3.Connection, projects: Collection[str]) -> tuple[Single, ...]:
    """Return the newest that go on. A project has one at most, so there are not many to sort."""
    return _singles(
        db,
        "SELECT id, project, state AS told, opened_at AS since FROM incidents"
        " WHERE state NOT IN ('resolved', 'closed') ORDER BY opened_at DESC, id DESC",
        projects,
    )


def _singles(db: sqlite3.Connection, query: str, projects: Collection[str]) -> tuple[Single, ...]:
    """Return the first of *projects*. An alert may name any other, and would else hide ours."""
    ours = (row for row in db.execute(query) if row["project"] in projects)
    return tuple(
        Single(
            id=row["id"],
            project=row["project"],
            told=row["told"],
            since=clock.read(row["since"]),
        )
        for row in islice(ours, SINGLE)
    )
