"""The stand-in for the Messages API, over a real socket: answers, faults, and who hung up."""

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest

from orchestrator.demo.messages.app import LABEL
from orchestrator.demo.messages.asked import Asked
from orchestrator.demo.messages.step import Play
from tests.conftest import Serve
from tests.messages import (
    ANSWER,
    dropping,
    failing,
    hanging,
    late,
    refusing,
    saying,
    sending,
    stand_in,
    telling,
    trickling,
)
from tests.waiting import until

HEADERS = {"Authorization": "Bearer k", "anthropic-version": "2026-10-21"}
QUESTION: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 4096,
    "messages": [{"role": "user", "content": "What is wrong?"}],
}
USAGE_KEYS = {
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "output_tokens",
    "output_tokens_details",
    "service_tier",
}


async def ask(
    http: aiohttp.ClientSession,
    url: str,
    path: str = "/v1/messages",
    *,
    within: float = 5.0,
    **changes: Any,  # noqa: ANN401  any JSON
) -> tuple[int, Any]:
    """Ask a question with *changes*; return the status and the JSON of the answer."""
    limit = aiohttp.ClientTimeout(total=within)
    body = {**QUESTION, **changes}
    async with http.post(f"{url}{path}", json=body, headers=HEADERS, timeout=limit) as response:
        return response.status, await response.json()


