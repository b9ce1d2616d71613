"""Nothing of the environment counts but what our settings say, and no key is ever told."""

import logging
import subprocess
import sys

import pytest

from orchestrator.prices import PRICES
from tests.conftest import FreePort, Serve
from tests.messages import failing, stand_in
from tests.webhook.claude.site import KEY, PACK, SONNET, Book, client
from webhook.claude import connection

HEADERS = {"host", "connection", "content-length", "user-agent", "accept", "accept-encoding"} | {
    "authorization",
    "content-type",
    "anthropic-version",
    "x-stainless-raw-response",
}


async def test_the_environment_changes_neither_whom_we_ask_nor_how(
    serve: Serve, free_port: FreePort, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    for name, value in {
        "ANTHROPIC_API_KEY": "sk-stray",
        "ANTHROPIC_AUTH_TOKEN": "stray",
        "ANTHROPIC_BASE_URL": nobody,
        "ANTHROPIC_CUSTOM_HEADERS": "Authorization: Bearer stray\nX-Stray: 1\nAccept: text/stray",
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
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert asked.headers["Accept"] == "application/json"
    assert {name.lower() for name in asked.headers} <= HEADERS


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
    assert (record.__dict__["model"], record.__dict__["ends"]) == (old, "November 30th, 2026")


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
