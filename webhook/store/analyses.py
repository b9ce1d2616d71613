"""Analyses: what the analyzer is asked, and answered, each a row that outlives the program."""

import json
import logging
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from orchestrator import clock
from webhook import audit
from webhook.analyzer import answer
from webhook.analyzer.analysis import SLOW, Analysis, By, Decision, Ruling, Situation, State
from webhook.analyzer.answer import Answer
from webhook.change import Change
from webhook.incident import Incident
from webhook.store import intake, rows

logger = logging.getLogger(__name__)

WAITING = 20  # analyses; what comes after them gets no model, for it would wait for minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """An analysis that is to be made now."""

    analysis: Analysis
    severity: str  # of its alert; "" when that is gone
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    crowded: bool  # so many wait that no model can be asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of an analysis, with everything that explains it. Bodies are compressed."""

    by: By
    answer: Answer
    model: str = ""
    prompt: str = ""
    why_rules: str = ""
    reason: str = ""  # the same, bounded: a label of a metric
    ids: Collection[str] = ()
    measured: Collection[str] = ()
    flags: Collection[str] = ()
    digest: str = ""
    reused: int | None = None
    evidence: bytes | None = None
    request: bytes | None = None
    reply: bytes | None = None


def of_incident(db: sqlite3.Connection, incident: Incident) -> tuple[Analysis, ...]:
    """Return the analyses since *incident* was opened, oldest first."""
    found = db.execute(
        f"SELECT {_KNOWN} FROM analyses WHERE incident = ? AND opened_at = ? ORDER BY id",  # noqa: S608  ours
        (incident.id, rows.text(incident.opened_at)),
    )
    return tuple(read(row) for row in found)


# Without the bodies, which are large and of no use for a decision.
_KNOWN = (
    "id, incident, project, alertname, opened_at, attempts, state, asked_at, answered_at, analyzer,"
    " model, prompt, evidence_hash, answer, why_rules, ids, measured, flags, decision, decided_at,"
    " reason"
)

# As the index has it, word for word: SQLite does not see that what is queued is one of these two,
# and would read every analysis there ever was, four times a second.
_TO_DO = "state IN ('queued', 'running')"


def read(row: sqlite3.Row) -> Analysis:
    """Read a row of `analyses`.

    An answer in words that this version does not know counts as cut off: else one row of another
    version would keep every incident from being looked at.
    """
    state = State(row["state"])
    try:
        said = answer.load(row["answer"]) if row["answer"] else None
        decision = Decision(row["decision"]) if row["decision"] else None
    except ValueError:
        logger.warning("answer not readable", extra={"analysis": row["id"]})
        state, said, decision = State.ABORTED, None, None
    return Analysis(
        id=row["id"],
        project=row["project"],
        situation=Situation(
            incident=row["incident"],
            opened_at=clock.read(row["opened_at"]),
            alertname=row["alertname"],
            attempts=row["attempts"],
        ),
        state=state,
        asked_at=clock.read(row["asked_at"]),
        answered_at=clock.read(row["answered_at"]) if row["answered_at"] else None,
        by=By(row["analyzer"]) if row["analyzer"] else None,
        model=row["model"],
        prompt=row["prompt"],
        answer=said,
        why_rules=row["why_rules"],
        ids=frozenset(json.loads(row["ids"])),
        measured=frozenset(json.loads(row["measured"])),
        flags=tuple(json.loads(row["flags"])),
        evidence=row["evidence_hash"],
        decision=decision,
        decided_at=clock.read(row["decided_at"]) if row["decided_at"] else None,
        reason=row["reason"],
    )


def claim(db: sqlite3.Connection, *, epoch: int, at: datetime) -> Claimed | None:
    """Claim the analysis that has waited for longest; None when none waits.

    What nobody waits for any more is not asked about: its incident has gone on without it.
    """
    db.execute(
        f"UPDATE analyses SET state = 'aborted' WHERE {_TO_DO} AND state = 'queued'"  # noqa: S608  ours
        " AND (asked_at < ? OR asked_at > ? OR NOT EXISTS (SELECT 1 FROM incidents"
        " WHERE incidents.id = incident AND incidents.state = 'open'"
        " AND incidents.opened_at = analyses.opened_at))",
        (clock.written(at - SLOW), clock.written(at + SLOW)),
    )
    waiting = db.execute(
        f"SELECT {_KNOWN} FROM analyses WHERE {_TO_DO} AND state = 'queued'"  # noqa: S608  ours
        " ORDER BY asked_at, id LIMIT ?",
        (WAITING + 1,),
    ).fetchall()
    if not waiting:
        return None
    first = waiting[0]
    db.execute(
        "UPDATE analyses SET state = 'running', claimed_by = ? WHERE id = ?", (epoch, first["id"])
    )
    alert = _alert(db, first["incident"], first["alertname"])
    labels = json.loads(alert["labels"]) if alert else {}
    return Claimed(
        analysis=read(first),
        severity=str(labels.get("severity", "")),
        labels=labels,
        annotations=json.loads(alert["annotations"]) if alert else {},
        crowded=len(waiting) > WAITING,
    )


