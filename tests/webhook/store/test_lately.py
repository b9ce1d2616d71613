"""What was done last: the newest of each, at a cost that does not grow with what was before."""

import re
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.webhook.make import NOW, SECOND
from tests.webhook.store.fill import add
from webhook.store import lately
from webhook.store.database import connect
from webhook.store.lately import BEGUN, ENDS, MOST

DAY = timedelta(days=1)
RESTART = ("a", "restart_service")


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    add(connection, "incidents")
    yield connection
    connection.close()


def _add(db: sqlite3.Connection, state: str, ago: float, **changed: object) -> None:
    """Add an action that was begun so many seconds ago, and took half a second."""
    [number] = db.execute("SELECT count(*) FROM actions").fetchone()
    at = NOW - ago * SECOND
    begun = {} if state in {"rejected", "expired", "cancelled", "shadowed"} else {"executed_at": at}
    over = {} if state in {"executing", "unknown"} else {"finished_at": at + SECOND / 2}
    add(db, "actions", key=f"key-{number}", state=state, **{**begun, **over, **changed})


PROJECTS = frozenset({"a", "b", *(f"p{number:04}" for number in range(MOST + 2))})


def _lately(db: sqlite3.Connection) -> lately.Lately:
    return lately.lately(db, since=NOW - DAY, projects=PROJECTS)


def test_where_nothing_was_done_there_is_nothing_to_tell(db: sqlite3.Connection) -> None:
    assert _lately(db) == {}


def test_of_each_result_the_newest_is_told(db: sqlite3.Connection) -> None:
    for state, ago in (("failed", 9), ("completed", 8), ("failed", 7), ("completed", 6)):
        _add(db, state, ago)
    assert _lately(db) == {
        (*RESTART, "begun"): NOW - 6 * SECOND,
        (*RESTART, "proven"): NOW - 5.5 * SECOND,
        (*RESTART, "failed"): NOW - 6.5 * SECOND,
    }


@pytest.mark.parametrize("state", ["executing", "unknown"])
def test_what_has_not_ended_was_begun(db: sqlite3.Connection, state: str) -> None:
    _add(db, "failed", 9)
    _add(db, state, 5)
    assert _lately(db) == {
        (*RESTART, "begun"): NOW - 5 * SECOND,
        (*RESTART, "failed"): NOW - 8.5 * SECOND,
    }


@pytest.mark.parametrize("state", ["rejected", "expired", "cancelled", "shadowed"])
def test_what_was_not_done_was_not_begun(db: sqlite3.Connection, state: str) -> None:
    for ago in (9, 5, 7):
        _add(db, state, ago)
    assert _lately(db) == {(*RESTART, state): NOW - 4.5 * SECOND}


def test_projects_and_actions_are_told_apart(db: sqlite3.Connection) -> None:
    for project in ("a", "b"):
        for name in ("clear_cache", "restart_service"):
            _add(db, "unknown", 1, project=project, name=name)
    assert _lately(db) == dict.fromkeys(
        [
            (project, name, "begun")
            for project in ("a", "b")
            for name in ("clear_cache", "restart_service")
        ],
        NOW - SECOND,
    )


def test_what_only_waits_is_not_told_of(db: sqlite3.Connection) -> None:
    add(db, "actions", key="waits", state="pending")
    assert _lately(db) == {}


def test_what_is_long_ago_is_not_told_of(db: sqlite3.Connection) -> None:
    _add(db, "completed", DAY / SECOND + 1)
    _add(db, "failed", DAY / SECOND)
    assert _lately(db) == {(*RESTART, "failed"): NOW - DAY + SECOND / 2}


def test_of_very_many_the_newest_are_told(db: sqlite3.Connection) -> None:
    for number in range(MOST + 2):
        _add(db, "expired", number, project=f"p{number:04}")
    told = [project for project, _, _ in _lately(db)]
    assert told == [f"p{number:04}" for number in range(MOST)]


def test_every_result_that_there_is_is_explained() -> None:
    page = (Path(__file__).parents[3] / "docs/webhook-metrics.md").read_text(encoding="utf-8")
    table = page.partition("### What was done last")[2].partition("### ")[0]
    words = [re.findall(r"`(\w+)`", row) for row in re.findall(r"(?m)^\| (`.+?) \|", table)]
    assert sorted(word for row in words for word in row) == sorted([BEGUN, *ENDS.values()])


def test_each_look_at_the_actions_is_one_at_the_end_of_an_index(db: sqlite3.Connection) -> None:
    plan = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {lately._NEWEST}")]
    looks = {step for step in plan if "actions" in step}
    assert {re.sub(r" (INDEX) \w+", r" \1", step) for step in looks} == {
        "SEARCH actions USING COVERING INDEX",
        "SEARCH actions USING COVERING INDEX (project>?)",
        "SEARCH actions USING COVERING INDEX (project=?)",
        "SEARCH actions USING COVERING INDEX (project=? AND name>?)",
        "SEARCH actions USING COVERING INDEX (project=? AND name=?)",
        "SEARCH actions USING COVERING INDEX (project=? AND name=? AND state>?)",
        "SEARCH actions USING COVERING INDEX (project=? AND name=? AND state=?)",
    }


def _work(db: sqlite3.Connection) -> int:
    """Return how many thousand instructions of SQLite it takes to tell."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    db.set_progress_handler(step, 1_000)
    _lately(db)
    db.set_progress_handler(None, 0)
    return steps


def test_it_takes_no_longer_after_ten_thousand_actions(db: sqlite3.Connection) -> None:
    def fill(many: int) -> None:
        for _ in range(many):
            _add(db, "completed", 1)

    fill(10)
    before = _work(db)
    fill(10_000)
    assert _work(db) <= before + 1
