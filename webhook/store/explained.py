"""Explained: analyses read back with all that says why something was done, or was not."""

import gzip
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator import clock
from webhook.action import Action
from webhook.analyzer.analysis import Analysis, Gate
from webhook.analyzer.learning import Came
from webhook.approval import Approval
from webhook.store import analyses, rows, verdicts

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at a model, as the ledger has it. Money is in nano-dollars."""

    at: datetime
    model: str
    outcome: str | None  # None: nobody knows what came of it
    status: int | None
    seconds: float | None
    reserved: int
    cost: int | None  # None: it is not settled, and counts as reserved
    message: str | None
    request: str | None
    stop_reason: str | None
    refusal: str | None
    usage: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """What happened after a decision."""

    action: Action | None = None
    approval: Approval | None = None
    ended_at: datetime | None = None  # of the alert, all of it; None: it goes on
    again_at: datetime | None = None  # when the same alert fired anew within the incident
    came: Came | None = None  # what that makes of the decision; None: there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One analysis with everything that belongs to it."""

    analysis: Analysis
    reason: str
    gates: tuple[Gate, ...]
    confidence: tuple[float, float, float] | None  # raw, calibrated, effective; None: undecided
    reused: int | None  # the analysis whose answer it took over
    pack: Json | None  # the evidence as the model had it; None: it was let go of, or is none
    attempts: tuple[Attempt, ...] = ()
    after: After = field(default_factory=After)

    @property
    def cost(self) -> int:
        """What it counts for, in nano-dollars."""
        return sum(each.reserved if each.cost is None else each.cost for each in self.attempts)


def explained(
    db: sqlite3.Connection, incident: int, *, limit: int, now: datetime
) -> tuple[Explained, ...]:
    """Return the newest *limit* analyses of an incident, the oldest first."""
    found = db.execute(
        "SELECT * FROM analyses WHERE incident = ? ORDER BY id DESC LIMIT ?", (incident, limit)
    ).fetchall()[::-1]
    called = _attempts(db, [row["id"] for row in found])
    came = verdicts.of_incident(db, incident, now=now)
    return tuple(
        _explained(row, called[row["id"]], _after(db, row, came.get(row["id"]))) for row in found
    )


def _explained(row: sqlite3.Row, called: Sequence[Attempt], after: After) -> Explained:
    known = analyses.read(row)
    sure = (row["raw"], row["calibrated"], row["effective"])
    return Explained(
        analysis=known,
        reason=row["reason"],
        gates=tuple(Gate(**each) for each in json.loads(row["gates"])),
        confidence=None if row["raw"] is None else sure,
        reused=row["reused"],
        pack=_unpacked(row["evidence"]),
        attempts=tuple(called),
        after=after,
    )


def _unpacked(body: bytes | None) -> Json | None:
    if body is None:
        return None
    found: Json = json.loads(gzip.decompress(body))
    return found


def _attempts(db: sqlite3.Connection, numbers: Sequence[int]) -> Mapping[int, list[Attempt]]:
    """Return the rows of the ledger by analysis, the oldest first."""
    found = defaultdict[int, list[Attempt]](list)
    for some in rows.portions(numbers):
        query = f"SELECT * FROM calls WHERE analysis IN ({rows.marks(len(some))}) ORDER BY id"  # noqa: S608  ours
        for row in db.execute(query, some):
            found[row["analysis"]].append(_attempt(row))
    return found


def _attempt(row: sqlite3.Row) -> Attempt:
    took = row["milliseconds"]
    return Attempt(
        at=clock.read(row["at"]),
        model=row["model"],
        outcome=row["outcome"],
        status=row["status"],
        seconds=None if took is None else took / 1_000,
        reserved=row["reserved"],
        cost=row["cost"],
        message=row["message"],
        request=row["request_id"],
        stop_reason=row["stop_reason"],
        refusal=row["refusal"],
        usage=json.loads(row["usage"]),
    )


def _after(db: sqlite3.Connection, row: sqlite3.Row, came: Came | None) -> After:
    """Return what is known to have followed; nothing before there is a decision."""
    if row["decided_at"] is None:
        return After()
    action = db.execute("SELECT * FROM actions WHERE key = ?", (row["key"],)).fetchone()
    approval = db.execute("SELECT * FROM approvals WHERE action = ?", (row["key"],)).fetchone()
    alert = (row["incident"], row["alertname"], row["decided_at"])
    fired = db.execute(
        "SELECT max(ended_at) AS ended_at, sum(ended_at IS NULL) AS going FROM episodes"
        " WHERE incident = ? AND alertname = ? AND received_at <= ?",
        alert,
    ).fetchone()
    again = db.execute(
        "SELECT min(received_at) AS at FROM episodes"
        " WHERE incident = ? AND alertname = ? AND received_at > ?",
        alert,
    ).fetchone()
    over = fired["ended_at"] if not fired["going"] else None
    return After(
        action=rows.action(action) if action else None,
        approval=rows.approval(approval) if approval else None,
        ended_at=clock.read(over) if over else None,
        again_at=clock.read(again["at"]) if again["at"] else None,
        came=came,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the analyzer has to do, and what it did lately."""

    waiting: int  # questions that nobody has taken up
    running: int
    answered: Mapping[str, int]  # by who has answered
    decided: Mapping[str, int]  # by the decision


def standing(db: sqlite3.Connection, *, since: datetime) -> Standing:
    """Count what is under way, and what was answered and decided from *since* on."""
    going = db.execute(  # the condition is that of the index
        "SELECT coalesce(sum(state = 'queued'), 0) AS queued, count(*) AS every FROM analyses"
        " WHERE state IN ('queued', 'running')"
    ).fetchone()
    lately = db.execute(
        "SELECT analyzer, decision, count(*) AS many FROM analyses WHERE answered_at >= ?"
        " GROUP BY analyzer, decision",
        (clock.written(since),),
    ).fetchall()
    answered, decided = Counter[str](), Counter[str]()
    for row in lately:
        answered[row["analyzer"]] += row["many"]
        if row["decision"] is not None:
            decided[row["decision"]] += row["many"]
    return Standing(
        waiting=going["queued"],
        running=going["every"] - going["queued"],
        answered=answered,
        decided=decided,
    )
