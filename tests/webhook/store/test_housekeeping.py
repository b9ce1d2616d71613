"""What is let go of, and what is kept for ever."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook.store.database import atomic, connect
from webhook.store.housekeeping import tidy
from webhook.store.intake import receive

DAY = timedelta(days=1)
RAW, EVENTS = 30 * DAY, 365 * DAY
TABLES = ("notifications", "events", "episodes", "incidents", "audit")


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    yield connection
    connection.close()


def _outage(db: sqlite3.Connection, name: str, *, ago: timedelta, **labels: str) -> None:
    """Have an alert fire and end in the past."""
    began = NOW - ago
    for ended in (None, began + 8 * SECOND):
        told = make.alert(started=began, ended=ended, fingerprint=name, **labels)
        with atomic(db):
            receive(db, make.notification(told), make.body(told), at=ended or began)


def _kept(db: sqlite3.Connection) -> dict[str, int]:
    return {
        table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608  names of ours
        for table in TABLES
    }


def _tidy(db: sqlite3.Connection, *, limit: int = 99) -> int:
    with atomic(db):
        return tidy(db, raw_before=NOW - RAW, events_before=NOW - EVENTS, limit=limit)


def test_nothing_young_is_deleted(db: sqlite3.Connection) -> None:
    _outage(db, "a", ago=29 * DAY)
    _outage(db, "b", ago=29 * DAY, remediate="")
    before = _kept(db)
    assert (_tidy(db), _kept(db)) == (0, before)


def test_a_notification_goes_first_and_what_it_meant_stays(db: sqlite3.Connection) -> None:
    _outage(db, "a", ago=31 * DAY)
    before = _kept(db)
    assert (_tidy(db), _kept(db)) == (2, before | {"notifications": 0})


def test_of_an_old_incident_all_but_its_events_is_kept(db: sqlite3.Connection) -> None:
    _outage(db, "a", ago=366 * DAY)
    before = _kept(db)
    _outage(db, "newest", ago=SECOND, remediate="")
    _tidy(db)
    after = {"notifications": 2, "events": 0, "episodes": 2, "audit": before["audit"] + 2}
    assert _kept(db) == before | after


def test_an_old_alert_that_was_no_part_of_an_incident_goes_when_it_has_ended(
    db: sqlite3.Connection,
) -> None:
    _outage(db, "old", ago=366 * DAY, remediate="")
    still = make.alert(started=NOW - 366 * DAY, fingerprint="still", remediate="")
    with atomic(db):
        receive(db, make.notification(still), make.body(still), at=NOW - 366 * DAY)
    _outage(db, "young", ago=SECOND * 60, remediate="")
    _tidy(db)
    left = [row["fingerprint"] for row in db.execute("SELECT fingerprint FROM episodes")]
    assert (left, _kept(db)["audit"]) == (["still", "young"], 5)


def test_the_newest_episode_stays_so_that_its_number_is_not_given_out_again(
    db: sqlite3.Connection,
) -> None:
    _outage(db, "old", ago=367 * DAY, remediate="")
    _outage(db, "newest", ago=366 * DAY, remediate="")
    _tidy(db)
    assert [row["id"] for row in db.execute("SELECT id FROM episodes")] == [2]


def test_a_little_is_done_at_a_time_until_all_is_done(db: sqlite3.Connection) -> None:
    for number in range(5):
        _outage(db, f"{number}", ago=31 * DAY, project=f"p-{number}")
    assert [_tidy(db, limit=4) for _ in range(4)] == [4, 4, 2, 0]
