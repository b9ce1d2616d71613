"""Calls and the ledger on disk: paid to the nano-dollar, and never more than may be spent."""

import asyncio
import sqlite3
from datetime import datetime
from pathlib import Path

from orchestrator.clock import written
from orchestrator.prices import PRICES, VERSION
from tests.conftest import Serve
from tests.messages import Script, failing, late, saying, stand_in
from tests.webhook import make
from tests.webhook.claude.site import HAIKU, PACK, SONNET, Book, client
from tests.webhook.make import NOW
from webhook.analyzer.call import Denied, Ended, Ledger
from webhook.analyzer.price import Usage, cost
from webhook.store import spending
from webhook.store.database import Store
from webhook.store.intake import receive
from webhook.store.spending import Limits, Spent

MANY = 20


def _analysis(db: sqlite3.Connection) -> None:
    sent = make.alert()
    receive(db, make.notification(sent), make.body(sent), at=NOW)
    db.execute(
        "INSERT INTO analyses (id, incident, project, alertname, opened_at, attempts, state,"
        " asked_at) VALUES (1, 1, 'email-blast', 'ProjectDown', ?, 0, 'queued', ?)",
        (written(NOW), written(NOW)),
    )


def _ledger(store: Store, limits: Limits, at: datetime = NOW) -> Ledger:
    async def reserve(model: str, amount: int) -> int | Denied:
        return await store(
            spending.reserve,
            analysis=1,
            model=model,
            amount=amount,
            prices=VERSION,
            limits=limits,
            critical=False,
            at=at,
        )

    async def settle(number: int, call: Ended) -> None:
        await store(spending.settle, number, call)

    return Ledger(reserve=reserve, settle=settle)


async def _most(url: str) -> int:
    """Return what is reserved for one call."""
    book = Book()
    async with client(url, models=(SONNET,)) as site:
        await site.claude.ask(PACK, book.ledger)
    return book.reserved[0][1]


async def _asked(url: str, path: Path, limits: Limits) -> tuple[int, Spent, list[sqlite3.Row]]:
    """Ask MANY at once; return how many were answered, and the ledger."""
    store = Store(path)
    await store(_analysis)
    ledger = _ledger(store, limits)
    async with client(url, models=(SONNET,)) as site:
        heard = await asyncio.gather(*(site.claude.ask(PACK, ledger) for _ in range(MANY)))
    spent = await store(spending.spent, limits, at=NOW)
    calls = await store(lambda db: db.execute("SELECT * FROM calls").fetchall())
    store.close()
    return sum(1 for each in heard if each.answer), spent, calls


async def test_twenty_incidents_at_once_do_not_overshoot_a_day(
    serve: Serve, tmp_path: Path
) -> None:
    url, script = await stand_in(serve, otherwise=late(saying(), 0.3))
    most = await _most(url)
    day = 5 * (3 * most + most // 2) // 4  # three calls and a half, and the fifth that is kept
    limits = Limits(calls_per_hour=100, day=day, month=100 * day)
    answered, spent, calls = await _asked(url, tmp_path / "webhook.db", limits)
    assert (answered, len(calls), len(script.asked) - 1, script.most_open) == (3, 3, 3, 3)
    assert spent.day <= day


async def test_twenty_incidents_at_once_make_as_many_calls_as_an_hour_may_have(
    serve: Serve, tmp_path: Path
) -> None:
    url, script = await stand_in(serve)
    limits = Limits(calls_per_hour=7, day=10**12, month=10**12)
    answered, spent, _ = await _asked(url, tmp_path / "webhook.db", limits)
    assert (answered, spent.calls, len(script.asked)) == (7, 7, 7)


def _paid(script: Script, calls: list[sqlite3.Row]) -> int:
    """Reckon what the stand-in has counted; the texts of all its answers are alike."""
    return sum(
        cost(Usage(input=asked.tokens, output=_output(calls)), PRICES[asked.model])
        for asked in script.asked
    )


def _output(calls: list[sqlite3.Row]) -> int:
    found = {row["usage"].split('"output": ')[1].split(",")[0] for row in calls}
    assert len(found) == 1
    return int(found.pop())


async def test_the_ledger_agrees_with_what_the_other_side_has_counted(
    serve: Serve, tmp_path: Path
) -> None:
    url, script = await stand_in(serve)
    limits = Limits(calls_per_hour=100, day=10**12, month=10**12)
    answered, spent, calls = await _asked(url, tmp_path / "webhook.db", limits)
    assert answered == MANY
    assert spent.day == _paid(script, calls) > 0
    assert {row["message"] for row in calls} == {f"msg_standin_{each.id}" for each in script.asked}
    assert all(0 <= row["milliseconds"] < 10_000 for row in calls)


async def test_each_attempt_is_a_row_of_the_ledger(serve: Serve, tmp_path: Path) -> None:
    url, _ = await stand_in(serve, *[failing(529, retry_after="0.01")] * 3)
    store = Store(tmp_path / "webhook.db")
    await store(_analysis)
    limits = Limits(calls_per_hour=100, day=10**12, month=10**12)
    async with client(url) as site:
        await site.claude.ask(PACK, _ledger(store, limits))
    found = await store(lambda db: db.execute("SELECT * FROM calls ORDER BY id").fetchall())
    store.close()
    assert [(row["model"], row["outcome"], row["status"], row["cost"] == 0) for row in found] == [
        *[(SONNET, "overloaded", 529, True)] * 3,
        (HAIKU, "ok", 200, False),
    ]
