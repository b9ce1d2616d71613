"""Rows for tests of what readers ask, with everything that a test does not care about made up."""

import json
import sqlite3
from datetime import datetime, timedelta

from orchestrator import clock
from tests.webhook.make import NOW

HOUR = timedelta(hours=1)

_MADE: dict[str, dict[str, object]] = {
    "incidents": {"project": "a", "state": "open", "since": NOW, "opened_at": NOW},
    "episodes": {
        "fingerprint": "f",
        "alertname": "ProjectDown",
        "project": "a",
        "labels": "{}",
        "annotations": "{}",
        "first_started_at": NOW,
        "started_at": NOW,
        "received_at": NOW,
        "seen_at": NOW,
        "incident": 1,
    },
    "actions": {
        "key": "key-1",
        "incident": 1,
        "project": "a",
        "name": "restart_service",
        "alertname": "ProjectDown",
        "attempt": 1,
        "state": "failed",
        "created_at": NOW,
        "detail": "",
    },
    "approvals": {
        "action": "key-1",
        "incident": 1,
        "project": "a",
        "bound": "",
        "question": "",
        "asked_at": NOW,
        "expires_at": NOW + HOUR,
    },
    "requests": {
        "project": "a",
        "action": "restart_service",
        "reason": "",
        "forced": "[]",
        "asked_by": "ann",
        "asked_at": NOW,
        "expires_at": NOW,
        "incident": 1,
    },
    "pages": {
        "kind": "escalation",
        "incident": 1,
        "reason": "",
        "labels": "{}",
        "annotations": "{}",
        "started_at": NOW,
    },
    "restraints": {
        "kind": "maintenance",
        "project": "a",
        "reason": "",
        "set_by": "ann",
        "starts_at": NOW,
    },
    "analyses": {
        "incident": 1,
        "project": "a",
        "alertname": "ProjectDown",
        "opened_at": NOW,
        "attempts": 0,
        "state": "answered",
        "asked_at": NOW,
        "answered_at": NOW,
        "analyzer": "claude",
        "model": "claude-sonnet-5-5",
        "prompt": "1",
        "decision": "auto",
        "decided_at": NOW,
        "raw": 0.9,
        "calibrated": 0.9,
        "effective": 0.9,
        "action": "restart_service",
    },
    "calls": {
        "analysis": 1,
        "at": NOW,
        "model": "claude-sonnet-5-5",
        "reserved": 0,
        "prices": "",
    },
    "boots": {"at": NOW},
    "events": {"at": NOW, "name": "ActionWithheld", "project": "a", "incident": 1, "data": {}},
}


def add(db: sqlite3.Connection, table: str, **given: object) -> None:
    """Insert a row; instants and objects may be given as such."""
    row = {name: _written(value) for name, value in {**_MADE[table], **given}.items()}
    marks = ", ".join("?" * len(row))
    query = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608  names of ours
    db.execute(query, tuple(row.values()))


def _written(value: object) -> object:
    if isinstance(value, datetime):
        return clock.written(value)
    return json.dumps(value) if isinstance(value, dict) else value
