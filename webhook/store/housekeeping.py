"""Housekeeping: what is older than it has to be kept, is let go of, a little at a time."""

import sqlite3
from datetime import datetime

from orchestrator import clock

# Rows stand in the order of time, so the oldest few are all that has to be looked at: a search of
# the whole table would hold up the notifications that wait behind it.
_NOTIFICATIONS = """DELETE FROM notifications WHERE id IN (
    SELECT id FROM (SELECT id, at FROM notifications ORDER BY id LIMIT ?) WHERE at < ?)"""
_EVENTS = """DELETE FROM events WHERE id IN (
    SELECT id FROM (SELECT id, at FROM events ORDER BY id LIMIT ?) WHERE at < ?)"""
# Not the newest: its number would be given out again, and numbers tell what came first.
_EPISODES = """DELETE FROM episodes WHERE id < (SELECT max(id) FROM episodes) AND id IN (
    SELECT id FROM (
        SELECT id, ended_at FROM episodes WHERE incident IS NULL ORDER BY id LIMIT ?)
    WHERE ended_at < ?)"""


def tidy(
    db: sqlite3.Connection, *, raw_before: datetime, events_before: datetime, limit: int
) -> int:
    """Delete what is older; return how many rows, *limit* of each table at most.

    These are notifications, and by *events_before* events and what has ended of the alerts that
    were no part of an incident. Incidents with their episodes stay; the audit has its own rule.
    """
    raw, events = clock.written(raw_before), clock.written(events_before)
    due = ((_NOTIFICATIONS, raw), (_EVENTS, events), (_EPISODES, events))
    return sum(db.execute(statement, (limit, before)).rowcount for statement, before in due)