def _alert(db: sqlite3.Connection, incident: int, alertname: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = db.execute(
        "SELECT labels, annotations FROM episodes WHERE incident = ? AND alertname = ?"
        " ORDER BY ended_at IS NOT NULL, id DESC LIMIT 1",
        (incident, alertname),
    ).fetchone()
    return found


def cut_off(db: sqlite3.Connection, *, epoch: int, at: datetime) -> int:
    """Abort what was being asked when the program before this one ended; return how many.

    Nobody knows what was answered. Their incidents are looked at now, and ask anew.
    """
    lost = db.execute(
        f"UPDATE analyses SET state = 'aborted' WHERE {_TO_DO} AND state = 'running'"  # noqa: S608  ours
        " AND claimed_by <> ? RETURNING incident",
        (epoch,),
    ).fetchall()
    for row in lost:
        intake.wake(db, row["incident"], at)
    return len(lost)


def abort(db: sqlite3.Connection, number: int, *, at: datetime) -> None:
    """Give an analysis up that is being made: nothing of it counts."""
    db.execute(
        "UPDATE analyses SET state = 'aborted' WHERE id = ? AND state = 'running'", (number,)
    )
    row = db.execute("SELECT incident FROM analyses WHERE id = ?", (number,)).fetchone()
    intake.wake(db, row["incident"], at)


def store(db: sqlite3.Connection, number: int, found: Found, *, at: datetime) -> None:
    """Store what came of an analysis, and let its incident be looked at now."""
    row = db.execute(
        "UPDATE analyses SET state = 'answered', answered_at = ?, analyzer = ?, model = ?,"
        " prompt = ?, evidence_hash = ?, answer = ?, why_rules = ?, ids = ?, measured = ?,"
        " flags = ?, reused = ?, action = ?, evidence = ?, request = ?, reply = ?"
        " WHERE id = ? AND state = 'running' RETURNING incident",
        (
            clock.written(at),
            found.by,
            found.model,
            found.prompt,
            found.digest,
            answer.dump(found.answer),
            found.why_rules,
            json.dumps(sorted(found.ids)),
            json.dumps(sorted(found.measured)),
            json.dumps(list(found.flags)),
            found.reused,
            found.answer.action,
            found.evidence,
            found.request,
            found.reply,
            number,
        ),
    ).fetchone()
    if row is None:
        return
    intake.wake(db, row["incident"], at)
    data = {"analysis": number, "analyzer": found.by, "evidence": found.digest}
    rows.record(db, audit.entry("analysis answered", data, at=at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """An earlier answer to the same evidence."""

    id: int
    model: str
    answer: Answer


def similar(
    db: sqlite3.Connection, *, digest: str, prompt: str, model: str, since: datetime, now: datetime
) -> Similar | None:
    """Return what *model* answered to the same evidence under the same *prompt*, lately."""
    row = db.execute(
        "SELECT id, model, answer FROM analyses WHERE evidence_hash = ? AND answered_at >= ?"
        " AND answered_at <= ? AND prompt = ? AND analyzer = 'claude' AND reused IS NULL"
        " AND EXISTS (SELECT 1 FROM calls WHERE calls.analysis = analyses.id"
        " AND calls.model = ? AND outcome = 'ok') ORDER BY answered_at DESC LIMIT 1",
        (digest, clock.written(since), clock.written(now), prompt, model),
    ).fetchone()
    if row is None:
        return None
    return Similar(id=row["id"], model=row["model"], answer=answer.load(row["answer"]))


def follow(db: sqlite3.Connection, change: Change, *, at: datetime) -> None:
    """Store the question of *change* to the analyzer, or what it decided on an answer."""
    if change.consults is not None:
        _queue(db, change.before.project, change.consults, at)
    if change.ruling is not None:
        key = change.action_became[-1].key if change.action_became else None
        _decide(db, change.ruling, key, at)


def _queue(db: sqlite3.Connection, project: str, about: Situation, at: datetime) -> None:
    db.execute(
        "INSERT INTO analyses (incident, project, alertname, opened_at, attempts, state, asked_at)"
        " VALUES (?, ?, ?, ?, ?, 'queued', ?)",
        (
            about.incident,
            project,
            about.alertname,
            rows.text(about.opened_at),
            about.attempts,
            clock.written(at),
        ),
    )
    data = {"alertname": about.alertname, "incident": about.incident, "project": project}
    rows.record(db, audit.entry("analysis asked for", data, at=at))


def _decide(db: sqlite3.Connection, ruling: Ruling, key: str | None, at: datetime) -> None:
    gates = [asdict(each) for each in ruling.gates]
    db.execute(
        "UPDATE analyses SET decision = ?, decided_at = ?, reason = ?, gates = ?, raw = ?,"
        " calibrated = ?, effective = ?, key = coalesce(?, key) WHERE id = ?",
        (
            ruling.decision,
            clock.written(at),
            ruling.reason,
            json.dumps(gates),
            ruling.raw,
            ruling.calibrated,
            ruling.effective,
            key,
            ruling.analysis,
        ),
    )
    data = {
        "analysis": ruling.analysis,
        "closed": [each.name for each in ruling.closed],
        "decision": ruling.decision,
        "effective": ruling.effective,
        "key": key,
        "reason": ruling.reason,
    }
    rows.record(db, audit.entry("analysis decided", data, at=at))


def forget_bodies(db: sqlite3.Connection, *, before: datetime, limit: int) -> int:
    """Let go of what was sent and received until *before*; what was decided stays."""
    gone = db.execute(
        "UPDATE analyses SET evidence = NULL, request = NULL, reply = NULL WHERE id IN"
        " (SELECT id FROM analyses WHERE answered_at < ? AND evidence IS NOT NULL LIMIT ?)",
        (clock.written(before), limit),
    )
    return gone.rowcount
