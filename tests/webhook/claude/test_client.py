"""One question, as the model answers it: what is taken for an answer, and what is not."""

import asyncio
import json
from typing import Any

import pytest

from orchestrator.demo.messages.step import Play
from orchestrator.prices import PRICES
from tests.conftest import Serve
from tests.messages import ANSWER, refusing, saying, stand_in, telling
from tests.webhook.claude.site import HAIKU, PACK, SONNET, Book, client
from webhook.analyzer import price, prompt
from webhook.analyzer.call import Denied, Outcome, Window
from webhook.analyzer.price import Usage, cost
from webhook.claude.heard import Heard
from webhook.claude.question import WITHHELD, without_logs
from webhook.evidence.pack import wire

TEXT = json.dumps(ANSWER)
LONG = pytest.mark.long  # what test_reply.py and test_message.py have, too, over real sockets


async def _asked(serve: Serve, *plays: Play, book: Book | None = None) -> tuple[Heard, list[Any]]:
    """Ask once; return what was heard, and the calls as they were settled."""
    book = book or Book()
    url, _ = await stand_in(serve, *plays)
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert site.counted.calls == [call for _, call in book.settled]
    return heard, [call for _, call in book.settled]


async def test_a_whole_answer_is_heard_with_one_call_and_its_cost(serve: Serve) -> None:
    book = Book()
    url, script = await stand_in(serve, saying(confidence=0.9))
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    [asked], [(number, call)] = script.asked, book.settled
    assert heard.answer is not None
    assert (heard.answer.action, heard.answer.confidence) == ("clear_cache", 0.9)
    assert (heard.why, heard.model, heard.calls) == ("", SONNET, 1)
    assert heard.messages == (call.message,) == (f"msg_standin_{asked.id}",)
    assert call.request_id == f"req_standin_{asked.id}"
    assert call.usage is not None
    assert call.usage == Usage(input=asked.tokens, output=call.usage.output)
    assert (number, call.cost) == (1, cost(call.usage, PRICES[SONNET]))
    assert json.loads(heard.reply)["id"] == call.message


async def test_what_goes_over_the_wire_is_what_is_recorded(serve: Serve) -> None:
    url, script = await stand_in(serve)
    async with client(url) as site:
        heard = await site.claude.ask(PACK, Book().ledger)
    [asked] = script.asked
    assert json.loads(asked.raw) == json.loads(heard.request)
    assert asked.text == wire(PACK)
    assert heard.pack == PACK
    assert asked.system == prompt.SYSTEM


async def test_what_is_reserved_is_never_less_than_what_is_paid(serve: Serve) -> None:
    book = Book()
    url, _ = await stand_in(serve)
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    [(model, amount)], [(_, call)] = book.reserved, book.settled
    assert (model, amount) == (SONNET, price.reserve(len(heard.request), 4_096, PRICES[SONNET]))
    assert call.cost is not None
    assert call.cost < amount


@pytest.mark.parametrize(
    ("usage", "nano"),
    [
        ({"input_tokens": 12_000, "output_tokens": 3_000}, 54_000_000),
        ({"input_tokens": 10, "cache_read_input_tokens": 1_000, "output_tokens": 1}, 130_000),
        ({"input_tokens": -1}, None),
    ],
)
async def test_what_is_paid_is_reckoned_from_the_usage_that_is_told(
    serve: Serve, usage: dict[str, Any], nano: int | None
) -> None:
    whole = {"input_tokens": None, "cache_creation": None, **usage}
    heard, [call] = await _asked(serve, telling(text=TEXT, usage=whole))
    assert (heard.answer is not None, call.cost) == (True, nano)


@pytest.mark.parametrize(
    "bad",
    [
        "1.7",
        *(pytest.param(each, marks=LONG) for each in ("-0.1", "NaN", "1e400", '"0.9"', "true")),
    ],
)
async def test_a_confidence_that_is_none_is_no_answer_and_is_paid_for(
    serve: Serve, bad: str
) -> None:
    play = telling(text=TEXT.replace('"confidence": 0.9', f'"confidence": {bad}'))
    heard, calls = await _asked(serve, play, play)
    assert heard.answer is None
    assert heard.why.startswith(f"{SONNET} gave an answer that is none (")
    assert [call.outcome for call in calls] == [Outcome.MALFORMED] * 2
    assert all(call.cost for call in calls)


@pytest.mark.parametrize(
    "play",
    [
        saying(action="drop_table"),
        telling(blocks=[{"type": "text", "text": "Well:"}, {"type": "text", "text": TEXT}]),
        *(
            pytest.param(each, marks=LONG)
            for each in (
                saying(cmd="reboot"),
                telling(text="{}"),
                telling(text=f"Here it is: {TEXT}"),
                telling(text=TEXT[:-1] + ',"confidence":1}'),
                telling(text="[" * 100_000),
                telling(text="x" * 30_000),
                telling(blocks=[{"type": "text", "text": TEXT}] * 2),
                telling(blocks=[{"type": "thinking", "thinking": TEXT, "signature": "x"}]),
                telling(blocks=[{"type": "text", "text": 7}]),
                telling(blocks=[]),
            )
        ),
    ],
)
async def test_what_is_no_answer_is_asked_for_once_more_and_then_no_more(
    serve: Serve, play: Play
) -> None:
    heard, calls = await _asked(serve, play, play)
    assert (heard.answer, heard.calls) == (None, 2)
    assert [call.outcome for call in calls] == [Outcome.MALFORMED] * 2


async def test_the_second_answer_counts_where_the_first_was_none(serve: Serve) -> None:
    heard, calls = await _asked(serve, telling(text="well"), saying())
    assert heard.answer is not None
    assert [call.outcome for call in calls] == [Outcome.MALFORMED, Outcome.OK]
    assert heard.messages == tuple(call.message for call in calls)


