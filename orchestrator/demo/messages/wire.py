"""The wire: what the real API would refuse, refused with its words, and what we never send."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from orchestrator.demo.messages import schema
from orchestrator.demo.messages.asked import COUNT, Asked
from orchestrator.demo.messages.step import Step, failed

VERSION = "2026-10-21"
FIELDS = frozenset(
    {
        *("model", "max_tokens", "messages", "system", "metadata", "output_config", "thinking"),
        *("tools", "tool_choice", "stop_sequences", "cache_control", "service_tier"),
        *("inference_geo", "diagnostics", "container", "stream"),
    }
)
SAMPLING = ("temperature", "top_p", "top_k")
EFFORTS = ("low", "medium", "high", "xhigh", "max")
MOST_TOKENS = 128_000
USER_ID_LIMIT = 256  # characters

Check = Callable[[Mapping[str, Any]], Iterator[str]]


def objection(asked: Asked, *, key: str | None = None) -> Step | None:
    """Return the error that *asked* gets; None: it is well-formed. With *key*, only it will do."""
    given = _credential(asked.headers)
    if given is None:
        return failed(asked, 401, "authentication_error", "x-api-key header is required")
    if not given or (key is not None and given != key):
        return failed(asked, 401, "authentication_error", "invalid x-api-key")
    refusal = next(_mistakes(asked), None)
    if refusal is not None:
        return failed(asked, 400, "invalid_request_error", refusal)
    if not asked.model.startswith("claude-"):
        return failed(asked, 404, "not_found_error", f"model: {asked.model}")
    return None


def _credential(headers: Mapping[str, str]) -> str | None:
    kind, _, bearer = headers.get("Authorization", "").partition(" ")
    return bearer.strip() if kind.lower() == "bearer" else headers.get("x-api-key")


def _mistakes(asked: Asked) -> Iterator[str]:
    version = asked.headers.get("anthropic-version")
    if version is None:
        yield "anthropic-version: header is required"
    elif version != VERSION:
        yield f'anthropic-version: "{version}" is not a valid version'
    if not asked.body:
        yield "The request body is not valid JSON"
    if _surrogates(asked.body):
        yield "The request body is not valid JSON: no low surrogate in string"
    for check in CHECKS:
        yield from check(asked.body)
    if asked.path != COUNT:
        yield from _max_tokens(asked.body)


def _surrogates(body: Mapping[str, Any]) -> bool:
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _fields(body: Mapping[str, Any]) -> Iterator[str]:
    for name in SAMPLING:
        if name in body:
            yield f"{name}: sampling parameters are not supported by this version of the API"
    for name in body:
        if name not in FIELDS:
            yield f"{name}: Extra inputs are not permitted"
    if not isinstance(body.get("model"), str):
        yield "model: Field required"
    if body.get("stream"):
        yield "stream: the stand-in does not stream"


def _max_tokens(body: Mapping[str, Any]) -> Iterator[str]:
    most = body.get("max_tokens")
    if most is None:
        yield "max_tokens: Field required"
    elif type(most) is not int:
        yield "max_tokens: Input should be a valid integer"
    elif not 1 <= most <= MOST_TOKENS:
        yield f"max_tokens: {most} is not within 1 and {MOST_TOKENS}"


def _turns(body: Mapping[str, Any]) -> Iterator[str]:
    turns = body.get("messages")
    if not isinstance(turns, list) or not all(isinstance(each, dict) for each in turns):
        yield "messages: Field required"
        return
    if not turns:
        yield "messages: at least one message is required"
        return
    for number, turn in enumerate(turns):
        yield from _turn(f"messages.{number}", turn)
    if turns[0].get("role") != "user":
        yield "messages: first message must use the user role"
    if turns[-1].get("role") == "assistant":
        yield (
            "This model does not support assistant message prefill."
            " The conversation must end with a user message."
        )
    yield from _results(turns)


def _turn(where: str, turn: Mapping[str, Any]) -> Iterator[str]:
    if turn.get("role") not in {"user", "assistant"}:
        yield f"{where}.role: Input should be 'user' or 'assistant'"
    content = turn.get("content")
    if not content or not isinstance(content, str | list):
        yield f"{where}: all messages must have non-empty content"
        return
    for number, block in enumerate(content if isinstance(content, list) else []):
        kind = block.get("type") if isinstance(block, dict) else None
        if kind is None:
            yield f"{where}.content.{number}: Field required"
        elif kind == "text" and not block.get("text"):
            yield f"{where}: text content blocks must be non-empty"
        elif "citations" in block or (kind == "document" and turn.get("role") == "assistant"):
            yield f"{where}.content.{number}: Extra inputs are not permitted"


def _results(turns: list[Mapping[str, Any]]) -> Iterator[str]:
    """Object to results of tools that nobody called, and to calls that have no result."""
    called: set[str] = set()
    for number, turn in enumerate(turns):
        blocks = turn["content"] if isinstance(turn.get("content"), list) else []
        results = {each.get("tool_use_id") for each in blocks if _is(each, "tool_result")}
        for stray in sorted(str(each) for each in results - called):
            where = f"messages.{number}"
            yield f"{where}: unexpected `tool_use_id` found in `tool_result` blocks: {stray}"
        for open_ in sorted(called - results):
            yield (
                f"messages.{number}: `tool_use` ids were found without `tool_result` blocks"
                f" immediately after: {open_}"
            )
        called = {str(each.get("id")) for each in blocks if _is(each, "tool_use")}


def _is(block: object, kind: str) -> bool:
    return isinstance(block, dict) and block.get("type") == kind


def _thinking(body: Mapping[str, Any]) -> Iterator[str]:
    thinking = body.get("thinking")
    kind = thinking.get("type") if isinstance(thinking, dict) else None
    if kind in {"disabled", "enabled"}:
        yield f"thinking.type: '{kind}' is not supported by this model"
    choice = body.get("tool_choice")
    forced = choice.get("type") if isinstance(choice, dict) else None
    if forced in {"tool", "any"}:
        yield f"tool_choice.type: '{forced}' is not supported by this model"


def _output(body: Mapping[str, Any]) -> Iterator[str]:
    config = body.get("output_config", {})
    if not isinstance(config, dict):
        yield "output_config: Input should be a valid dictionary"
        return
    if config.get("effort", "medium") not in EFFORTS:
        yield f"output_config.effort: Input should be one of {', '.join(EFFORTS)}"
    form = config.get("format")
    if form is None:
        return
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        yield "output_config.format.type: Input should be 'json_schema'"
        return
    yield from schema.mistakes(form.get("schema"), where="output_config.format.schema")


def _metadata(body: Mapping[str, Any]) -> Iterator[str]:
    metadata = body.get("metadata", {})
    user = metadata.get("user_id") if isinstance(metadata, dict) else metadata
    if user is not None and not (isinstance(user, str) and 0 < len(user) <= USER_ID_LIMIT):
        yield f"metadata.user_id: String should have at most {USER_ID_LIMIT} characters"


CHECKS: tuple[Check, ...] = (_fields, _turns, _thinking, _output, _metadata)
