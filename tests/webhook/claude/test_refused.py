"""Answers that are no message, over real sockets: refusals, failures, pages, and bombs."""

import gzip
from datetime import timedelta

import pytest

from orchestrator.demo.messages.step import Play, Step
from tests.conftest import Serve
from tests.messages import failing, sending, stand_in
from tests.webhook.claude.site import HAIKU, PACK, SONNET, Book, client
from tests.webhook.make import NOW
from webhook.analyzer.call import Outcome

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("play", "outcome"),
    [
        (failing(401), Outcome.AUTH),
        (failing(403), Outcome.AUTH),
        (failing(402, code="linked_organization_unpaid"), Outcome.QUOTA),
        (failing(429, code="enforced_spend_limit_reached"), Outcome.QUOTA),
        (failing(429, code="contract_spend_limit_reached"), Outcome.QUOTA),
        (
            failing(400, "You have reached your specified API usage limits. Wait until"),
            Outcome.QUOTA,
        ),
    ],
)
async def test_who_refuses_us_is_asked_once_and_then_not_for_an_hour(
    serve: Serve, play: Play, outcome: Outcome, caplog: pytest.LogCaptureFixture
) -> None:
    url, script = await stand_in(serve, otherwise=play)
    book = Book()
    async with client(url) as site:
        for _ in range(3):
            heard = await site.claude.ask(PACK, book.ledger)
            assert heard.answer is None
        until = {site.claude.circuits.open_until(model) for model in (SONNET, HAIKU)}
    assert (len(script.asked), book.outcomes) == (1, [(SONNET, outcome.value)])
    assert until == {NOW + HOUR}
    assert [record.message for record in caplog.records] == ["claude refuses us"]


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422, 307])
async def test_a_request_that_is_not_accepted_is_not_made_again_whatever_is_asked(
    serve: Serve, status: int
) -> None:
    play = failing(status, x_should_retry="true", retry_after="0.01", location="/elsewhere")
    url, script = await stand_in(serve, otherwise=play)
    book = Book()
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert (len(script.asked), book.outcomes) == (1, [(SONNET, "bad_request")])
    assert heard.why == f"{SONNET} did not accept the request ({status})"


@pytest.mark.parametrize(("status", "cost"), [(500, 0), (502, 0), (504, None), (408, None)])
async def test_a_server_that_fails_is_tried_three_times(
    serve: Serve, status: int, cost: int | None
) -> None:
    url, _ = await stand_in(serve, *[failing(status, retry_after="0.01")] * 2)
    book = Book()
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert heard.answer is not None
    assert book.outcomes == [(SONNET, "server_error")] * 2 + [(SONNET, "ok")]
    assert [call.cost for _, call in book.settled][:2] == [cost, cost]


@pytest.mark.parametrize(
    "play",
    [
        sending(b"<html>welcome</html>"),
        sending(b"<html>welcome</html>", content_type="text/html"),
        *(
            pytest.param(sending(each), marks=pytest.mark.long)
            for each in (b"{}", b"[1]", b'"x"', b"", b"null", b"[" * 100_000, b"\xff\xfe")
        ),
        sending(b'{"padding":"' + b"x" * 20_000_000 + b'"}'),
    ],
    ids=lambda _: "",
)
async def test_what_is_no_message_is_malformed_and_nobody_falls_over_it(
    serve: Serve, play: Play
) -> None:
    url, _ = await stand_in(serve, otherwise=play)
    book = Book()
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert heard.answer is None
    assert book.outcomes == [(SONNET, "malformed")] * 2
    assert [call.cost for _, call in book.settled] == [None, None]
    assert len(heard.reply) < 1024 * 1024


async def test_an_error_without_end_is_read_no_further_either(serve: Serve) -> None:
    url, _ = await stand_in(serve, otherwise=sending(b"x" * 20_000_000, status=500))
    book = Book()
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert heard.reply == b""
    assert book.outcomes == [(SONNET, "malformed")] * 2


async def test_a_packed_answer_is_not_unpacked(serve: Serve) -> None:
    packed = gzip.compress(b"0" * 20_000_000)
    bomb = Step(body=packed, headers={"Content-Encoding": "gzip"})
    url, _ = await stand_in(serve, otherwise=lambda _: bomb)
    book = Book()
    async with client(url) as site:
        await site.claude.ask(PACK, book.ledger)
    assert book.outcomes == [(SONNET, "malformed")] * 2