@pytest.mark.parametrize(
    "other",
    [
        {"type": "thinking", "thinking": "The cache, then.", "signature": "x"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "hologram", "text": "restart_service"},
    ],
)
async def test_blocks_of_other_kinds_beside_the_text_are_left_out(
    serve: Serve, other: dict[str, Any]
) -> None:
    blocks = [other, {"type": "text", "text": TEXT}, other]
    heard, [call] = await _asked(serve, telling(blocks=blocks))
    assert (heard.answer is not None, call.outcome) == (True, Outcome.OK)


@pytest.mark.parametrize(
    ("stop", "outcome"),
    [
        ("max_tokens", Outcome.TRUNCATED),
        ("pause_turn", Outcome.UNEXPECTED_STOP),
        *(
            pytest.param(each, Outcome.UNEXPECTED_STOP, marks=LONG)
            for each in ("tool_use", "tired", "end_turn ", "", "model_context_window_exceeded")
        ),
    ],
)
async def test_an_answer_that_looks_whole_is_not_used_unless_it_was_ended(
    serve: Serve, stop: str, outcome: Outcome
) -> None:
    heard, [call] = await _asked(serve, telling(text=TEXT, stop_reason=stop))
    assert (heard.answer, call.outcome, call.stop_reason) == (None, outcome, stop.strip())
    assert call.cost


@pytest.mark.parametrize("text", [None, TEXT])
@pytest.mark.parametrize(
    ("category", "kept"), [("bio", "bio"), (None, "other"), ("</x> made up", "other")]
)
async def test_a_refusal_is_kept_with_its_category_and_not_argued_with(
    serve: Serve, text: str | None, category: str | None, kept: str
) -> None:
    heard, [call] = await _asked(serve, refusing(category, text=text))
    assert (heard.answer, call.outcome, call.refusal) == (None, Outcome.REFUSAL, kept)
    assert heard.why == f"{SONNET} refused to answer ({kept})"
    assert call.cost


async def test_who_refuses_for_attacks_in_the_log_is_asked_once_more_without_it(
    serve: Serve,
) -> None:
    book = Book()
    url, script = await stand_in(serve, refusing("cyber"), saying())
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert heard.answer is not None
    assert [asked.text for asked in script.asked] == [wire(PACK), wire(without_logs(PACK))]
    assert "GET <path>".replace("<", "\\u003c")[:9] not in script.asked[1].text
    assert WITHHELD in script.asked[1].text
    assert heard.pack == without_logs(PACK)  # what the record has to hold
    assert [call.refusal for _, call in book.settled] == ["cyber", ""]


async def test_who_refuses_without_the_log_too_is_left_in_peace(serve: Serve) -> None:
    heard, calls = await _asked(serve, refusing("cyber"), refusing("cyber"))
    assert (heard.answer, len(calls)) == (None, 2)


async def test_who_refuses_and_was_shown_no_log_is_left_in_peace(serve: Serve) -> None:
    url, script = await stand_in(serve, refusing("cyber"))
    async with client(url) as site:
        heard = await site.claude.ask(without_logs(PACK), Book().ledger)
    assert (heard.answer, len(script.asked)) == (None, 1)


FULL = Denied(window=Window.HOUR, why="30 calls within the last hour, and no more are allowed")
POOR = Denied(window=Window.DAY, why="today all is spent")


async def test_where_no_call_may_be_made_none_is_made(serve: Serve) -> None:
    book = Book(denials=[FULL])
    url, script = await stand_in(serve)
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    why = f"{SONNET} was not asked: {FULL.why}"
    assert heard == Heard(why=why, reason="hour")
    assert (script.asked, book.reserved, site.counted.denials) == ([], [], [FULL])


async def test_where_there_is_no_money_for_one_model_the_cheaper_one_is_asked(serve: Serve) -> None:
    book = Book(denials=[POOR])
    url, script = await stand_in(serve)
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert (heard.answer is not None, script.models) == (True, [HAIKU])
    assert site.counted.fallbacks == [(SONNET, HAIKU, "day")]


async def test_a_model_that_nobody_knows_the_price_of_is_not_taken_to_be_free(
    serve: Serve,
) -> None:
    url, script = await stand_in(serve)
    book = Book()
    async with client(url, prices={HAIKU: PRICES[HAIKU]}) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert (heard.answer is not None, script.models) == (True, [HAIKU])
    assert site.counted.fallbacks == [(SONNET, HAIKU, "no_price")]


async def test_where_nobody_may_be_asked_people_are_told_of_each_why(serve: Serve) -> None:
    url, _ = await stand_in(serve)
    async with client(url, prices={HAIKU: PRICES[HAIKU]}) as site:
        heard = await site.claude.ask(PACK, Book(denials=[POOR]).ledger)
    assert heard == Heard(
        why=f"{SONNET} was not asked: nobody knows its price;"
        f" {HAIKU} was not asked: today all is spent",
        reason="day",
    )


async def test_where_there_is_money_for_one_call_no_second_is_made(serve: Serve) -> None:
    book = Book(denials=[None, FULL])
    url, script = await stand_in(serve, telling(text="well"))
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert (heard.answer, len(script.asked)) == (None, 1)


async def test_twenty_questions_at_once_are_asked_at_once(serve: Serve) -> None:
    url, script = await stand_in(serve)
    book = Book()
    async with client(url) as site:
        heard = await asyncio.gather(*(site.claude.ask(PACK, book.ledger) for _ in range(20)))
    assert all(each.answer for each in heard)
    assert (len(script.asked), len(book.settled)) == (20, 20)
