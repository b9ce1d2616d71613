"""The ledger: what is spent counts, a budget is never overshot, and a restart frees nothing."""

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator import clock
from orchestrator.prices import NANO
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook.analyzer.call import Denied, Ended, Outcome, Window
from webhook.analyzer.price import Usage
from webhook.store.database import Store, connect
from webhook.store.intake import receive
from webhook.store.spending import Limits, reserve, settle, spent

HOUR = timedelta(hours=1)
LIMITS = Limits(calls_per_hour=30, day=NANO, month=10 * NANO)
CENT = NANO // 100
CALL = Ended(
    model="claude-sonnet-5-5",
    outcome=Outcome.OK,
    cost=CENT,
    seconds=1.5,
    status=200,
    message="msg_1",
    request_id="req_1",
    stop_reason="end_turn",
    usage=Usage(input=3, output=4),
)


def _analysis(db: sqlite3.Connection) -> None:
    """Add analysis 1 of incident 1, which calls belong to."""
    sent = make.alert()
    receive(db, make.notification(sent), make.body(sent), at=NOW)
    db.execute(
        "INSERT INTO analyses (id, incident, project, alertname, opened_at, attempts, state,"
        " asked_at) VALUES (1, 1, 'email-blast', 'ProjectDown', ?, 0, 'queued', ?)",
        (clock.written(NOW), clock.written(NOW)),
    )


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    _analysis(connection)
    yield connection
    connection.close()


def _reserve(
    db: sqlite3.Connection,
    amount: int = CENT,
    *,
    at: datetime = NOW,
    critical: bool = False,
    limits: Limits = LIMITS,
) -> int | Denied:
    return reserve(
        db,
        analysis=1,
        model="claude-sonnet-5-5",
        amount=amount,
        prices="2026-11-22",
        limits=limits,
        critical=critical,
        at=at,
    )


def _window(found: int | Denied) -> Window | None:
    return found.window if isinstance(found, Denied) else None


def _figures(db: sqlite3.Connection, at: datetime = NOW) -> tuple[int, int, int]:
    found = spent(db, LIMITS, at=at)
    return found.calls, found.day, found.month


def test_what_is_reserved_counts_before_it_is_settled(db: sqlite3.Connection) -> None:
    assert _reserve(db, 7) == 1
    assert _figures(db) == (1, 7, 7)


@pytest.mark.parametrize(("cost", "counts"), [(CENT, CENT), (0, 0), (9 * CENT, 9 * CENT)])
def test_what_is_settled_counts_as_what_it_did_cost(
    db: sqlite3.Connection, cost: int, counts: int
) -> None:
    assert _reserve(db, 5 * CENT) == 1
    assert settle(db, 1, replace(CALL, cost=cost))
    assert _figures(db) == (1, counts, counts)


def test_a_call_whose_cost_nobody_knows_counts_as_reserved_for_ever(db: sqlite3.Connection) -> None:
    assert _reserve(db, 5 * CENT) == 1
    assert settle(db, 1, Ended(model="m", outcome=Outcome.TIMEOUT, cost=None, seconds=45))
    assert _figures(db) == (1, 5 * CENT, 5 * CENT)


def test_all_that_is_known_of_a_call_is_kept(db: sqlite3.Connection) -> None:
    _reserve(db, 5 * CENT)
    settle(db, 1, replace(CALL, retry_after=0.5, refusal="cyber"))
    [row] = db.execute("SELECT * FROM calls").fetchall()
    usage = (
        '{"input": 3, "cache_read": 0, "write_5m": 0, "write_1h": 0, "output": 4, "thinking": 0}'
    )
    assert dict(row) == {
        "id": 1,
        "analysis": 1,
        "at": clock.written(NOW),
        "model": "claude-sonnet-5-5",
        "reserved": 5 * CENT,
        "cost": CENT,
        "prices": "2026-11-22",
        "outcome": "ok",
        "status": 200,
        "retry_after": 0.5,
        "milliseconds": 1_500,
        "message": "msg_1",
        "request_id": "req_1",
        "stop_reason": "end_turn",
        "refusal": "cyber",
        "usage": usage,
    }


def test_a_call_is_settled_once(db: sqlite3.Connection) -> None:
    _reserve(db)
    settled = [settle(db, each, CALL) for each in (1, 1, 9)]
    assert settled == [True, False, False]
    settle(db, 1, replace(CALL, cost=0))
    assert _figures(db)[1] == CENT


def test_the_thirty_first_call_within_an_hour_is_not_made(db: sqlite3.Connection) -> None:
    found = [_reserve(db, 1, at=NOW + each * SECOND) for each in range(31)]
    assert [_window(each) for each in found] == [None] * 30 + [Window.HOUR]
    assert found[-1] == Denied(
        window=Window.HOUR, why="30 calls within the last hour, and no more are allowed"
    )


def test_a_call_of_an_hour_ago_makes_room_for_another(db: sqlite3.Connection) -> None:
    for each in range(30):
        _reserve(db, 1, at=NOW + each * SECOND)
    times = (NOW + HOUR - SECOND, NOW + HOUR)
    assert [_window(_reserve(db, 1, at=at)) for at in times] == [Window.HOUR, None]


