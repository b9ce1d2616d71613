"""Verdicts: what came of each decision, read from the tables that are there; nothing is kept twice.

An alert that comes back within the hour belongs to the same incident, so whether it did is looked
for there.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator import clock
from webhook.analyzer import confidence, gate
from webhook.analyzer.answer import NONE
from webhook.analyzer.confidence import Curve, Record
from webhook.analyzer.learning import Came, Verdict, pairs

SETTLED = timedelta(minutes=30)  # an alert that stays away for so long has ended
HOUR = timedelta(hours=1)
LAST = 200  # outcomes of one action; the next older one would weigh less than 2 %
CURVE = 1000  # labelled answers that are looked back at; what is older was another fleet

# The first time that the alert came back; instants of ours, as that of the action's end.
_AGAIN = (
    "(SELECT min(received_at) FROM episodes WHERE episodes.incident = actions.incident"
    " AND episodes.alertname = actions.alertname AND received_at > actions.finished_at) AS again_at"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """People were at work on a project, or on all of them (None)."""

    project: str | None
    begin: str
    end: str | None  # None: they still are

    def meets(self, project: str, begin: str, end: str) -> bool:
        about = self.project in (None, project)
        return about and self.begin <= end and (self.end is None or begin < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """What is asked about a past decision: the work of people since then, and the instant now."""

    works: Sequence[_Work]
    now: datetime

    def quiet(self, project: str, begin: str, end: str) -> bool:
        """Tell whether nobody was at work on *project*."""
        return not any(each.meets(project, begin, end) for each in self.works)


def record(db: sqlite3.Connection, alertname: str, action: str, *, now: datetime) -> Record:
    """Return what came of *action* before: against this alert, and against any."""
    here = db.execute(
        f"SELECT *, {_AGAIN} FROM actions WHERE name = ? AND alertname = ?"  # noqa: S608  ours
        " AND state IN ('completed', 'failed') ORDER BY finished_at DESC LIMIT ?",
        (action, alertname, LAST),
    ).fetchall()
    elsewhere = db.execute(
        f"SELECT *, {_AGAIN} FROM actions WHERE name = ? AND alertname <> ''"  # noqa: S608  ours
        " AND state IN ('completed', 'failed') ORDER BY finished_at DESC LIMIT ?",
        (action, LAST),
    ).fetchall()
    begun = (row["executed_at"] for row in (*here, *elsewhere))
    past = _past(db, min(begun, default=clock.written(now)), now)
    return confidence.record(_outcomes(here, past), _outcomes(elsewhere, past))


def helped(
    db: sqlite3.Connection, alertname: str, actions: Iterable[str], *, now: datetime
) -> tuple[str, ...]:
    """Say of each of *actions* how often it has helped against an alert; of those ever tried."""
    known = [(each, record(db, alertname, each, now=now)) for each in actions]
    return tuple(
        f"{name}: {told.good} of {told.good + told.bad} times"
        for name, told in known
        if told.good + told.bad
    )


def _outcomes(found: Iterable[sqlite3.Row], past: _Past) -> list[bool]:
    """Return which of these attempts helped, without those of which that cannot be told."""
    told = (_of_action(row, past) for row in found)
    return [came is Came.HELPED for came in told if came in _TOLD]


_TOLD = frozenset({Came.HELPED, Came.AGAIN, Came.FAILED})


def lately(db: sqlite3.Connection, project: str, action: str, *, now: datetime) -> tuple[int, int]:
    """Count what the analyzer had done by itself within an hour: *action* to *project*, and all.

    What is dated in the future counts: a clock that was set back must not make room.
    """
    row = db.execute(
        "SELECT count(CASE WHEN project = ? AND name = ? THEN 1 END) AS same, count(*) AS every"
        " FROM actions WHERE executed_at > ? AND EXISTS (SELECT 1 FROM analyses"
        " WHERE analyses.key = actions.key AND decision = 'auto')",
        (project, action, clock.written(now - HOUR)),
    ).fetchone()
    return int(row["same"]), int(row["every"])


def outpaced(db: sqlite3.Connection, project: str, action: str, *, now: datetime) -> str | None:
    """Say that the analyzer has done all that it may by itself; None: one more may be done.

    To be asked in the transaction that begins *action*: steps that were decided at once all saw
    that there was room.
    """
    if gate.paced(lately(db, project, action, now=now)):
        return None
    return "the analyzer has done by itself meanwhile what it may in an hour"


def rejected(db: sqlite3.Connection, project: str, action: str, *, since: datetime) -> str | None:
    """Say that a person has said no to *action* on *project* lately; None: nobody has."""
    row = db.execute(
        "SELECT decided_by, decided_at FROM approvals JOIN actions ON key = action"
        " WHERE approvals.project = ? AND name = ? AND decision = 'rejected' AND decided_at > ?"
        " ORDER BY decided_at DESC LIMIT 1",
        (project, action, clock.written(since)),
    ).fetchone()
    return row and f"{row['decided_by']} rejected it at {row['decided_at'][:16]}Z"


def decided(
    db: sqlite3.Connection, *, now: datetime, since: datetime | None = None
) -> list[Verdict]:
    """Return what came of every decision on an answer given from *since* on, the oldest first."""
    begin = clock.written(since) if since else ""
    found = db.execute(
        f"{_DECIDED} WHERE answered_at >= ? AND decision IS NOT NULL ORDER BY answered_at",
        (begin,),
    ).fetchall()
    return _verdicts(db, found, now)


def of_incident(db: sqlite3.Connection, incident: int, *, now: datetime) -> dict[int, Came]:
    """Return what came of every decision about an incident, by its analysis."""
    found = db.execute(
        f"{_DECIDED} WHERE analyses.incident = ? AND decision IS NOT NULL", (incident,)
    ).fetchall()
    return {each.analysis: each.came for each in _verdicts(db, found, now)}


def labelled(
    db: sqlite3.Connection, *, now: datetime, since: datetime | None = None
) -> list[Verdict]:
    """Return those of which it can be told whether they were right."""
    return [each for each in decided(db, now=now, since=since) if each.right is not None]


def curve(db: sqlite3.Connection, model: str, prompt: str, *, now: datetime) -> Curve:
    """Return how often *model* was right with this version of the prompt, by its confidence."""
    found = db.execute(
        f"{_DECIDED} WHERE model = ? AND prompt = ? AND decision IS NOT NULL"
        " ORDER BY answered_at DESC LIMIT ?",
        (model, prompt, CURVE),
    ).fetchall()
    return confidence.curve(pairs(_verdicts(db, found, now)))


# Without the bodies, which are large.
_DECIDED = (
    "SELECT analyses.id, analyses.project, analyses.incident, analyses.alertname, decided_at,"  # noqa: S608  ours
    " analyzer, model, prompt, decision, raw, effective, action, analyses.key, actions.state,"
    f" executed_at, finished_at, {_AGAIN}"
    " FROM analyses LEFT JOIN actions ON actions.key = analyses.key"
)


def _verdicts(db: sqlite3.Connection, found: list[sqlite3.Row], now: datetime) -> list[Verdict]:
    oldest = min((row["decided_at"] for row in found), default=clock.written(now))
    past = _past(db, oldest, now)
    return [
        Verdict(
            analysis=row["id"],
            at=clock.read(row["decided_at"]),
            alertname=row["alertname"],
            action=row["action"],
            analyzer=row["analyzer"],
            model=row["model"],
            prompt=row["prompt"],
            decision=row["decision"],
            raw=row["raw"],
            effective=row["effective"],
            came=_came(db, row, past),
        )
        for row in found
    ]


def _came(db: sqlite3.Connection, row: sqlite3.Row, past: _Past) -> Came:
    if row["key"] is not None:
        return _of_action(row, past)
    nothing = row["decision"] == "observe" and row["action"] == NONE  # else it was only recorded
    return _of_nothing(db, row, past) if nothing else Came.UNLABELLED


def _of_action(row: sqlite3.Row, past: _Past) -> Came:
    """Tell what came of an attempt, or of a question whether it might be made."""
    if row["state"] in _GOING:
        return Came.OPEN
    if row["state"] == "rejected":
        return Came.REJECTED
    if row["state"] not in ("completed", "failed"):
        return Came.DROPPED
    came, end = Came.FAILED, row["finished_at"]
    if row["state"] == "completed":
        until, again = _later(row["finished_at"]), row["again_at"]
        back = again is not None and again <= until
        came, end = (Came.AGAIN, again) if back else (Came.HELPED, until)
    if not past.quiet(row["project"], row["executed_at"], end):
        return Came.MAINTENANCE
    return Came.OPEN if end > clock.written(past.now) else came


_GOING = frozenset({"pending", "approved", "executing"})


def _of_nothing(db: sqlite3.Connection, row: sqlite3.Row, past: _Past) -> Came:
    """Tell what came of it that nothing was done: the alert ended by itself, or it did not."""
    begin, end = row["decided_at"], _later(row["decided_at"])
    if not past.quiet(row["project"], begin, end):
        return Came.MAINTENANCE
    if end > clock.written(past.now):
        return Came.OPEN
    stayed = db.execute(
        "SELECT 1 FROM episodes WHERE incident = :incident AND alertname = :alertname"
        " AND received_at <= :end AND (ended_at IS NULL OR ended_at > :end) LIMIT 1",
        {"incident": row["incident"], "alertname": row["alertname"], "end": end},
    ).fetchone()
    acted = db.execute(
        "SELECT 1 FROM actions WHERE project = ? AND executed_at > ? AND executed_at <= ? LIMIT 1",
        (row["project"], begin, end),
    ).fetchone()
    return Came.WENT_ON if stayed or acted else Came.ENDED


def _later(instant: str) -> str:
    return clock.written(clock.read(instant) + SETTLED)


def _past(db: sqlite3.Connection, since: str, now: datetime) -> _Past:
    """Gather the maintenances that were not over at *since*."""
    found = db.execute(
        "SELECT * FROM restraints WHERE kind = 'maintenance'"
        " AND (ends_at IS NULL OR ends_at > :since) AND (lifted_at IS NULL OR lifted_at > :since)",
        {"since": since},
    )
    works = [
        _Work(
            project=row["project"],
            begin=row["starts_at"] or row["set_at"] or "",  # "": before that was written down
            end=min(filter(None, (row["ends_at"], row["lifted_at"])), default=None),
        )
        for row in found
    ]
    return _Past(works=works, now=now)
