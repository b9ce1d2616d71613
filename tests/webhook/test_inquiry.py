"""The inquiry: each question by whoever is to be asked then, on what came before, within limits."""

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.messages import Script, late, saying, stand_in
from tests.waiting import until
from tests.webhook.claude.site import HAIKU, SONNET
from tests.webhook.hearing import analysis, answer
from tests.webhook.make import NOW
from tests.webhook.office import opened, settings
from tests.webhook.store.fill import HOUR, add
from webhook.analyzer.confidence import BLANK, DECAY, ENOUGH, Record, Tally
from webhook.inquiry import limits
from webhook.matter import Precedent
from webhook.store.spending import Limits

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
LATER = NOW + HOUR
KEY, OTHER = "sk-made-up-for-this-1", "sk-made-up-for-this-2"


def _past(db: sqlite3.Connection) -> None:
    """Let 100 answers at 0.9 be right by four of five; the action failed once, and was refused."""
    add(db, "incidents", project="email-blast")
    ends = {"completed": "good", "failed": "bad"}
    for place, (state, key) in enumerate(ends.items(), 1):
        times = {"executed_at": NOW - SECOND, "finished_at": NOW + place * MINUTE}
        add(db, "actions", key=key, state=state, project="email-blast", **times)
    for number in range(ENOUGH):
        key = "bad" if number % 5 == 0 else "good"
        add(db, "analyses", key=key, project="email-blast", decision="human")
    add(db, "analyses", key="bad", project="email-blast")  # by itself; another prompt's
    db.execute("UPDATE analyses SET prompt = '2' WHERE decision = 'auto'")
    add(db, "actions", key="no", state="rejected", project="email-blast")
    said = {"decision": "rejected", "decided_by": "bob", "decided_at": NOW}
    add(db, "approvals", action="no", project="email-blast", **said)


async def test_an_answer_is_weighed_by_all_that_came_before(tmp_path: Path) -> None:
    async with opened(tmp_path) as office:
        await office.store(_past)
        found = await office.inquiry.precedent(analysis(), LATER - 2 * SECOND)
        other = analysis(answer=answer(action="clear_cache", confidence=0.4))
        new = await office.inquiry.precedent(other, LATER + 25 * HOUR)
    assert found == Precedent(
        record=Record(
            here=Tally(good=DECAY, bad=1.0), elsewhere=Tally(good=DECAY, bad=1.0), good=1, bad=1
        ),
        calibrated=0.8,
        lately=(1, 1),
        rejected="bob rejected it at 2026-11-21T12:00Z",
    )
    assert (new.record, new.lately, new.rejected) == (BLANK, (0, 0), None)


async def test_what_people_refused_yesterday_is_forgotten(tmp_path: Path) -> None:
    async with opened(tmp_path) as office:
        await office.store(_past)
        told = [
            (await office.inquiry.precedent(analysis(), NOW + 24 * HOUR + shift)).rejected
            for shift in (-SECOND, SECOND)
        ]
    assert told == ["bob rejected it at 2026-11-21T12:00Z", None]


async def test_where_the_past_cannot_be_read_an_answer_counts_for_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as office:
        await office.store(lambda db: db.execute("ALTER TABLE approvals RENAME TO elsewhere"))
        found = await office.inquiry.precedent(analysis(), NOW)
    assert found == Precedent(record=BLANK, calibrated=0.0, lately=(0, 0))


def test_the_limits_are_those_of_the_settings_to_the_nano_dollar() -> None:
    made = settings(daily_budget_usd=8.2, monthly_budget_usd=1e-9, calls_per_hour=7).analyzer
    assert limits(made) == Limits(calls_per_hour=7, day=8_200_000_000, month=1)


@pytest.mark.parametrize(
    ("given", "window"),
    [
        ({"daily_budget_usd": 0.0001}, "day"),
        pytest.param({"monthly_budget_usd": 0.0001}, "month", marks=pytest.mark.long),
        pytest.param({"calls_per_hour": 0}, "hour", marks=pytest.mark.long),
    ],
)
async def test_what_may_not_be_spent_is_not_asked_for_and_rules_answer(
    serve: Serve, tmp_path: Path, given: dict[str, float], window: str
) -> None:
    url, script = await stand_in(serve)
    async with opened(tmp_path, key=KEY, url=url, fallback_model=None, **given) as office:
        await office.put()
        [row] = await office.answered(1)
        calls = await office.rows("SELECT * FROM calls")
        fallen = {"from": "claude", "to": "rules", "reason": window}
        assert office.metric("analyzer_fallbacks_total", **fallen) == 1
        assert office.metric("claude_budget_denied_total", reason=window) == 1
    assert (row["analyzer"], calls, script.asked) == ("rules", [], [])


