"""What the stand-in refuses, in the words of the real API."""

import io
import json
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from orchestrator.demo.messages.app import application
from orchestrator.demo.messages.asked import COUNT, MESSAGES, Asked
from orchestrator.demo.messages.wire import VERSION, objection
from tests.conftest import Serve
from tests.messages import Script, saying

HEADERS = {"Authorization": "Bearer k", "anthropic-version": VERSION}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "why": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"claim": {"type": "string"}},
                "required": ["claim"],
                "additionalProperties": False,
            },
        },
        "action": {"type": "string", "enum": ["none", "escalate"]},
    },
    "required": ["why", "action"],
    "additionalProperties": False,
}
QUESTION: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 4096,
    "system": "Judge.",
    "messages": [{"role": "user", "content": [{"type": "text", "text": "What is wrong?"}]}],
    "output_config": {"effort": "medium", "format": {"type": "json_schema", "schema": SCHEMA}},
    "metadata": {"user_id": "an opaque name"},
}


def refused(
    body: object = QUESTION,
    *,
    headers: Mapping[str, str] = HEADERS,
    path: str = MESSAGES,
    key: str | None = None,
) -> tuple[int, str, str] | None:
    """Return status, kind and text of the objection to a request; None: there is none."""
    asked = Asked(
        id="1",
        path=path,
        headers=headers,
        raw=json.dumps(body).encode(),
        body=body if isinstance(body, dict) else {},
    )
    step = objection(asked, key=key)
    if step is None:
        return None
    error = json.loads(step.body)["error"]
    return step.status, error["type"], error["message"]


def test_a_question_like_ours_is_in_order() -> None:
    assert refused() is None


@pytest.mark.parametrize(
    ("headers", "key", "expected"),
    [
        ({"Authorization": "Bearer k"}, "k", None),
        ({"x-api-key": "k"}, "k", None),
        ({}, None, "x-api-key header is required"),
        ({"Authorization": "Basic k"}, None, "x-api-key header is required"),
        ({"Authorization": "Bearer "}, None, "invalid x-api-key"),
        ({"x-api-key": ""}, None, "invalid x-api-key"),
        ({"Authorization": "Bearer other"}, "k", "invalid x-api-key"),
    ],
)
def test_a_key_is_required(headers: dict[str, str], key: str | None, expected: str | None) -> None:
    found = refused(headers={**headers, "anthropic-version": VERSION}, key=key)
    assert found == (None if expected is None else (401, "authentication_error", expected))


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ({}, "anthropic-version: header is required"),
        (
            {"anthropic-version": "2023-06-01"},
            'anthropic-version: "2023-06-01" is not a valid version',
        ),
    ],
)
def test_the_version_is_that_of_today(version: dict[str, str], expected: str) -> None:
    found = refused(headers={"Authorization": "Bearer k", **version})
    assert found == (400, "invalid_request_error", expected)


def test_a_model_of_nobody_is_not_found() -> None:
    found = refused({**QUESTION, "model": "gpt-2"})
    assert found == (404, "not_found_error", "model: gpt-2")


def _said(role: str, *blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "content": list(blocks) or "text"}


CALL = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "42"}
USER = _said("user")
UNSUPPORTED = "is not supported by this model"
PREFILL = (
    "This model does not support assistant message prefill."
    " The conversation must end with a user message."
)

CHANGES: list[tuple[dict[str, Any], str]] = [
    *(
        (
            {name: 0.5},
            f"{name}: sampling parameters are not supported by this version of the API",
        )
        for name in ("temperature", "top_p", "top_k")
    ),
    ({"cmd": "ls"}, "cmd: Extra inputs are not permitted"),
    ({"stream": True}, "stream: the stand-in does not stream"),
    ({"model": 5}, "model: Field required"),
    ({"max_tokens": None}, "max_tokens: Field required"),
    ({"max_tokens": "9"}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": True}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": 0}, "max_tokens: 0 is not within 1 and 128000"),
    ({"max_tokens": 128_001}, "max_tokens: 128001 is not within 1 and 128000"),
    ({"messages": None}, "messages: Field required"),
    ({"messages": ["hi"]}, "messages: Field required"),
    ({"messages": []}, "messages: at least one message is required"),
    ({"messages": [_said("system")]}, "messages.0.role: Input should be 'user' or 'assistant'"),
    (
        {"messages": [{"role": "user", "content": ""}]},
        "messages.0: all messages must have non-empty content",
    ),
    (
        {"messages": [_said("user", {"type": "text", "text": ""})]},
        "messages.0: text content blocks must be non-empty",
    ),
    ({"messages": [_said("user", {"text": "x"})]}, "messages.0.content.0: Field required"),
    (
        {"messages": [_said("user", {"type": "text", "text": "x", "citations": []})]},
        "messages.0.content.0: Extra inputs are not permitted",
    ),
    (
        {"messages": [USER, _said("assistant", {"type": "document"}), USER]},
        "messages.1.content.0: Extra inputs are not permitted",
    ),
    (
        {"messages": [_said("assistant"), USER]},
        "messages: first message must use the user role",
    ),
    ({"messages": [USER, _said("assistant")]}, PREFILL),
    (
        {"messages": [_said("user", RESULT)]},
        "messages.0: unexpected `tool_use_id` found in `tool_result` blocks: t1",
    ),
    (
        {"messages": [USER, _said("assistant", CALL), USER]},
        "messages.2: `tool_use` ids were found without `tool_result` blocks immediately after: t1",
    ),
    (
        {"messages": [{"role": "user", "content": "half a \ud800 character"}]},
        "The request body is not valid JSON: no low surrogate in string",
    ),
    ({"thinking": {"type": "disabled"}}, f"thinking.type: 'disabled' {UNSUPPORTED}"),
    ({"thinking": {"type": "enabled"}}, f"thinking.type: 'enabled' {UNSUPPORTED}"),
    ({"tool_choice": {"type": "any"}}, f"tool_choice.type: 'any' {UNSUPPORTED}"),
    (
        {"tool_choice": {"type": "tool", "name": "emit"}},
        f"tool_choice.type: 'tool' {UNSUPPORTED}",
    ),
    ({"output_config": 1}, "output_config: Input should be a valid dictionary"),
    (
        {"output_config": {"effort": "most"}},
        "output_config.effort: Input should be one of low, medium, high, xhigh, max",
    ),
    (
        {"output_config": {"format": {"type": "json"}}},
        "output_config.format.type: Input should be 'json_schema'",
    ),
    (
        {"metadata": {"user_id": "x" * 257}},
        "metadata.user_id: String should have at most 256 characters",
    ),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES, ids=[text for _, text in CHANGES])
