"""Opening the client and closing it: what goes wrong with that is no end of anything."""

import asyncio

import pytest

from tests.conftest import Serve
from tests.messages import stand_in
from tests.webhook.claude.site import PACK, SONNET, Book, client
from webhook.claude import connection
from webhook.claude.connection import Connection, Lost
from webhook.claude.heard import Heard

UNOPENED = Heard(why="the client for Claude cannot be opened", reason="other")


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), ImportError("no module")])
async def test_a_client_that_cannot_be_opened_is_opened_at_the_next_question(
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    url, _ = await stand_in(serve)
    opened, errors = connection.opened, [error, error]

    def failing_twice(key: str, at: str) -> Connection:
        if errors:
            raise errors.pop()
        return opened(key, at)

    monkeypatch.setattr(connection, "opened", failing_twice)
    book = Book()
    async with client(url) as site:
        await site.claude.warm()
        heard = [await site.claude.ask(PACK, book.ledger) for _ in range(2)]
    assert heard[0] == UNOPENED
    assert heard[1].answer is not None
    assert book.outcomes == [(SONNET, "ok")]
    assert [record.message for record in caplog.records] == ["claude not opened"] * 2


async def test_all_who_wait_for_a_client_that_cannot_be_opened_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(*_: object) -> Connection:
        raise OSError

    monkeypatch.setattr(connection, "opened", failing)
    async with client("http://127.0.0.1:9") as site:
        asked = (site.claude.ask(PACK, Book().ledger) for _ in range(3))
        assert await asyncio.gather(*asked) == [UNOPENED] * 3


async def test_who_is_closed_has_sent_nothing_and_is_charged_nothing(serve: Serve) -> None:
    url, script = await stand_in(serve)
    book = Book()
    async with client(url, models=(SONNET,)) as site:
        await site.claude.warm()
        await site.claude.close()
        heard = await site.claude.ask(PACK, book.ledger)
    assert (heard.answer, script.asked) == (None, [])
    assert book.outcomes == [(SONNET, "connection")] * 2
    assert [call.cost for _, call in book.settled] == [0, 0]


async def test_whatever_the_sdk_falls_over_is_a_lost_call() -> None:
    opened = connection.opened("sk-1", "http://127.0.0.1:9")
    with pytest.raises(Lost) as lost:
        await opened.send({"unheard_of": 1}, 1.0)
    await opened.close()
    assert lost.value.sent
