"""A database with 10,000 past incidents, each with what the analyzer was asked and answered."""

import json
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from orchestrator import clock
from orchestrator.prices import VERSION
from tests.bench.api_fill import DAYS, LASTS, project
from webhook.analyst import PROMPT
from webhook.analyzer import answer
from webhook.analyzer.analysis import WITHIN
from webhook.analyzer.answer import Answer, Category, Claim, Target
from webhook.store.database import atomic, connect

MODEL: Final = "claude-sonnet-5-5"
PROPOSED: Final = {  # against each alert
    "ProjectHighMemory": "clear_cache",
    "ProjectHighCPU": "pause_service",
    "ProjectHighErrorRate": "restart_service",
}
ALERTS: Final = tuple(PROPOSED)
SEVERITY: Final = {"ProjectHighErrorRate": "critical"}
FIVE: Final = 5  # nothing was done about every fifth
BODIES: Final = timedelta(days=30)  # as long as what was sent and received is kept
MAINTENANCES: Final = 40
AT_ONCE: Final = 2_000  # rows of one transaction
SEED: Final = 7

Row = tuple[object, ...]


def alert(number: int) -> str:
    """Name the alert of an incident; with 50 projects, each comes to each of them."""
    return ALERTS[number % len(ALERTS)]


def said(alertname: str, confidence: float = 0.9) -> Answer:
    """Return what the model answers about an alert: it cites what was measured, and the log."""
    return Answer(
        rationale=(
            Claim(claim="it has been above its threshold", evidence_ids=("M1", "M2")),
            Claim(claim="its log tells of the same", evidence_ids=("S1", "L1")),
        ),
        alternatives=(),
        root_cause_category=Category.UNKNOWN,
        root_cause="It does more than it can.",
        action=PROPOSED[alertname],
        target_ref=Target.ALERT_TARGET,
        confidence=confidence,
        missing_evidence=(),
        suspicious_text=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One past incident."""

    number: int
    at: datetime  # when it was opened
    end: datetime  # of all of them

    @property
    def acted(self) -> bool:
        """Whether something was done about it on the word of the model."""
        return self.number % FIVE != 0

    def after(self, share: float) -> str:
        """Return the instant after that *share* of its time."""
        return clock.written(self.at + LASTS * share)


def outages(many: int, end: datetime) -> list[Outage]:
    """Return *many* incidents over half a year, the last of which ends at *end*."""
    length = timedelta(days=DAYS)
    return [
        Outage(number=number, at=end - LASTS - length * (many - number) / many, end=end)
        for number in range(1, many + 1)
    ]


def made(path: str, many: int, end: datetime) -> None:
    """Make the database at *path*."""
    db = connect(path)
    try:
        db.execute("PRAGMA synchronous=OFF")
        of = outages(many, end)
        _insert(db, "incidents (id, project, state, since, opened_at, ended_at)", _incidents(of))
        _insert(db, _EPISODES, _episodes(of))
        _insert(db, _ACTIONS, _actions(of))
        _insert(db, _ANALYSES, _analyses(of))
        _insert(db, _CALLS, _calls(of))
        _insert(db, "restraints (kind, project, reason, set_by, starts_at, ends_at)", _works(end))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.close()


_EPISODES = (
    "episodes (fingerprint, alertname, project, labels, annotations, first_started_at, started_at,"
    " ended_at, received_at, seen_at, incident, how)"
)
_ACTIONS = (
    "actions (key, incident, project, name, alertname, attempt, state, created_at, executed_at,"
    " finished_at, detail, output)"
)
_ANALYSES = (
    "analyses (id, incident, project, alertname, opened_at, attempts, state, asked_at, claimed_by,"
    " answered_at, analyzer, model, prompt, evidence_hash, answer, ids, measured, decision,"
    " decided_at, raw, calibrated, effective, action, key, evidence, request, reply)"
)
_CALLS = "calls (analysis, at, model, reserved, cost, prices, outcome, status, milliseconds)"


def _insert(db: sqlite3.Connection, into: str, rows: Iterator[Row]) -> None:
    statement = ""
    while some := list(islice(rows, AT_ONCE)):
        statement = statement or f"INSERT INTO {into} VALUES ({', '.join('?' * len(some[0]))})"  # noqa: S608  ours
        with atomic(db):
            db.executemany(statement, some)


def _incidents(of: list[Outage]) -> Iterator[Row]:
    for each in of:
        over = each.after(1)
        yield each.number, project(each.number), "resolved", over, each.after(0), over


def _episodes(of: list[Outage]) -> Iterator[Row]:
    for each in of:
        for place, name in enumerate((alert(each.number), "ProjectSlow")):
            labels, told = (json.dumps(part) for part in texts(each.number, name))
            named = (f"{each.number:08x}{place:08x}", name, project(each.number), labels, told)
            began, over = each.after(place / 100), each.after(1)
            yield *named, began, began, over, began, over, each.number, "resolved"


def texts(number: int, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the labels and the annotations of an alert."""
    severity = SEVERITY.get(name, "warning")
    labels = {"alertname": name, "project": project(number), "severity": severity}
    summary = f"{project(number)} is above its threshold, on node {number}"
    return labels, {"summary": summary, "description": f"{summary}, for two minutes."}


def _actions(of: list[Outage]) -> Iterator[Row]:
    """Yield a first attempt of the playbook that failed, and a second one that helped."""
    for each in of:
        name = alert(each.number)
        tried = [(1, "restart_service", "failed")]
        if each.acted:
            tried.append((2, PROPOSED[name], "completed"))
        for attempt, action, state in tried:
            named = (f"key-{each.number}-{attempt}", each.number, project(each.number), action)
            times = (each.after(attempt / 4), each.after(attempt / 4), each.after(attempt / 3))
            yield *named, name, attempt, state, *times, "it answered", "done\n" * 20


def _analyses(of: list[Outage]) -> Iterator[Row]:
    luck = random.Random(SEED)  # noqa: S311  the same database each time
    for each in of:
        number, name = each.number, alert(each.number)
        answered = said(name, round(luck.uniform(0.5, 0.99), 2))
        about = (number, number, project(number), name, each.after(0), 1, "answered")
        asked = (each.after(0.3), 1, each.after(0.35), "claude", MODEL, PROMPT, f"{number:064x}")
        told = (answer.dump(answered), '["L1", "M1", "M2", "S1"]', '["M1", "M2", "S1"]')
        what, key = ("auto", f"key-{number}-2") if each.acted else ("observe", None)
        sure = (answered.confidence,) * 3
        kept = each.at > each.end - BODIES
        bodies = [luck.randbytes(size) if kept else None for size in (6_000, 9_000, 2_000)]
        yield *about, *asked, *told, what, each.after(0.4), *sure, answered.action, key, *bodies


def _calls(of: list[Outage]) -> Iterator[Row]:
    for each in of:
        paid = (MODEL, 90_000_000, 21_000_000, VERSION, "ok", 200, 9_000)
        yield each.number, each.after(0.31), *paid


def _works(end: datetime) -> Iterator[Row]:
    for place in range(MAINTENANCES):
        begin = end - timedelta(days=DAYS) * (place + 1) / (MAINTENANCES + 1)
        over = clock.written(begin + timedelta(hours=1))
        yield "maintenance", project(place), "new disks", "ann", clock.written(begin), over


def ask(db: sqlite3.Connection, number: int, *, at: datetime) -> None:
    """Open incident *number*, and ask the analyzer about it."""
    now, name, of = clock.written(at), alert(number), project(number)
    db.execute(
        "INSERT INTO incidents (id, project, state, since, opened_at, due_at)"
        " VALUES (?, ?, 'open', ?, ?, ?)",
        (number, of, now, now, clock.written(at + WITHIN)),
    )
    labels, told = (json.dumps(part) for part in texts(number, name))
    db.execute(
        "INSERT INTO episodes (fingerprint, alertname, project, labels, annotations,"
        " first_started_at, started_at, received_at, seen_at, incident)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (f"{number:016x}", name, of, labels, told, now, now, now, now, number),
    )
    db.execute(
        "INSERT INTO analyses (incident, project, alertname, opened_at, attempts, state, asked_at)"
        " VALUES (?, ?, ?, ?, 0, 'queued', ?)",
        (number, of, name, now, now),
    )


def forget(db: sqlite3.Connection, number: int, *, at: datetime) -> None:
    """End an incident as if nothing had been done, so that the next one finds the same."""
    db.execute("UPDATE analyses SET key = NULL, decision = NULL WHERE incident = ?", (number,))
    for table in ("pages", "approvals", "actions"):
        db.execute(f"DELETE FROM {table} WHERE incident = ?", (number,))  # noqa: S608  ours
    now = clock.written(at)
    db.execute("UPDATE episodes SET ended_at = ? WHERE incident = ?", (now, number))
    db.execute(
        "UPDATE incidents SET state = 'resolved', ended_at = ?, due_at = NULL WHERE id = ?",
        (now, number),
    )
