"""What is not waited for: rules answer at once, where a model cannot."""

from time import monotonic

from tests.conftest import Serve
from tests.messages import failing, stand_in
from tests.webhook.claude.site import PACK, SONNET, Book, client
from tests.webhook.make import NOW
from webhook.analyzer.circuit import State

TRIES = 3  # the machine may be busy with something else meanwhile


async def test_a_wait_of_an_hour_costs_no_tenth_of_a_second(serve: Serve) -> None:
    url, script = await stand_in(serve, otherwise=failing(429, retry_after="3600"))
    took = []
    for _ in range(TRIES):
        book = Book()
        async with client(url, models=(SONNET,)) as site:
            await site.claude.warm()
            began = monotonic()
            heard = await site.claude.ask(PACK, book.ledger)
            took.append(monotonic() - began)
            assert site.claude.circuits.states(NOW) == {SONNET: State.OPEN}
        assert (heard.answer, heard.reason, heard.calls) == (None, "rate_limited", 1)
        assert book.outcomes == [(SONNET, "rate_limited")]
    assert len(script.asked) == TRIES
    assert min(took) < 0.1


async def test_who_is_left_alone_costs_no_time_at_all(serve: Serve) -> None:
    url, script = await stand_in(serve, otherwise=failing(429, retry_after="3600"))
    async with client(url, models=(SONNET,)) as site:
        await site.claude.ask(PACK, Book().ledger)
        took = []
        for _ in range(TRIES):
            began = monotonic()
            heard = await site.claude.ask(PACK, Book().ledger)
            took.append(monotonic() - began)
            assert (heard.reason, heard.calls) == ("circuit", 0)
    assert len(script.asked) == 1
    assert min(took) < 0.01