def test_what_the_real_one_refuses_is_refused(change: dict[str, Any], expected: str) -> None:
    assert refused({**QUESTION, **change}) == (400, "invalid_request_error", expected)


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [USER, _said("assistant", CALL), _said("user", RESULT)]},
        {"thinking": {"type": "adaptive", "display": "omitted"}},
        {"tool_choice": {"type": "none"}},
        {"output_config": {"effort": "low"}},
        {"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]},
    ],
)
def test_what_the_real_one_takes_is_taken(change: dict[str, Any]) -> None:
    assert refused({**QUESTION, **change}) is None


ROOT = "output_config.format.schema"
OPEN = "For 'object' type, 'additionalProperties' must be explicitly set to false"


def _nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (None, f"{ROOT}: Field required"),
        ({**SCHEMA, "additionalProperties": True}, f"{ROOT}: {OPEN}"),
        ({"type": "array", "items": {"type": "object"}}, f"{ROOT}.items: {OPEN}"),
        (
            {**SCHEMA, "properties": {"a": {"anyOf": [{"type": "object"}]}}},
            f"{ROOT}.properties.a.anyOf.0: {OPEN}",
        ),
        (
            {**SCHEMA, "properties": {"c": {"type": "number", "maximum": 1}}},
            f"{ROOT}.properties.c: property 'maximum' is not supported",
        ),
        (
            {"type": "array", "minItems": 2},
            f"{ROOT}: 'minItems' values other than 0 or 1 are not supported",
        ),
        ({"type": "string", "enum": ["x" * 20_000]}, f"{ROOT}: Schema is too complex"),
        (_nested(11), f"{ROOT}" + ".items" * 11 + ": Schema is too complex"),
    ],
)
def test_a_schema_has_to_be_closed_and_small(schema: object, expected: str) -> None:
    config = {"format": {"type": "json_schema", "schema": schema}}
    found = refused({**QUESTION, "output_config": config})
    assert found == (400, "invalid_request_error", expected)


def test_counting_needs_no_limit_of_tokens() -> None:
    asked = {name: value for name, value in QUESTION.items() if name != "max_tokens"}
    assert (refused(asked, path=COUNT), refused(asked)) == (
        None,
        (400, "invalid_request_error", "max_tokens: Field required"),
    )


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[1]", b'"x"', b"[" * 100_000, b'{"model": NaN}', b"\xff"]
)
async def test_a_body_that_is_no_json_is_refused_over_the_wire(
    serve: Serve,
    http: aiohttp.ClientSession,
    raw: bytes,
) -> None:
    script = Script(otherwise=saying())
    url = await serve(application(script))
    async with http.post(f"{url}{MESSAGES}", data=raw, headers=HEADERS) as response:
        found = (response.status, (await response.json())["error"]["message"])
    assert (found, script.asked) == ((400, "The request body is not valid JSON"), [])


async def test_a_body_beyond_32_megabytes_is_refused(
    serve: Serve,
    http: aiohttp.ClientSession,
) -> None:
    url = await serve(application(saying()))
    raw = io.BytesIO(b" " * (32 * 1024 * 1024 + 1))
    async with http.post(f"{url}{MESSAGES}", data=raw, headers=HEADERS) as response:
        found = (response.status, (await response.json())["error"]["type"])
    assert found == (413, "request_too_large")


async def test_a_page_of_strangers_is_refused(
    serve: Serve,
    http: aiohttp.ClientSession,
) -> None:
    url = await serve(application(saying()))
    headers = {**HEADERS, "Origin": "http://evil.example"}
    async with http.post(f"{url}{MESSAGES}", json=QUESTION, headers=headers) as response:
        assert response.status == 403
