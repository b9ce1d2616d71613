"""A step: what the stand-in answers to one request, and how slowly or how badly it is sent."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.demo.messages.asked import Asked, tokens

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One answer over HTTP. `after` and `over` are seconds; an infinite `after` is a hang."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0  # before the head is sent
    over: float = 0.0  # that the body is stretched over, in ten pieces
    dropped_at: int | None = None  # bytes of the body, after which the connection is cut


Play = Callable[[Asked], Step]


def message(
    asked: Asked,
    *,
    text: str = "",
    blocks: Sequence[Mapping[str, Any]] | None = None,
    stop_reason: str = "end_turn",
    stop_details: Mapping[str, Any] | None = None,
    usage: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a Message that answers *asked* with *text*, or with *blocks* where they are given."""
    content = [{"type": "text", "text": text}] if blocks is None else list(blocks)
    return {
        "id": f"msg_standin_{asked.id}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "stop_details": stop_details,
        "usage": {**figures(asked, content), **(usage or {})},
    }


def figures(asked: Asked, content: object) -> dict[str, Any]:
    """Return the usage of an answer: tokens by the sizes of both bodies, none from a cache."""
    return {
        "input_tokens": asked.tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": tokens(json.dumps(content).encode()),
        "output_tokens_details": {"thinking_tokens": 0},
        "service_tier": "standard",
    }


def answered(content: Mapping[str, Any]) -> Step:
    """Return the step that answers *content*, and nothing goes wrong."""
    return Step(body=json.dumps(content).encode())


def failed(
    asked: Asked,
    status: int,
    kind: str,
    text: str,
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Step:
    """Return an error in the shape of the real ones; *code* is its stable name, if it has one."""
    error: dict[str, Any] = {"type": kind, "message": text}
    if code is not None:
        error["details"] = {"error_code": code}
    body = {"type": "error", "error": error, "request_id": f"req_standin_{asked.id}"}
    return Step(body=json.dumps(body).encode(), status=status, headers=headers or {})
