"""A database that tells of a repair, of a question, and of what a stranger wrote."""

import sqlite3

from tests.webhook.make import NOW, SECOND
from tests.webhook.store.fill import add

HOSTILE = "<script>alert(1)</script> \N{RIGHT-TO-LEFT OVERRIDE}\x1b[2J 'OR 1=1 --"


def fill(db: sqlite3.Connection) -> None:
    """Fill *db* with two incidents that have ended."""
    resolved, key = NOW + 11 * SECOND, {"action": "restart_service", "attempt": 1, "key": "key-1"}
    add(db, "incidents", state="resolved", ended_at=resolved, since=resolved)
    add(
        db,
        "episodes",
        started_at=NOW,
        ended_at=NOW + 8 * SECOND,
        annotations={"summary": "a is down."},
        labels={"team": "x"},
        how="resolved",
    )
    times = {"executed_at": NOW + SECOND, "finished_at": resolved}
    add(db, "actions", state="completed", detail="proven", output="done", **times)
    add(db, "requests", key="key-1", outcome="taken")
    add(db, "events", name="ActionStarted", at=NOW + SECOND, data=key)
    add(db, "events", name="PROBLEM_RESOLVED", at=resolved, data={**key, "text": "well again"})
    add(db, "events", name="KillSwitchOn", project="", incident=None, at=NOW + 20 * SECOND)
    add(db, "incidents", project="b", state="closed", ended_at=NOW)
    add(
        db,
        "episodes",
        fingerprint="g",
        project="b",
        incident=2,
        alertname=HOSTILE,
        ended_at=NOW,
    )
    add(db, "actions", key="key-2", incident=2, project="b", state="rejected", output=HOSTILE)
    given = {"decision": "rejected", "decided_by": "bob", "reason": HOSTILE, "question": HOSTILE}
    add(db, "approvals", action="key-2", incident=2, project="b", **given)
    add(db, "pages", incident=2, project="b", reason=HOSTILE, ended_at=NOW)
    add(db, "events", incident=2, project="b", data={"reason": HOSTILE})
