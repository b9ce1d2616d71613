"""Calls and the ledger on disk: paid to the nano-dollar, and never more than may be spent."""

import asyncio
import json
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestrator.clock import written
from orchestrator.prices import VERSION
from tests.conftest import Serve
from tests.messages import ANSWER, failing, late, saying, stand_in, telling
from tests.webhook import make
from tests.webhook.claude.site import HAIKU, PACK, SONNET, Book, client
from tests.webhook.make import NOW
from webhook.analyzer.call import Denied, Ended, Ledger
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


# Nano-dollars for a token, as they are published: in, out, read from the cache, written to it for
# five minutes, and for an hour. A prompt of haiku's that is longer than 100,000 has others.
RATES = {
    SONNET: (2_000, 10_000, 100, 2_500, 4_000),
    HAIKU: (100, 500, 10, 125, 200),
}
LONG = (500, 2_500, 50, 625, 1_000)
TEXT = json.dumps(ANSWER)


def _reckoned(model: str, usage: dict[str, Any]) -> int:
    """Reckon what a message costs, from the usage that was sent with it and by hand."""
    written = usage["cache_creation"]
    counts = (
        usage["input_tokens"],
        usage["output_tokens"],  # what it thinks is part of that
        usage["cache_read_input_tokens"],
        written["ephemeral_5m_input_tokens"],
        written["ephemeral_1h_input_tokens"],
    )
    is_long = model == HAIKU and sum(counts) - counts[1] > 100_000
    rates = LONG if is_long else RATES[model]
    return sum(many * each for many, each in zip(counts, rates, strict=True))


def _written(short: int, long: int) -> dict[str, Any]:
    parts = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long}
    return {"cache_creation_input_tokens": short + long, "cache_creation": parts}


USAGES: list[dict[str, Any]] = [
    {},
    {"cache_read_input_tokens": 1_237},
    _written(2_001, 0),
    {**_written(11, 2_003), "cache_read_input_tokens": 7},
    {"output_tokens": 3_331, "output_tokens_details": {"thinking_tokens": 3_001}},
    {"input_tokens": 99_999, "cache_read_input_tokens": 1},
    {"input_tokens": 99_999, "cache_read_input_tokens": 2, "output_tokens": 4_096},
]


async def test_of_twenty_questions_each_costs_what_was_counted_on_the_other_side(
    serve: Serve, tmp_path: Path
) -> None:
    plays = [telling(text=TEXT, usage=USAGES[place % len(USAGES)]) for place in range(MANY)]
    url, script = await stand_in(serve, *plays)
    store = Store(tmp_path / "webhook.db")
    await store(_analysis)
    limits = Limits(calls_per_hour=100, day=10**12, month=10**12)
    ledger = _ledger(store, limits)
    for model in (SONNET, HAIKU):
        async with client(url, models=(model,)) as site:
            asking = (site.claude.ask(PACK, ledger) for _ in range(MANY // 2))
            assert all(each.answer for each in await asyncio.gather(*asking))
    spent = await store(spending.spent, limits, at=NOW)
    calls = await store(lambda db: db.execute("SELECT * FROM calls").fetchall())
    store.close()
    due = {message: _reckoned(*each) for message, each in script.usages.items()}
    assert {row["message"]: row["cost"] for row in calls} == due
    assert (len(due), spent.day) == (MANY, sum(due.values()))
    counted = {row["message"]: json.loads(row["usage"]) for row in calls}
    assert {message: each["thinking"] for message, each in counted.items()} == {
        message: usage["output_tokens_details"]["thinking_tokens"]
        for message, (_, usage) in script.usages.items()
    }


async def test_twenty_at_once_are_paid_to_the_nano_dollar_and_each_has_its_time(
    serve: Serve, tmp_path: Path
) -> None:
    url, script = await stand_in(serve, otherwise=late(saying(), 0.3))
    limits = Limits(calls_per_hour=100, day=10**12, month=10**12)
    answered, spent, calls = await _asked(url, tmp_path / "webhook.db", limits)
    assert (answered, script.most_open) == (MANY, MANY)
    assert spent.day == sum(_reckoned(*each) for each in script.usages.values()) > 0
    assert {row["message"] for row in calls} == set(script.usages)
    assert all(300 <= row["milliseconds"] < 10_000 for row in calls)


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
