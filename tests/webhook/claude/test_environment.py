"""Nothing of the environment counts but what our settings say, and no key is ever told."""

import json
import logging
import subprocess
import sys
from dataclasses import replace

import pytest

from orchestrator.prices import PRICES
from tests.conftest import FreePort, Serve
from tests.messages import failing, sending, stand_in
from tests.webhook.claude.site import KEY, PACK, SONNET, Book, client
from webhook.claude import connection

STRAY = "\n".join(
    (
        *("Authorization: Bearer stray", "X-Stray: 1", "Accept: text/stray", "User-Agent: stray"),
        *("Host: localhost", "Connection: close", "Content-Length: 7", "TE: trailers"),
        *("Content-Type: text/stray", "Anthropic-Version: 2023-01-01", "Cookie: stray=1"),
        *("X-Stainless-Raw-Response: stream", "Accept-Encoding: gzip"),
    )
)


async def test_the_environment_changes_neither_whom_we_ask_nor_how(
    serve: Serve, free_port: FreePort, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    for name, value in {
        "ANTHROPIC_API_KEY": "sk-stray",
        "ANTHROPIC_AUTH_TOKEN": "stray",
        "ANTHROPIC_BASE_URL": nobody,
        "ANTHROPIC_CUSTOM_HEADERS": STRAY,
        "ANTHROPIC_PROFILE": "stray",
        "ANTHROPIC_LOG": "debug",
        "HTTP_PROXY": nobody,
        "HTTPS_PROXY": nobody,
        "ALL_PROXY": nobody,
        "SSL_CERT_FILE": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)
    url, script = await stand_in(serve)
    async with client(url) as site:
        heard = await site.claude.ask(PACK, Book().ledger)
    [asked] = script.asked
    assert heard.answer is not None
    assert {name.lower(): value for name, value in asked.headers.items()} == {
        "host": url.removeprefix("http://"),
        "connection": "keep-alive",
        "user-agent": "orchestrator",
        "accept": "application/json",
        "accept-encoding": "identity",
        "anthropic-version": connection.API_VERSION,
        "authorization": f"Bearer {KEY}",
        "content-type": "application/json",
        "content-length": str(len(asked.raw)),
        "x-stainless-raw-response": "raw",
    }


async def test_no_log_holds_the_key_or_a_body(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url, _ = await stand_in(serve, failing(500, f"no {KEY}"), failing(401, f"no {KEY}"))
    async with client(url) as site:
        heard = await site.claude.ask(PACK, Book().ledger)
        shown = f"{site.claude.account!r} {heard.why}"
    told = " ".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert KEY not in told + shown
    assert "Evidence and trust" not in told


@pytest.mark.parametrize("status", [200, 401])
async def test_a_key_that_comes_back_is_kept_nowhere(serve: Serve, status: int) -> None:
    play = sending(json.dumps({"error": {"message": f"no {KEY}"}, "id": KEY}).encode())
    named = {"request-id": f"req {KEY}"}
    url, _ = await stand_in(
        serve, otherwise=lambda asked: replace(play(asked), status=status, headers=named)
    )
    book = Book()
    async with client(url) as site:
        heard = await site.claude.ask(PACK, book.ledger)
    assert heard.reply
    assert KEY not in f"{heard!r} {book.settled!r}"
    assert book.settled[0][1].request_id == f"req {connection.OURS}"


async def test_a_key_as_short_as_a_word_spoils_no_answer(serve: Serve) -> None:
    url, _ = await stand_in(serve)
    async with client(url, key="k") as site:
        heard = await site.claude.ask(PACK, Book().ledger)
    assert heard.answer is not None


async def test_a_key_that_no_header_can_hold_is_told_nowhere(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url, script = await stand_in(serve)
    async with client(url, key=f"{KEY}\n") as site:
        heard = await site.claude.ask(PACK, Book().ledger)
    assert (heard.answer, script.asked) == (None, [])
    assert KEY not in heard.why + caplog.text


async def test_a_model_that_ends_soon_is_warned_of_once(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    old = "claude-sonnet-4-5"
    url, _ = await stand_in(serve)
    prices = {old: PRICES[SONNET]}
    async with client(url, models=(old,), prices=prices) as site:
        for _ in range(2):
            heard = await site.claude.ask(PACK, Book().ledger)
            assert heard.answer is not None
    [record] = [each for each in caplog.records if each.message == "model is deprecated"]
    assert (record.__dict__["model"], record.__dict__["ends"]) == (old, "2026-11-30")


def test_the_version_of_the_api_is_that_of_the_sdk() -> None:
    from anthropic._constants import ANTHROPIC_API_VERSION  # noqa: PLC0415  with a key only

    assert connection.API_VERSION == ANTHROPIC_API_VERSION


LOOK = """
import sys
import webhook.claude.client, webhook.claude.attempt, webhook.stages, webhook.app
from webhook.claude.account import Account
from webhook.claude.client import Claude
Claude(Account(key="x", url="x", models=("m",), effort="low", instance="i"), None)
print(sorted({name.partition(".")[0] for name in sys.modules} & {"anthropic", "httpx2"}))
"""


def test_nothing_of_the_sdk_is_imported_before_somebody_asks() -> None:
    ran = subprocess.run(  # noqa: S603  our own Python
        [sys.executable, "-c", LOOK], capture_output=True, text=True, check=False
    )
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")