async def test_an_answer_has_the_shape_of_a_message(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    url, script = await stand_in(serve)
    status, found = await ask(http, url)
    (asked,) = script.asked
    assert (status, found) == (
        200,
        {
            "id": f"msg_standin_{asked.id}",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-5-5",
            "content": [{"type": "text", "text": json.dumps(ANSWER)}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "stop_details": None,
            "usage": found["usage"],
        },
    )


async def test_tokens_are_counted_by_the_size_of_both_bodies(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    url, script = await stand_in(serve)
    _, found = await ask(http, url)
    _, counted = await ask(http, url, "/v1/messages/count_tokens")
    usage, length = found["usage"], len(script.asked[0].raw)
    written = len(json.dumps(found["content"]))
    assert set(usage) == USAGE_KEYS
    assert (usage["input_tokens"], usage["output_tokens"], counted) == (
        -(-length // 3),
        -(-written // 3),
        {"input_tokens": -(-length // 3)},
    )


async def test_what_comes_is_kept_as_it_came(serve: Serve, http: aiohttp.ClientSession) -> None:
    url, script = await stand_in(serve)
    blocks = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    await ask(http, url, system="Judge.", messages=[{"role": "user", "content": blocks}])
    (asked,) = script.asked
    seen = (asked.path, asked.headers["Authorization"], asked.system, asked.text, asked.model)
    assert seen == ("/v1/messages", "Bearer k", "Judge.", "one\ntwo", "claude-sonnet-5-5")
    assert json.loads(asked.raw) == asked.body


async def test_every_answer_says_that_it_is_no_claude(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    url, _ = await stand_in(serve, failing(529))
    said = []
    for path in ("/v1/messages", "/v1/messages", "/v1/nothing"):
        async with http.post(f"{url}{path}", json=QUESTION, headers=HEADERS) as response:
            said.append((response.status, response.headers["x-stand-in"]))
    async with http.get(url) as response:
        label = await response.text()
    assert (said, label) == ([(529, LABEL), (200, LABEL), (404, LABEL)], f"{LABEL}\n")


async def test_an_answer_has_the_headers_of_the_real_one(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    url, script = await stand_in(serve)
    async with http.post(f"{url}/v1/messages", json=QUESTION, headers=HEADERS) as response:
        names = {each.lower() for each in response.headers}
        number = response.headers["request-id"]
    limits = {
        f"anthropic-ratelimit-{what}-{part}"
        for what in ("requests", "input-tokens", "output-tokens")
        for part in ("limit", "remaining", "reset")
    }
    assert (number, limits - names) == (f"req_standin_{script.asked[0].id}", set())


async def test_head_and_body_come_in_one_piece(serve: Serve) -> None:
    url, _ = await stand_in(serve)
    body = json.dumps(QUESTION).encode()
    named = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    head = f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\n{named}Content-Length: {len(body)}"
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    writer.write(f"{head}\r\n\r\n".encode() + body)
    first = await reader.read(65_536)
    writer.close()
    assert (first[:15], first[-2:]) == (b"HTTP/1.1 200 OK", b"}}")


async def test_a_script_is_played_step_by_step_and_then_goes_on(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    url, script = await stand_in(serve, failing(529), saying(confidence=0.7))
    script.then(failing(500))
    found = [(await ask(http, url, model=f"claude-{n}"))[0] for n in range(4)]
    expected = ["claude-0", "claude-1", "claude-2", "claude-3"]
    assert (found, script.models) == ([529, 200, 500, 200], expected)


@pytest.mark.parametrize(
    ("play", "status", "error"),
    [
        (failing(529), 529, {"type": "overloaded_error", "message": "scripted"}),
        (failing(500), 500, {"type": "api_error", "message": "scripted"}),
        (failing(402, "pay"), 402, {"type": "billing_error", "message": "pay"}),
        (
            failing(429, code="enforced_spend_limit_reached"),
            429,
            {
                "type": "rate_limit_error",
                "message": "scripted",
                "details": {"error_code": "enforced_spend_limit_reached"},
            },
        ),
        (failing(400, kind="other_error"), 400, {"type": "other_error", "message": "scripted"}),
    ],
)
async def test_an_error_has_the_shape_of_a_real_one(
    serve: Serve, http: aiohttp.ClientSession, play: Play, status: int, error: dict[str, Any]
) -> None:
    url, script = await stand_in(serve, play)
    found = await ask(http, url)
    number = f"req_standin_{script.asked[0].id}"
    assert found == (status, {"type": "error", "error": error, "request_id": number})


async def test_an_error_carries_the_headers_of_its_step(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    url, _ = await stand_in(serve, failing(429, retry_after="NaN", x_should_retry="true"))
    async with http.post(f"{url}/v1/messages", json=QUESTION, headers=HEADERS) as response:
        found = (response.headers["retry-after"], response.headers["x-should-retry"])
    assert found == ("NaN", "true")


@pytest.mark.parametrize(
    ("play", "content"),
    [
        (refusing("cyber"), []),
        (refusing("cyber", text="No."), [{"type": "text", "text": "No."}]),
    ],
)
async def test_a_refusal_is_a_message_with_its_category(
    serve: Serve, http: aiohttp.ClientSession, play: Play, content: list[Any]
) -> None:
    url, _ = await stand_in(serve, play)
    status, found = await ask(http, url)
    details = {"type": "refusal", "category": "cyber", "explanation": None}
    seen = (status, found["stop_reason"], found["stop_details"], found["content"])
    assert seen == (200, "refusal", details, content)


async def test_any_blocks_stop_reason_and_usage_can_be_told(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    blocks = [{"type": "thinking", "thinking": "", "signature": "x"}, {"type": "new"}]
    usage = {"input_tokens": 7, "cache_read_input_tokens": 1}
    play = telling(blocks=blocks, stop_reason="pause_turn", usage=usage)
    url, _ = await stand_in(serve, play)
    _, found = await ask(http, url)
    seen = found["usage"]
    assert (found["content"], found["stop_reason"]) == (blocks, "pause_turn")
    assert (seen["input_tokens"], seen["cache_read_input_tokens"], set(seen)) == (7, 1, USAGE_KEYS)


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"<html></html>", b"x" * 20_000_000])
async def test_any_bytes_can_be_sent(
    serve: Serve, http: aiohttp.ClientSession, body: bytes
) -> None:
    url, _ = await stand_in(serve, sending(body, content_type="text/html"))
    async with http.post(f"{url}/v1/messages", json=QUESTION, headers=HEADERS) as response:
        found = (response.status, response.content_type, await response.read())
    assert found == (200, "text/html", body)


@pytest.mark.parametrize("at", [0, 40])
async def test_a_dropped_answer_ends_before_its_length(
    serve: Serve, http: aiohttp.ClientSession, at: int
) -> None:
    url, _ = await stand_in(serve, dropping(saying(), at))
    async with http.post(f"{url}/v1/messages", json=QUESTION, headers=HEADERS) as response:
        with pytest.raises(aiohttp.ClientPayloadError, match=f"received {at} of"):
            await response.read()


async def test_a_trickled_answer_is_whole_and_takes_its_time(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    url, _ = await stand_in(serve, trickling(saying(), 0.3))
    began = time.monotonic()
    async with http.post(f"{url}/v1/messages", json=QUESTION, headers=HEADERS) as response:
        head = time.monotonic() - began
        found = await response.json()
    took = time.monotonic() - began
    assert (found["stop_reason"], head < 0.2, took >= 0.3) == ("end_turn", True, True)


async def test_a_late_answer_holds_up_nobody_else(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    url, script = await stand_in(serve, otherwise=late(saying(), 0.3))
    began = time.monotonic()
    await asyncio.gather(*(ask(http, url) for _ in range(5)))
    took = time.monotonic() - began
    assert (script.most_open, 0.3 <= took < 1.2) == (5, True)


async def test_who_hangs_up_on_a_hanging_answer_is_noticed(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    url, script = await stand_in(serve, hanging())
    with pytest.raises(TimeoutError):
        await ask(http, url, within=0.2)

    async def look() -> list[str]:
        return script.left

    assert await until(look, within=5, what="the end") == [each.id for each in script.asked]
    assert script.open == set()


async def test_who_stays_has_not_hung_up(serve: Serve, http: aiohttp.ClientSession) -> None:
    url, script = await stand_in(serve)
    await ask(http, url)
    await ask(http, url)  # by now the first is over

    async def look() -> bool:
        return not script.open

    await until(look, within=5, what="the end")
    assert (script.left, len(script.asked)) == ([], 2)


async def test_a_step_may_look_at_what_was_asked(serve: Serve, http: aiohttp.ClientSession) -> None:
    def by_model(asked: Asked) -> Any:  # noqa: ANN401  a step
        return (failing(529) if "sonnet" in asked.model else saying())(asked)

    url, _ = await stand_in(serve, otherwise=by_model)
    asked = [await ask(http, url, model=each) for each in ("claude-sonnet-5-5", "claude-haiku-5-5")]
    assert [status for status, _ in asked] == [529, 200]
