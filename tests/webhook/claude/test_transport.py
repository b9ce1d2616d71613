"""What is between us and a model, over real sockets: waits, hangs, and halves."""

import asyncio
from datetime import timedelta
from time import monotonic

import pytest

from orchestrator.demo.messages.step import Play
from orchestrator.prices import PRICES
from tests.conftest import FreePort, Serve
from tests.messages import (
    dropping,
    failing,
    hanging,
    late,
    saying,
    stand_in,
    telling,
    trickling,
)
from tests.waiting import until
from tests.webhook.claude.site import HAIKU, PACK, SONNET, Book, client
from tests.webhook.make import NOW
from webhook.analyzer.call import Denied, Window
from webhook.analyzer.circuit import State
from webhook.claude.heard import Heard

HOUR = timedelta(hours=1)


async def test_a_short_wait_is_waited_for_and_the_answer_comes(serve: Serve) -> None:
    url, _ = await stand_in(serve, failing(429, retry_after="0.3"))
    book, began = Book(), monotonic()
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert heard.answer is not None
    assert book.outcomes == [(SONNET, "rate_limited"), (SONNET, "ok")]
    assert [call.retry_after for _, call in book.settled] == [0.3, None]
    assert monotonic() - began >= 0.3


async def test_a_long_wait_is_not_waited_for_and_the_model_is_left_alone_so_long(
    serve: Serve,
) -> None:
    url, _ = await stand_in(serve, failing(429, retry_after="3600"))
    book = Book()
    async with client(url) as site:
        await site.claude.warm()
        began = monotonic()
        heard = await site.claude.ask(PACK, book.ledger)
        took = monotonic() - began
        await site.claude.ask(PACK, book.ledger)
    assert took < 0.5
    assert heard.answer is not None
    assert book.outcomes == [(SONNET, "rate_limited"), (HAIKU, "ok"), (HAIKU, "ok")]
    assert site.claude.circuits.open_until(SONNET) == NOW + HOUR
    assert site.counted.fallbacks == [(SONNET, HAIKU, "rate_limited"), (SONNET, HAIKU, "circuit")]


@pytest.mark.parametrize(
    "named",
    [
        "NaN",
        *(
            pytest.param(each, marks=pytest.mark.long)
            for each in ("-5", "inf", "0", "soon", "", "Wed, 21 Oct 2015 07:28:00 GMT", "9" * 400)
        ),
    ],
)
async def test_a_wait_that_is_none_is_the_usual_one(serve: Serve, named: str) -> None:
    url, _ = await stand_in(serve, failing(429, retry_after=named))
    book, began = Book(), monotonic()
    async with client(url) as site:
        await site.claude.ask(PACK, book.ledger)
    assert book.outcomes == [(SONNET, "rate_limited"), (SONNET, "ok")]
    assert book.settled[0][1].retry_after is None
    assert monotonic() - began >= 0.375  # half a second, less the jitter


async def test_an_overloaded_model_is_tried_three_times_then_another_then_rules(
    serve: Serve,
) -> None:
    url, _ = await stand_in(serve, otherwise=failing(529, retry_after="0.01"))
    book = Book()
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
        states = site.claude.circuits.states(NOW)
    assert book.outcomes == [(SONNET, "overloaded")] * 3 + [(HAIKU, "overloaded")] * 3
    assert heard.why == f"{SONNET} is overloaded (529); {HAIKU} is overloaded (529)"
    assert states == {SONNET: State.OPEN, HAIKU: State.OPEN}
    assert site.counted.fallbacks == [(SONNET, HAIKU, "overloaded")]
    assert [call.cost for _, call in book.settled] == [0] * 6


async def test_who_is_left_alone_is_not_asked_and_then_by_one_call(serve: Serve) -> None:
    url, script = await stand_in(serve, *[failing(529, retry_after="0.01")] * 3)
    async with client(url, models=(SONNET,)) as site:
        heard = [await site.claude.ask(PACK, Book().ledger) for _ in range(2)]
        asked = len(script.asked)
        site.watch.at = NOW + timedelta(minutes=1)
        script.otherwise = late(saying(), 0.2)
        both = await asyncio.gather(*(site.claude.ask(PACK, Book().ledger) for _ in range(2)))
        assert site.claude.circuits.states(NOW) == {SONNET: State.CLOSED}
    assert heard[1] == Heard(
        why=f"{SONNET} is left alone for a while after it failed", reason="circuit"
    )
    assert asked == 3
    assert sorted(each.answer is not None for each in both) == [False, True]


