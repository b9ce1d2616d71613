"""The queue for tests: alerts come and go, work is claimed and stored."""

import sqlite3
from dataclasses import replace

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import action as law
from webhook.action import Action
from webhook.briefing import Briefing
from webhook.case import Case
from webhook.change import Change
from webhook.incident import State
from webhook.store import work
from webhook.store.database import atomic
from webhook.store.intake import receive

EPOCH = 7


def fires(db: sqlite3.Connection, *, after: int = 0, project: str = "email-blast") -> None:
    """Let ProjectDown of a project fire."""
    sent = make.alert(project=project, fingerprint=project, started=NOW + after * SECOND)
    with atomic(db):
        receive(db, make.notification(sent), make.body(sent), at=NOW + after * SECOND)


def ends(db: sqlite3.Connection, *, after: int, project: str = "email-blast") -> None:
    """Let it end."""
    sent = make.alert(project=project, fingerprint=project, ended=NOW + after * SECOND)
    with atomic(db):
        receive(db, make.notification(sent), make.body(sent), at=NOW + after * SECOND)


def claimed(db: sqlite3.Connection, *, epoch: int = EPOCH, after: int = 0) -> Case:
    """Claim what is due."""
    case = work.claim(db, epoch=epoch, at=NOW + after * SECOND)
    assert case is not None
    return case


def apply(db: sqlite3.Connection, change: Change, *, after: int = 0) -> None:
    """Store a change."""
    with atomic(db):
        work.apply(db, change, epoch=EPOCH, at=NOW + after * SECOND)


def moved(case: Case, *path: State, after: int = 0) -> Change:
    """Make the change that moves an incident along *path*."""
    incident = case.incident
    for state in path:
        incident = incident.move(state, at=NOW + after * SECOND)
    page = Briefing(labels={"alertname": "EscalationRequired"}, annotations={"summary": "x"})
    asks = incident.state is State.ESCALATED
    return Change(
        before=case.incident, after=incident, reason="because", page=page if asks else None
    )


def began(case: Case, key: str = "key-1") -> Change:
    """Make the change that begins an action."""
    pending = make.action(
        key=key, incident=case.incident.id, state=law.State.PENDING, executed_at=None
    )
    approved = pending.move(law.State.APPROVED, at=NOW)
    executing = approved.move(law.State.EXECUTING, at=NOW)
    return replace(moved(case, State.REPAIRING), action_became=(pending, approved, executing))


def executed(db: sqlite3.Connection, key: str, *, after: int) -> Action:
    """Store an attempt that failed."""
    made = make.action(key=key, executed_at=NOW + after * SECOND, state=law.State.FAILED)
    db.execute(
        "INSERT INTO actions (key, incident, project, name, alertname, attempt, state, created_at,"
        " executed_at, detail) VALUES (?, 1, ?, ?, ?, 1, 'failed', ?, ?, '')",
        (
            key,
            made.project,
            made.name,
            made.alertname,
            "2026-11-21T12:00:00.000000Z",
            f"2026-11-21T12:00:{after:02}.000000Z",
        ),
    )
    return made