async def test_what_is_critical_is_asked_about_from_what_is_kept_for_it(
    serve: Serve, tmp_path: Path
) -> None:
    url, script = await stand_in(serve)
    async with opened(tmp_path, key=KEY, url=url, fallback_model=None) as office:
        await office.put("ProjectSlow")
        await office.answered(1)
        [call] = await office.rows("SELECT reserved, cost FROM calls")
        just = (call["cost"] + call["reserved"] * 1.1) / 1e9  # a fifth of it is more than the rest
        tight = {"daily_budget_usd": just, "key": KEY, "url": url, "fallback_model": None}
        office.config = settings(**tight)
        await office.put("ProjectDegraded")
        await office.put("ProjectDown", severity="critical")
        rows = await office.answered(3)
    assert [row["analyzer"] for row in rows] == ["claude", "rules", "claude"]
    assert len(script.asked) == 2


async def _open(script: Script) -> bool:
    return bool(script.open)


async def test_a_reload_leaves_a_question_with_whom_it_was_put_to_and_puts_the_next_to_the_new_one(
    serve: Serve, tmp_path: Path
) -> None:
    first, old = await stand_in(serve, otherwise=late(saying(), 0.5), key=KEY)
    second, new = await stand_in(serve, key=OTHER)
    async with opened(tmp_path, key=KEY, url=first) as office:
        await office.put("ProjectDown")
        await until(lambda: _open(old), within=30, what="a question")
        office.config = settings(key=OTHER, url=second, model=HAIKU, fallback_model=None)
        await office.put("ProjectSlow")
        rows = await office.answered(2)
        calls = await office.rows("SELECT analysis, model, outcome, message FROM calls ORDER BY id")
    told = [(row["id"], row["analyzer"], row["model"]) for row in rows]
    assert told == [(1, "claude", SONNET), (2, "claude", HAIKU)]
    assert [tuple(each) for each in calls] == [
        (1, SONNET, "ok", f"msg_standin_{old.asked[0].id}"),
        (2, HAIKU, "ok", f"msg_standin_{new.asked[0].id}"),
    ]
    assert (old.models, new.models, old.left) == ([SONNET], [HAIKU], [])


@pytest.mark.long
async def test_after_the_key_is_taken_away_nobody_is_asked_and_nothing_is_charged(
    serve: Serve, tmp_path: Path
) -> None:
    url, script = await stand_in(serve, otherwise=late(saying(), 1.0))
    async with opened(tmp_path, key=KEY, url=url) as office:
        await office.put("ProjectDown")
        await until(lambda: _open(script), within=30, what="a question")
        office.config = settings(url=url)
        await office.put("ProjectSlow")
        rows = await office.answered(2)
        calls = await office.rows("SELECT * FROM calls")
    assert [row["analyzer"] for row in rows] == ["claude", "rules"]
    assert (len(calls), len(script.asked)) == (1, 1)


async def test_how_long_an_answer_took_is_in_the_row_and_in_the_metrics(
    serve: Serve, tmp_path: Path
) -> None:
    url, _ = await stand_in(serve, otherwise=late(saying(), 0.3))
    async with opened(tmp_path, key=KEY, url=url) as office:
        await office.put()
        await office.answered(1)
        [row] = await office.rows("SELECT milliseconds FROM calls")
        of = {"model": SONNET, "outcome": "ok"}
        seconds = office.metric("claude_request_duration_seconds_sum", **of)
        buckets = [
            office.metric("claude_request_duration_seconds_bucket", le=le, **of)
            for le in ("0.5", "1.0")
        ]
    assert seconds is not None
    assert 300 <= row["milliseconds"] < 800
    assert 0.3 <= seconds < 0.8
    assert buckets[1] == 1


async def test_what_is_left_of_a_budget_is_shown_once_something_is_spent(
    serve: Serve, tmp_path: Path
) -> None:
    url, _ = await stand_in(serve)
    async with opened(tmp_path, key=KEY, url=url, daily_budget_usd=2.0) as office:
        await office.put()
        await office.answered(1)
        [row] = await office.rows("SELECT cost FROM calls")
        showing = asyncio.create_task(office.inquiry.show())

        async def shown() -> bool:
            left = office.metric("claude_budget_remaining_usd", window="day")
            return left == pytest.approx(2.0 - row["cost"] / 1e9, abs=1e-12) and row["cost"] > 0

        await until(shown, within=10, what="what is left")
        showing.cancel()
        used = office.metric("webhook_analyzer_budget_used_ratio", budget="daily")
    assert used == pytest.approx(row["cost"] / 2e9)
