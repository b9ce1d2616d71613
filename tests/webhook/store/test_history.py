"""The history: the figures are right, and no question reads a whole table to be answered."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.store.fill import add
from webhook import audit
from webhook.store import history, trail
from webhook.store.database import atomic, connect
from webhook.store.history import Figures, Waiting
from webhook.store.intake import receive
from webhook.store.particulars import particulars

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOTHING = Figures(
    at=NOW,
    incidents={},
    holding={},
    episodes=0,
    queue=Waiting(many=0, since=None),
    approvals=Waiting(many=0, since=None),
    attempts=(),
    maintenance=frozenset(),
    restraints={},
    pages={},
    audit_rows=0,
    audit_head=audit.GENESIS,
)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    yield connection
    connection.close()


def _figures(db: sqlite3.Connection, at: datetime = NOW) -> Figures:
    with atomic(db):
        return history.figures(db, now=at, window=HOUR)


def test_of_an_empty_database_there_is_nothing_to_tell(db: sqlite3.Connection) -> None:
    assert _figures(db) == NOTHING


def test_incidents_that_go_on_are_counted_by_state_and_by_what_holds_them(
    db: sqlite3.Connection,
) -> None:
    add(db, "incidents", project="a", held_by="cooldown")
    add(db, "incidents", project="b", held_by="cooldown", state="mitigated")
    add(db, "incidents", project="c")
    add(db, "incidents", project="d", state="closed", held_by="silence")
    add(db, "incidents", project="e", state="resolved")
    found = _figures(db)
    assert found.incidents == {"open": 2, "mitigated": 1}
    assert found.holding == {"cooldown": 2}


def test_the_queue_is_what_is_due_and_taken_by_nobody_who_lives(db: sqlite3.Connection) -> None:
    add(db, "boots")
    add(db, "boots")
    add(db, "incidents", project="free", due_at=NOW - 2 * SECOND)
    add(db, "incidents", project="claimed", due_at=NOW - 9 * SECOND, claimed_by=2)
    add(db, "incidents", project="of-the-dead", due_at=NOW - 3 * SECOND, claimed_by=1)
    add(db, "incidents", project="later", due_at=NOW + SECOND)
    add(db, "incidents", project="before-the-clock-was-set-back", due_at=NOW + HOUR)
    assert _figures(db).queue == Waiting(many=3, since=NOW - 3 * SECOND)


@pytest.mark.parametrize(
    ("since", "age"), [(None, 0), (NOW - 9 * SECOND, 9), (NOW + 9 * SECOND, 0)]
)
def test_the_age_is_that_of_the_oldest_and_never_negative(
    since: datetime | None, age: float
) -> None:
    assert Waiting(many=1, since=since).age(NOW) == age * SECOND


def test_episodes_count_until_their_end(db: sqlite3.Connection) -> None:
    for sent in (
        make.alert(fingerprint="a"),
        make.alert(fingerprint="b", alertname="Other", project="", remediate=""),
        make.alert(fingerprint="c"),
        make.alert(fingerprint="c", ended=NOW + SECOND),
    ):
        with atomic(db):
            receive(db, make.notification(sent), make.body(sent), at=NOW)
    assert _figures(db).episodes == 2


def test_approvals_wait_until_they_are_decided(db: sqlite3.Connection) -> None:
    add(db, "incidents")
    for key, asked, decision in (("1", 5, None), ("2", 9, "expired"), ("3", 3, None)):
        add(db, "actions", key=key)
        add(db, "approvals", action=key, asked_at=NOW - asked * SECOND, decision=decision)
    assert _figures(db).approvals == Waiting(many=2, since=NOW - 5 * SECOND)


def test_attempts_are_those_of_the_window_that_are_not_forgiven_the_oldest_first(
    db: sqlite3.Connection,
) -> None:
    add(db, "incidents")
    add(db, "actions", key="new", executed_at=NOW - SECOND)
    add(db, "actions", key="old", executed_at=NOW - HOUR)
    add(db, "actions", key="ahead", executed_at=NOW + SECOND)
    add(db, "actions", key="older", executed_at=NOW - 2 * SECOND)
    add(db, "actions", key="forgiven", executed_at=NOW - SECOND, forgiven_at=NOW)
    add(db, "actions", key="asked", state="pending")
    assert [each.key for each in _figures(db).attempts] == ["older", "new", "ahead"]


def test_maintenance_is_what_people_said_and_did_not_take_back_and_has_not_ended(
    db: sqlite3.Connection,
) -> None:
    add(db, "restraints", project="now")
    add(db, "restraints", project="until", ends_at=NOW + SECOND)
    add(db, "restraints", project="over", ends_at=NOW)
    add(db, "restraints", project="to-come", starts_at=NOW + SECOND)
    add(db, "restraints", project="lifted", lifted_at=NOW)
    add(db, "restraints", project="held", kind="hold")
    assert _figures(db).maintenance == {"now", "until"}
    add(db, "restraints", project=None)
    assert _figures(db).maintenance == {"now", "until", None}


def test_restraints_that_bind_now_are_counted_by_kind(db: sqlite3.Connection) -> None:
    add(db, "restraints", project="a")
    add(db, "restraints", project="a")
    add(db, "restraints", project="b", kind="hold", starts_at=None)
    add(db, "restraints", project="c", kind="hold", ends_at=NOW)
    add(db, "restraints", project="d", kind="hold", starts_at=NOW + SECOND)
    add(db, "restraints", project=None, kind="kill_switch", ends_at=NOW + SECOND)
    add(db, "restraints", project=None, kind="kill_switch", lifted_at=NOW)
    assert _figures(db).restraints == {"maintenance": 2, "hold": 1, "kill_switch": 1}


def test_pages_count_while_they_go_on(db: sqlite3.Connection) -> None:
    add(db, "pages", kind="fleet", incident=None, post_at=NOW)
    add(db, "pages", kind="approval", incident=None, post_at=NOW)
    add(db, "pages", kind="approval", incident=None, post_at=NOW)
    add(db, "pages", kind="approval", ended_at=NOW, incident=None, post_at=NOW)
    add(db, "pages", kind="watchdog", ended_at=NOW, incident=None)
    assert _figures(db).pages == {"fleet": 1, "approval": 2}


def test_the_head_of_the_audit_is_its_newest_row(db: sqlite3.Connection) -> None:
    sent = make.alert()
    with atomic(db):
        receive(db, make.notification(sent), make.body(sent), at=NOW)
    *_, newest = trail.stream(db)
    found = _figures(db)
    assert (found.audit_rows, found.audit_head) == (newest.id, newest.hash)


def _whole_tables(db: sqlite3.Connection, ask: str) -> list[str]:
    """Return the steps in which SQLite would answer *ask* by reading all rows of a table."""
    plan = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {ask}")]
    tables = [row["name"] for row in db.execute("SELECT name FROM sqlite_schema")]
    return [step for step in plan if step.removeprefix("SCAN ") in tables]


def _asked(db: sqlite3.Connection) -> list[str]:
    """Return all that figures and readers ask, with every table but a few rows long."""
    add(db, "incidents")
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    history.figures(db, now=NOW, window=HOUR)
    particulars(db, now=NOW, projects=["a"])
    history.events(db, after=1, limit=10)
    db.set_trace_callback(None)
    return asked


def test_no_question_reads_a_whole_table(db: sqlite3.Connection) -> None:
    found = {ask: _whole_tables(db, ask) for ask in _asked(db)}
    assert (len(found) >= 11, {ask: scans for ask, scans in found.items() if scans}) == (True, {})


def test_a_whole_table_would_be_noticed(db: sqlite3.Connection) -> None:
    assert _whole_tables(db, "SELECT * FROM actions WHERE detail = ''") == ["SCAN actions"]


def _kept(db: sqlite3.Connection) -> list[tuple[str, object]]:
    found = db.execute("SELECT at, figures FROM system_health ORDER BY id")
    return [(row["at"], json.loads(row["figures"])) for row in found]


def test_a_snapshot_is_kept_for_thirty_days(db: sqlite3.Connection) -> None:
    for day in (0, 1, 30):
        history.keep(db, {"day": day}, at=NOW + day * DAY)
    assert [figures for _, figures in _kept(db)] == [{"day": 0}, {"day": 1}, {"day": 30}]
    history.keep(db, {"day": 31}, at=NOW + 30 * DAY + SECOND)
    assert [figures for _, figures in _kept(db)] == [{"day": 1}, {"day": 30}, {"day": 31}]


def test_after_a_long_stop_old_snapshots_go_a_few_at_a_time(db: sqlite3.Connection) -> None:
    for minute in range(25):
        history.keep(db, {}, at=NOW + minute * 60 * SECOND)
    left = []
    for minute in range(3):
        history.keep(db, {}, at=NOW + 60 * DAY + minute * 60 * SECOND)
        left.append(len(_kept(db)))
    assert left == [16, 7, 3]
