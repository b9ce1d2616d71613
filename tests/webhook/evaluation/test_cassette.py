"""A cassette: what was recorded is played, for the same request and for no other."""

import pytest

from tests.webhook.evaluation.make import answer, scenario
from webhook.analyzer import answer as kept
from webhook.evaluation import cassette, run, trial
from webhook.evaluation.cassette import BadCassette, Reply
from webhook.evaluation.run import NotRecorded

MODEL = "claude-sonnet-5-5"


def _request(model: str = MODEL, effort: str = "medium") -> str:
    return run.request(trial.pack(scenario()), model=model, effort=effort)


def _reply(text: str, request: str | None = None) -> Reply:
    return Reply(request=request or _request(), model=MODEL, text=text, cost=7, by="a stand-in")


def test_what_is_written_reads_back_in_its_order() -> None:
    replies = [_reply("a"), _reply("b"), _reply("c", "0" * 64)]
    assert cassette.read(cassette.written(replies)) == {
        _request(): (replies[0], replies[1]),
        "0" * 64: (replies[2],),
    }


def test_a_request_has_the_same_digest_wherever_it_is_made() -> None:
    assert _request() == _request()


def test_another_model_or_effort_or_evidence_is_another_request() -> None:
    other = run.request(trial.pack(scenario(memory=0.9)), model=MODEL, effort="medium")
    made = {_request(), _request("claude-haiku-5-5"), _request(effort="high"), other}
    assert len(made) == 4


@pytest.mark.parametrize(
    "line", ["{", "[1]", "{}", '{"request": "a"}', '{"request":"a","request":"b"}', "NaN"]
)
def test_a_line_that_is_no_reply_is_named(line: str) -> None:
    whole = next(cassette.written([_reply("a")]))
    with pytest.raises(BadCassette, match="line 2"):
        cassette.read([whole, line])


async def test_each_turn_plays_the_next_reply() -> None:
    first, second = answer(), answer("restart_service")
    tape = cassette.read(cassette.written([_reply(kept.dump(first)), _reply(kept.dump(second))]))
    ask = run.recorded(tape, model=MODEL, effort="medium")
    trials = await run.with_model([scenario()], ask, model=MODEL, repeat=3)
    assert [each.answer for each in trials] == [first, second, first]


async def test_a_reply_that_is_no_answer_is_told_and_has_its_cost() -> None:
    tape = cassette.read(cassette.written([_reply("restart it!")]))
    ask = run.recorded(tape, model=MODEL, effort="medium")
    (made,) = await run.with_model([scenario()], ask, model=MODEL)
    assert (made.answer, made.cost, made.why) == (None, 7, "no JSON: JSONDecodeError")


async def test_what_was_never_recorded_is_not_made_up() -> None:
    with pytest.raises(NotRecorded, match="record it with --live"):
        await run.with_model([scenario()], run.recorded({}, model=MODEL, effort="low"), model=MODEL)
