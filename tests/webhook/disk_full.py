"""The example of docs/incidents.md: an outage that no restart ends, and how it was explained."""

import gzip
import json
import sqlite3
from datetime import timedelta

from tests.webhook.make import NOW
from tests.webhook.reasoned import analysis, answered, call, decided
from tests.webhook.store.fill import add
from webhook.analyzer import answer
from webhook.analyzer.answer import ESCALATE, Alternative, Answer, Category, Claim, Target
from webhook.evidence import series
from webhook.evidence.item import Item, Json, Lack, Missing, Pack, Source, Subject, Trust
from webhook.evidence.pack import wire
from webhook.evidence.raw import Series

MINUTE = timedelta(minutes=1)
POINTS = tuple((60.0 * place, float(place < 25)) for place in range(30))  # down for five minutes
ANSWER = Answer(
    rationale=(
        Claim(claim="the log says at each start that the disk is full", evidence_ids=("L1",)),
        Claim(claim="it went down and stays down", evidence_ids=("M1",)),
    ),
    alternatives=(
        Alternative(cause=Category.BAD_DEPLOY, why_not="nothing was deployed for a week"),
    ),
    root_cause_category=Category.DISK_FULL,
    root_cause="the database has no room left; a restart will not help",
    action=ESCALATE,
    target_ref=Target.NONE,
    confidence=0.93,
    missing_evidence=("status",),
    suspicious_text=False,
)
GATES = [
    {"name": "answered", "passed": True, "why": "claude-sonnet-5-5 has answered"},
    {"name": "action", "passed": False, "why": "it proposes no action, but to ask people"},
]


def _pack() -> Pack:
    summary = series.summary(Series(question="up", unit="1 up, 0 down", points=POINTS))
    assert summary is not None
    log: dict[str, Json] = {
        "template": "database refuses to start: disk full",
        "level": "error",
        "count": 31,
    }
    return Pack(
        subject=Subject(
            project="email-blast",
            alertname="ProjectDown",
            severity="critical",
            started_at=NOW,
            asked_at=NOW,
            allowed=("restart_service",),
            tried=("restart_service: failed", "restart_service: failed"),
            depends_on=(),
            critical=False,
        ),
        items=(
            ("M1", Item(source=Source.METRICS, trust=Trust.MEASURED, content=summary)),
            ("L1", Item(source=Source.LOGS, trust=Trust.UNTRUSTED, content=log)),
        ),
        missing=(Missing(source=Source.STATUS, lack=Lack.TIMEOUT, why="no answer within 3 s"),),
    )


def fill(db: sqlite3.Connection) -> None:
    """Fill *db* with incident 12 of email-blast, which was escalated."""
    about = {"project": "email-blast", "incident": 12}
    asked = NOW + 5 * MINUTE
    add(db, "incidents", id=12, project="email-blast", state="escalated", escalated_at=asked)
    add(db, "episodes", fingerprint="disk", **about)
    for number in (1, 2):
        times = {"executed_at": NOW + number * MINUTE, "finished_at": NOW + (number + 1) * MINUTE}
        add(db, "actions", key=f"disk-{number}", **about, attempt=number, **times)
    given = answered(
        answered_at=asked + timedelta(seconds=6.4),
        answer=answer.dump(ANSWER),
        prompt="1-4f0c2f6a9d11",
        flags="[]",
        action=ESCALATE,
        evidence=gzip.compress(wire(_pack()).encode()),
    )
    ruling = decided(
        "escalate",
        decided_at=asked + timedelta(seconds=7),
        reason="the analyzer asks for people",
        gates=json.dumps(GATES),
        raw=0.93,
        effective=0.93,
    )
    analysis(db, 31, **about, attempts=2, asked_at=asked, **given, **ruling)
    told = {"outcome": "ok", "status": 200, "milliseconds": 6_300, "cost": 54_100_000}
    call(db, analysis=31, **told)
