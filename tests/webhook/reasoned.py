"""A database that tells of analyses: a model's, one of rules, and one that was given up."""

import gzip
import json
import sqlite3
from datetime import datetime

from orchestrator import clock
from tests.webhook.make import NOW, SECOND
from tests.webhook.repaired import HOSTILE
from tests.webhook.store.fill import add
from webhook.analyzer import answer
from webhook.analyzer.answer import Alternative, Answer, Category, Claim, Target
from webhook.evidence.item import Item, Lack, Missing, Pack, Source, Subject, Trust
from webhook.evidence.pack import wire

SECRET = "password=hunter2"  # noqa: S105  a canary
PACK = Pack(
    subject=Subject(
        project="a",
        alertname="ProjectDown",
        severity="critical",
        started_at=NOW,
        asked_at=NOW,
        allowed=("restart_service", "clear_cache"),
        tried=("restart_service: failed",),
        depends_on=(),
        critical=False,
    ),
    items=(
        (
            "M1",
            Item(
                source=Source.METRICS,
                trust=Trust.MEASURED,
                content={"question": "disk", "unit": "ratio", "last": 0.997, "change": None},
            ),
        ),
        (
            "L1",
            Item(
                source=Source.LOGS,
                trust=Trust.UNTRUSTED,
                content={"count": 31, "template": f"no space left {HOSTILE} {SECRET}"},
            ),
        ),
    ),
    missing=(Missing(source=Source.STATUS, lack=Lack.TIMEOUT, why="no answer within 3 s"),),
    omitted=2,
)
ANSWER = Answer(
    rationale=(Claim(claim=f"the disk is full {HOSTILE}", evidence_ids=("M1", "L1")),),
    alternatives=(Alternative(cause=Category.MEMORY_LEAK, why_not="memory is low"),),
    root_cause_category=Category.DISK_FULL,
    root_cause=f"the database has no room left, {SECRET}",
    action="restart_service",
    target_ref=Target.ALERT_TARGET,
    confidence=0.9,
    missing_evidence=("status",),
    suspicious_text=True,
)
GATES = [
    {"name": "answered", "passed": True, "why": "claude-sonnet-5-5 has answered"},
    {"name": "trusted", "passed": False, "why": f"text is suspicious: {HOSTILE}"},
]


def packed(pack: Pack) -> bytes:
    """Return a body as it is kept."""
    return gzip.compress(wire(pack).encode())


def analysis(db: sqlite3.Connection, number: int, **given: object) -> None:
    """Insert an analysis that is asked at NOW, of ProjectDown on a."""
    row: dict[str, object] = {
        "id": number,
        "incident": 1,
        "project": "a",
        "alertname": "ProjectDown",
        "opened_at": NOW,
        "attempts": 1,
        "state": "queued",
        "asked_at": NOW,
        **given,
    }
    _insert(db, "analyses", row)


def call(db: sqlite3.Connection, **given: object) -> None:
    """Insert a call of an analysis into the ledger."""
    row: dict[str, object] = {
        "analysis": 1,
        "at": NOW,
        "model": "claude-sonnet-5-5",
        "reserved": 50_000_000,
        "prices": "2026-11-20",
        **given,
    }
    _insert(db, "calls", row)


def _insert(db: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    values = [clock.written(each) if isinstance(each, datetime) else each for each in row.values()]
    marks = ", ".join("?" * len(row))
    query = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608  names of ours
    db.execute(query, values)


def answered(**changes: object) -> dict[str, object]:
    """Return what an analysis holds that a model has answered."""
    return {
        "state": "answered",
        "answered_at": NOW + 4 * SECOND,
        "analyzer": "claude",
        "model": "claude-sonnet-5-5",
        "prompt": "1",
        "evidence_hash": "e" * 64,
        "answer": answer.dump(ANSWER),
        "ids": '["L1", "M1"]',
        "measured": '["M1"]',
        "flags": '["instruction"]',
        "action": ANSWER.action,
        "evidence": packed(PACK),
        **changes,
    }


def decided(decision: str, **changes: object) -> dict[str, object]:
    """Return what an analysis holds on which was decided."""
    return {
        "decision": decision,
        "decided_at": NOW + 5 * SECOND,
        "reason": "restart_service is not done by itself: text is suspicious",
        "gates": json.dumps(GATES),
        "raw": 0.9,
        "calibrated": 0.9,
        "effective": 0.72,
        **changes,
    }


def fill(db: sqlite3.Connection) -> None:
    """Fill *db* with an incident that was analyzed three times, and one that never was."""
    add(db, "incidents", state="escalated", escalated_at=NOW + 20 * SECOND)
    add(db, "episodes", ended_at=NOW + 30 * SECOND, how="resolved")
    add(db, "episodes", received_at=NOW + 60 * SECOND, first_started_at=NOW + 60 * SECOND)
    add(db, "actions", state="rejected", detail="rejected by bob", finished_at=NOW + 9 * SECOND)
    add(db, "approvals", decision="rejected", decided_by="bob", decided_at=NOW + 9 * SECOND)
    analysis(db, 1, **answered(), **decided("human", key="key-1"))
    refused = {"outcome": "overloaded", "status": 529, "milliseconds": 400, "cost": 0}
    call(db, **refused)
    told = {"outcome": "ok", "status": 200, "milliseconds": 3_200, "cost": 54_100_000}
    ids = {"message": "msg_1", "request_id": "req_1", "stop_reason": "end_turn"}
    call(db, **told, **ids, usage='{"input": 12050, "output": 3000}')
    rules = {"analyzer": "rules", "model": "", "prompt": "", "why_rules": "today's budget is spent"}
    analysis(db, 2, attempts=2, **answered(**rules, evidence=None), **decided("playbook"))
    analysis(db, 3, attempts=3, asked_at=NOW + 40 * SECOND, state="aborted")
    add(db, "incidents", project="b", state="closed", ended_at=NOW)
