"""Work: the incident rows are the queue; a step claims one, and commits what it did whole."""

import json
import sqlite3
from datetime import datetime

from orchestrator import clock
from orchestrator.errors import OrchestratorError
from webhook.action import State as ActionState
from webhook.analyzer.analysis import Decision
from webhook.briefing import Briefing
from webhook.case import Case
from webhook.change import Change
from webhook.incident import ENDED, FLEET, Incident, State
from webhook.store import (
    acknowledgement,
    analyses,
    approvals,
    attempts,
    paging,
    requests,
    rows,
    surroundings,
    trail,
    verdicts,
)

NOBODY = 0  # no start has this epoch


class Overtaken(OrchestratorError):
    """A row was not as the step had read it, so nothing of the step was stored."""


def boot(db: sqlite3.Connection, *, at: datetime) -> int:
    """Return the epoch of this start; the claims of every other epoch are void."""
    row = db.execute(
        "INSERT INTO boots (at) VALUES (?) RETURNING epoch", (clock.written(at),)
    ).fetchone()
    return int(row["epoch"])


def claim(db: sqlite3.Connection, *, epoch: int, at: datetime) -> Case | None:
    """Claim the incident that has been due for longest; None when there is none.

    What is being done comes first: an intent that waits behind a storm is too old to be carried
    out by the time that it is reached.

    What is due in more than ASTRAY was planned before the clock was set back, and is due now.
    """
    row = next(
        (row for which in _IN_ORDER if (row := _due(db, which, epoch, at)) is not None), None
    )
    if row is None:
        return None
    db.execute("UPDATE incidents SET claimed_by = ? WHERE id = ?", (epoch, row["id"]))
    return _case(db, rows.incident(row), interrupted=row["claimed_by"] is not None)


def look(db: sqlite3.Connection, number: int) -> Case | None:
    """Return the case of an incident as it is now, without claiming it; None: there is none."""
    row = db.execute("SELECT * FROM incidents WHERE id = ?", (number,)).fetchone()
    return _case(db, rows.incident(row), interrupted=False) if row else None


# Each a range of one index: with all of them in one condition, every incident ever is walked over.
_IN_ORDER = (
    "state IN ('repairing', 'verifying') AND due_at <= :now",
    "due_at <= :now",
    "due_at > :astray",
)


def _due(db: sqlite3.Connection, which: str, epoch: int, at: datetime) -> sqlite3.Row | None:
    found: sqlite3.Row | None = db.execute(
        f"SELECT * FROM incidents WHERE {which}"  # noqa: S608  ours
        " AND (claimed_by IS NULL OR claimed_by <> :epoch) ORDER BY due_at LIMIT 1",
        {
            "epoch": epoch,
            "now": clock.written(at),
            "astray": clock.written(at + rows.ASTRAY),
        },
    ).fetchone()
    return found


def _case(db: sqlite3.Connection, incident: Incident, *, interrupted: bool) -> Case:
    # Of an incident that was opened again, the episodes before that are told already.
    episodes = db.execute(
        "SELECT episodes.* FROM episodes JOIN incidents ON incidents.id = incident"
        " WHERE incident = ? AND (episodes.id >= first_episode OR episodes.ended_at IS NULL)"
        " ORDER BY episodes.id",
        (incident.id,),
    )
    action = attempts.under_way(db, incident)
    return Case(
        incident=incident,
        episodes=tuple(rows.episode(row) for row in episodes),
        action=action,
        attempts=attempts.executed(db, incident.project),
        approval=approvals.of_action(db, action.key) if action else None,
        shadowed=attempts.shadowed(db, incident),
        analyses=analyses.of_incident(db, incident),
        request=requests.of_case(db, incident, action.key if action else None),
        interrupted=interrupted,
    )


def release(db: sqlite3.Connection, incident: Incident, *, epoch: int, due: datetime) -> None:
    """Give a claimed incident back undone, to be tried again at *due*.

    Nobody knows how far the step came, so whoever claims it next hears that it was interrupted.
    """
    db.execute(
        "UPDATE incidents SET claimed_by = ?, due_at = ? WHERE id = ? AND claimed_by = ?",
        (NOBODY, clock.written(due), incident.id, epoch),
    )


def apply(db: sqlite3.Connection, change: Change, *, epoch: int, at: datetime) -> None:
    """Store *change* and give its incident back; raise Overtaken when a row was not as expected.

    A notification that arrived during the step has moved `due_at`: then the incident stays due,
    and it does not end, for the step did not know what the notification brought.
    """
    if requests.overlooked(db, change):
        raise Overtaken(f"a person asks for an action on {change.before.project}")
    _store_incident(db, change, epoch, at)
    if change.action_became:
        _store_action(db, change, at)
    approvals.follow(db, change, at=at)
    if not requests.follow(db, change, at=at):
        raise Overtaken("what a person asked for has ended already")
    analyses.follow(db, change, at=at)
    _follow_pages(db, change, at)
    if change.forgive is not None:
        attempts.forgive(db, change.after.project, change.forgive, at=at)
    rows.publish(db, change.events)
    rows.record(db, *trail.moves(change, at=at))