async def test_a_call_that_may_not_be_made_leaves_the_way_free_for_one_that_may(
    serve: Serve,
) -> None:
    url, _ = await stand_in(serve, *[failing(529, retry_after="0.01")] * 3)
    spent = Denied(window=Window.HOUR, why="no more calls")
    async with client(url, models=(SONNET,)) as site:
        await site.claude.ask(PACK, Book().ledger)
        site.watch.at = NOW + timedelta(minutes=1)
        await site.claude.ask(PACK, Book(denials=[spent]).ledger)
        heard = await site.claude.ask(PACK, Book().ledger)
    assert heard.answer is not None


async def test_a_wait_that_outlasts_the_third_failure_is_kept_to(serve: Serve) -> None:
    plays = [failing(529, retry_after="0.01"), failing(529, retry_after="0.01")]
    url, _ = await stand_in(serve, *plays, otherwise=failing(529, retry_after="7200"))
    async with client(url, models=(SONNET,)) as site:
        await site.claude.ask(PACK, Book().ledger)
        assert site.claude.circuits.open_until(SONNET) == NOW + 2 * HOUR


@pytest.mark.parametrize("play", [hanging(), trickling(saying(), 2.0)], ids=["a hang", "a trickle"])
async def test_the_deadline_is_for_the_whole_and_what_was_reserved_is_paid(
    serve: Serve, play: Play
) -> None:
    url, script = await stand_in(serve, otherwise=play)
    book, began = Book(), monotonic()
    async with client(url, within=0.6) as site:
        await site.claude.warm()
        began = monotonic()
        heard = await site.claude.ask(PACK, book.ledger)
        took = monotonic() - began
        await until(lambda: _ended(script.open), within=5, what="all are hung up on")
    assert 0.5 < took < 1.5
    assert book.outcomes == [(SONNET, "timeout"), (HAIKU, "timeout")]
    assert [call.cost for _, call in book.settled] == [None, None]
    assert [(call.model, call.reserved) for _, call in book.settled] == book.reserved
    assert heard.why == f"{SONNET} did not answer in time; {HAIKU} did not answer in time"


async def _ended(still: set[str]) -> bool:
    return not still


async def test_who_hangs_is_given_up_while_another_can_still_answer(serve: Serve) -> None:
    url, _ = await stand_in(serve, hanging())
    book = Book()
    async with client(url, within=1.5) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert (heard.answer is not None, heard.model) == (True, HAIKU)
    assert book.outcomes == [(SONNET, "timeout"), (HAIKU, "ok")]


@pytest.mark.parametrize("at", [0, 40])
async def test_a_half_answer_is_asked_for_once_more(serve: Serve, at: int) -> None:
    url, _ = await stand_in(serve, dropping(saying(), at))
    book = Book()
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert heard.answer is not None
    assert book.outcomes == [(SONNET, "connection"), (SONNET, "ok")]
    assert book.settled[0][1].cost is None


async def test_two_half_answers_are_enough(serve: Serve) -> None:
    url, _ = await stand_in(serve, otherwise=dropping(saying()))
    book = Book()
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert heard.why == f"{SONNET} could not be reached"
    assert book.outcomes == [(SONNET, "connection")] * 2


async def test_where_nobody_listens_nothing_is_paid(free_port: FreePort) -> None:
    book = Book()
    async with client(f"http://127.0.0.1:{free_port()}") as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert (heard.answer, heard.calls) == (None, 2)
    assert [call.cost for _, call in book.settled] == [0, 0]


async def test_who_is_cut_off_hangs_up_and_has_paid_what_was_reserved(serve: Serve) -> None:
    url, script = await stand_in(serve, hanging())
    book = Book()
    async with client(url, within=30) as site:
        asking = asyncio.create_task(site.claude.ask(PACK, book.ledger))
        await until(lambda: _some(script.open), within=10, what="it is asked")
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await until(lambda: _some(script.left), within=5, what="it has hung up")
    assert book.outcomes == [(SONNET, "aborted")]
    assert book.settled[0][1].cost is None
    assert len(book.reserved) == 1


async def _some(found: set[str] | list[str]) -> bool:
    return bool(found)


async def test_fallbacks_are_priced_as_what_they_are(serve: Serve) -> None:
    usage = {"input_tokens": 12_000, "output_tokens": 3_000}
    text = telling(text="", usage=usage)
    url, _ = await stand_in(serve, hanging(), text, text)
    book = Book()
    async with client(url, within=1.5) as site:
        await site.claude.ask(PACK, book.ledger)
    assert [call.cost for _, call in book.settled] == [None, 2_700_000, 2_700_000]
    assert set(PRICES) >= {SONNET, HAIKU}
