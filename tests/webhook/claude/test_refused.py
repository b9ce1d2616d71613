"""Answers that are no message, over real sockets: refusals, failures, pages, and bombs."""

import gzip
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.demo.messages.step import JSON, Play, Step
from tests.conftest import Serve
from tests.messages import failing, sending, stand_in
from tests.webhook.claude.site import HAIKU, PACK, SONNET, Book, client
from tests.webhook.make import NOW
from webhook.analyzer.call import Outcome
from webhook.claude import connection
from webhook.claude.connection import Connection, Received

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


@pytest.mark.parametrize(("status", "cost"), [(500, 0), (502, None), (504, None), (408, None)])
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


PACKED = Step(body=gzip.compress(b"x" * 20_000_000), headers={"Content-Encoding": "gzip"})


@pytest.mark.parametrize(
    "step", [Step(body=b"x" * 20_000_000), PACKED], ids=["without end", "packed"]
)
@pytest.mark.parametrize(
    ("status", "outcome"),
    [(529, "overloaded"), pytest.param(429, "rate_limited", marks=pytest.mark.long)],
)
async def test_an_error_that_is_too_large_to_read_is_still_what_its_status_says(
    serve: Serve, step: Step, status: int, outcome: str
) -> None:
    again = {**step.headers, "Retry-After": "0.01"}
    play = replace(step, status=status, headers=again)
    url, _ = await stand_in(serve, otherwise=lambda _: play)
    book = Book()
    async with client(url, models=(SONNET,)) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert heard.reply == b""
    assert book.outcomes == [(SONNET, outcome)] * 3
    assert [call.cost for _, call in book.settled] == [0] * 3


@pytest.mark.parametrize(
    ("head", "status", "outcome"),
    [
        ({"Content-Type": "application/json; charset=hex"}, 529, "overloaded"),
        ({"Content-Type": "application/json; charset=rot13"}, 503, "overloaded"),
        ({"Location": f"https://{'x' * 300}.example/\u00e4"}, 307, "bad_request"),
        ({"Location": "https://[::1/"}, 308, "bad_request"),
        ({"Retry-After-Ms": "\u0661"}, 400, "bad_request"),
    ],
)
async def test_no_header_of_an_error_hides_what_its_status_says(
    serve: Serve, head: dict[str, str], status: int, outcome: str
) -> None:
    body = b'{"error": {"message": "scripted"}}'
    step = Step(body=body, status=status, headers=head, content_type=head.get("Content-Type", JSON))
    url, _ = await stand_in(serve, lambda _: step)
    book = Book()
    async with client(url, models=(SONNET,)) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert book.outcomes[0] == (SONNET, outcome)
    assert heard.reply == body or heard.answer


class Broken:
    """A connection of which nobody knows what it will raise."""

    async def send(self, *_: object) -> Received:
        """Fail as nobody foresaw."""
        raise ZeroDivisionError

    async def close(self) -> None:
        """Fail at this, too."""
        raise OSError


async def test_whatever_is_wrong_with_the_sdk_a_call_is_settled(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Broken()
    monkeypatch.setattr(connection, "opened", lambda *_: Connection(broken.send, broken.close))
    book = Book()
    async with client("http://127.0.0.1:9") as site:
        with pytest.raises(ZeroDivisionError):
            await site.claude.ask(PACK, book.ledger)
    assert book.outcomes == [(SONNET, "aborted")]
    assert [call.cost for _, call in book.settled] == [None]
    assert [record.message for record in caplog.records] == ["claude not closed"]


async def test_a_packed_answer_is_not_unpacked(serve: Serve) -> None:
    packed = gzip.compress(b"0" * 20_000_000)
    bomb = Step(body=packed, headers={"Content-Encoding": "gzip"})
    url, _ = await stand_in(serve, otherwise=lambda _: bomb)
    book = Book()
    async with client(url) as site:
        await site.claude.ask(PACK, book.ledger)
    assert book.outcomes == [(SONNET, "malformed")] * 2