def _store_incident(db: sqlite3.Connection, change: Change, epoch: int, at: datetime) -> None:
    before, after = change.before, change.after
    woken = None if after.due_at is None else clock.written(at)
    found = db.execute(
        "UPDATE incidents SET state = ?, since = ?, held = ?, held_by = ?, recovered_at = ?,"
        " escalated_at = ?, ended_at = ?, asked_about = ?, claimed_by = NULL,"
        " storm = CASE WHEN ? THEN 1 WHEN ? THEN 0 ELSE storm END,"
        " due_at = CASE WHEN due_at = ? THEN ? ELSE ? END"
        " WHERE id = ? AND state = ? AND claimed_by = ? AND (due_at = ? OR ? IS NULL)",
        (
            after.state,
            rows.text(after.since),
            after.held,
            after.held_by,
            rows.text(after.recovered_at),
            rows.text(after.escalated_at),
            rows.text(after.ended_at),
            json.dumps(after.asked_about),
            after.held_by == FLEET,
            after.state is State.ESCALATED,  # people were told of it by itself
            rows.text(before.due_at),
            rows.text(after.due_at),
            woken,
            before.id,
            before.state,
            epoch,
            rows.text(before.due_at),
            _certain(change),
        ),
    )
    if found.rowcount != 1:
        raise Overtaken(f"incident {before.id} is no longer {before.state} and ours")


def _certain(change: Change) -> str | None:
    """Return something when the change must not go by what was known before some news.

    Nothing ends unless all was known, nor are people asked, nor is an action dropped that somebody
    has just allowed.
    """
    waited = change.action_was is not None and change.action_was.state is ActionState.PENDING
    asks = change.after.state is State.ESCALATED is not change.before.state
    return "all" if waited or asks else rows.text(change.after.ended_at)


def _store_action(db: sqlite3.Connection, change: Change, at: datetime) -> None:
    before, after = change.action_was, change.action_became[-1]
    if why_not := surroundings.against(db, change, at=at) or _too_fast(db, change, at):
        raise Overtaken(why_not)
    if before is None:
        db.execute(
            "INSERT INTO actions (key, incident, project, name, alertname, attempt, state,"
            " created_at, executed_at, finished_at, detail, opened_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                after.key,
                after.incident,
                after.project,
                after.name,
                after.alertname,
                after.attempt,
                after.state,
                rows.text(after.created_at),
                rows.text(after.executed_at),
                rows.text(after.finished_at),
                after.detail,
                rows.text(after.opened_at),
            ),
        )
        return
    found = db.execute(
        "UPDATE actions SET state = ?, executed_at = ?, finished_at = ?, detail = ?, output = ?"
        " WHERE key = ? AND state = ?",
        (
            after.state,
            rows.text(after.executed_at),
            rows.text(after.finished_at),
            after.detail,
            after.output,
            after.key,
            before.state,
        ),
    )
    if found.rowcount != 1:
        raise Overtaken(f"action {after.key} is no longer {before.state}")


def _too_fast(db: sqlite3.Connection, change: Change, at: datetime) -> str | None:
    """Say that others were begun on the analyzer's word meanwhile, as many as may be an hour."""
    after, ruling = change.action_became[-1], change.ruling
    if ruling is None or ruling.decision is not Decision.AUTO:
        return None
    return verdicts.outpaced(db, after.project, after.name, now=at)


def _follow_pages(db: sqlite3.Connection, change: Change, at: datetime) -> None:
    """Tell people what the change asks of them, and that it is over when it is."""
    incident, page = change.after, change.page
    if page is not None:
        _tell(db, change, page, at)
    if incident.state is not State.AWAITING_APPROVAL:
        paging.settle(db, kind="approval", at=at, incident=incident.id)
    if incident.state in ENDED:
        paging.settle(db, kind="escalation", at=at, incident=incident.id)
        if not _in_storm(db):
            paging.settle(db, kind=FLEET, at=at)


def _tell(db: sqlite3.Connection, change: Change, page: Briefing, at: datetime) -> None:
    incident = change.after
    kind = _KINDS.get(incident.state, FLEET)
    whole = kind == FLEET  # it is about no one incident
    number = None if whole else incident.id
    if not whole:  # people are asked anew: what only changes its words, Alertmanager does not send
        paging.settle(db, kind=kind, at=at, incident=number)
        acknowledgement.forget(db, incident.id)
    paging.raise_once(
        db,
        kind=kind,
        reason=change.reason,
        labels=page.labels,
        annotations=page.annotations,
        at=at,
        incident=number,
        project=None if whole else incident.project,
    )


_KINDS = {State.AWAITING_APPROVAL: "approval", State.ESCALATED: "escalation"}


def _in_storm(db: sqlite3.Connection) -> bool:
    """Tell whether anything that fell with many others has not come to its end yet."""
    lasting = "SELECT 1 FROM incidents WHERE storm = 1 AND ended_at IS NULL LIMIT 1"
    return db.execute(lasting).fetchone() is not None


def wake_all(db: sqlite3.Connection, *, at: datetime) -> None:
    """Let every incident that goes on be decided anew: the rules have changed."""
    db.execute("UPDATE incidents SET due_at = ? WHERE due_at IS NOT NULL", (clock.written(at),))