def test_failed_calls_are_calls(db: sqlite3.Connection) -> None:
    _reserve(db)
    settle(db, 1, Ended(model="m", outcome=Outcome.OVERLOADED, cost=0, seconds=0.1, status=529))
    assert _figures(db) == (1, 0, 0)


@pytest.mark.parametrize(
    ("critical", "amount", "denied"),
    [
        (False, NANO * 8 // 10, None),
        (False, NANO * 8 // 10 + 1, Window.DAY),
        (True, NANO, None),
        (True, NANO + 1, Window.DAY),
    ],
)
def test_the_last_fifth_is_kept_for_what_is_critical(
    db: sqlite3.Connection, *, critical: bool, amount: int, denied: Window | None
) -> None:
    assert _window(_reserve(db, amount, critical=critical)) == denied


def test_who_is_denied_is_told_the_figures(db: sqlite3.Connection) -> None:
    _reserve(db, 75 * CENT)
    assert [_reserve(db, 6 * CENT, critical=each) for each in (False, True)] == [
        Denied(
            window=Window.DAY,
            why="a call may cost $0.0600, and today $0.7500 of $1.0000 are spent,"
            " of which $0.2000 are for what is critical",
        ),
        2,
    ]


def test_what_is_denied_is_not_reserved(db: sqlite3.Connection) -> None:
    _reserve(db, 2 * NANO)
    assert _figures(db) == (0, 0, 0)


def test_a_budget_of_nothing_lets_nothing_through(db: sqlite3.Connection) -> None:
    limits = [replace(LIMITS, **{each: 0}) for each in ("calls_per_hour", "day", "month")]
    found = [_window(_reserve(db, 1, critical=True, limits=each)) for each in limits]
    assert found == [Window.HOUR, Window.DAY, Window.MONTH]


def _day(day: int, hour: int, minute: int = 0) -> datetime:
    return NOW.replace(day=day, hour=hour, minute=minute)


def test_midnight_in_utc_frees_the_day_and_not_the_month(db: sqlite3.Connection) -> None:
    _reserve(db, 80 * CENT, at=_day(21, 23, 59))
    assert _window(_reserve(db, CENT, at=_day(21, 23, 59))) is Window.DAY
    assert _reserve(db, CENT, at=_day(22, 0)) == 2
    assert _figures(db, _day(22, 0)) == (2, CENT, 81 * CENT)


def test_the_day_is_that_of_utc_wherever_the_clock_is_read(db: sqlite3.Connection) -> None:
    _reserve(db, 80 * CENT, at=_day(21, 20))
    local = datetime.fromisoformat("2026-11-22T01:59:30+02:00")
    assert _window(_reserve(db, CENT, at=local)) is Window.DAY


def test_the_first_of_a_month_frees_the_month(db: sqlite3.Connection) -> None:
    limits = replace(LIMITS, day=100 * NANO)
    _reserve(db, 8 * NANO, at=_day(30, 23), limits=limits)
    first = datetime.fromisoformat("2026-12-01T00:00:00Z")
    found = [_window(_reserve(db, CENT, at=at, limits=limits)) for at in (_day(30, 23, 59), first)]
    assert found == [Window.MONTH, None]


def test_an_hour_goes_on_over_the_first_of_a_month(db: sqlite3.Connection) -> None:
    _reserve(db, CENT, at=_day(30, 23, 59))
    first = datetime.fromisoformat("2026-12-01T00:30:00Z")
    assert _figures(db, first) == (1, 0, 0)


def test_a_clock_that_was_set_back_frees_nothing(db: sqlite3.Connection) -> None:
    _reserve(db, 80 * CENT, at=NOW)
    assert _figures(db, NOW - timedelta(days=2)) == (1, 80 * CENT, 80 * CENT)


def test_what_is_left_is_what_was_not_reserved_and_never_less_than_nothing(
    db: sqlite3.Connection,
) -> None:
    _reserve(db, 40 * CENT)
    settle(db, 1, replace(CALL, cost=3 * NANO))
    assert spent(db, LIMITS, at=NOW).left == Limits(calls_per_hour=29, day=0, month=7 * NANO)


def test_a_restart_frees_nothing(tmp_path: Path) -> None:
    for expected in (1, 2):
        db = connect(tmp_path / "webhook.db")
        if expected == 1:
            _analysis(db)
        assert _reserve(db, 30 * CENT) == expected
        db.close()
    db = connect(tmp_path / "webhook.db")
    assert _window(_reserve(db, 30 * CENT)) is Window.DAY
    db.close()


async def test_twenty_at_once_do_not_overshoot(tmp_path: Path) -> None:
    store = Store(tmp_path / "webhook.db")
    await store(_analysis)
    found = await asyncio.gather(*(store(_reserve, 7 * CENT) for _ in range(20)))
    made = [each for each in found if not isinstance(each, Denied)]
    total = await store(spent, LIMITS, at=NOW)
    store.close()
    assert (len(made), total.day) == (11, 77 * CENT)


def test_the_ledger_is_read_by_its_index(db: sqlite3.Connection) -> None:
    seen: list[str] = []
    db.set_trace_callback(seen.append)
    spent(db, LIMITS, at=NOW)
    db.set_trace_callback(None)
    plan: list[Any] = db.execute(f"EXPLAIN QUERY PLAN {seen[-1]}").fetchall()
    assert [row["detail"] for row in plan] == ["SEARCH calls USING INDEX calls_by_time (at>?)"]
