"""Scripting the stand-in for the Messages API: what it answers, step by step, and what it heard."""

import json
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.demo.messages.app import application
from orchestrator.demo.messages.asked import Asked
from orchestrator.demo.messages.step import JSON, Play, Step, answered, failed, message
from tests.conftest import Serve

OK = 200

ANSWER: Mapping[str, Any] = {  # whole and valid; `saying` changes parts of it
    "rationale": [{"claim": "The memory in use has grown to 95 %.", "evidence_ids": ["M1"]}],
    "alternatives": [{"cause": "traffic_spike", "why_not": "The requests are as many as before."}],
    "root_cause_category": "memory_leak",
    "root_cause": "The cache keeps everything.",
    "action": "clear_cache",
    "target_ref": "alert_target",
    "confidence": 0.9,
    "missing_evidence": [],
    "suspicious_text": False,
}


@dataclass(slots=True)
class Script:
    """What is to be answered, oldest first; then `otherwise`, for as long as is asked."""

    otherwise: Play
    plays: deque[Play] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)  # that were well-formed, in their order
    played: dict[str, Step] = field(default_factory=dict)  # by the id of its request
    left: list[str] = field(default_factory=list)  # ids of requests whose callers hung up
    open: set[str] = field(default_factory=set)  # ids of requests that are not answered yet
    most_open: int = 0  # at the same time

    def __call__(self, asked: Asked) -> Step:
        """Play the next step."""
        self.asked.append(asked)
        self.open.add(asked.id)
        self.most_open = max(self.most_open, len(self.open))
        step = (self.plays.popleft() if self.plays else self.otherwise)(asked)
        self.played[asked.id] = step
        return step

    def ended(self, asked: Asked, stayed: bool) -> None:  # noqa: FBT001  as the stand-in calls it
        """Note that a request is over."""
        self.open.discard(asked.id)
        if not stayed:
            self.left.append(asked.id)

    def then(self, *plays: Play) -> None:
        """Answer with *plays* next, one request each."""
        self.plays.extend(plays)

    @property
    def usages(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """The model and the usage of each message that was sent, by the id of the message."""
        found = {}
        for asked in self.asked:
            step = self.played[asked.id]
            if step.status == OK:
                sent = json.loads(step.body)
                found[sent["id"]] = (asked.model, sent["usage"])
        return found

    @property
    def models(self) -> list[str]:
        """Which models were asked."""
        return [each.model for each in self.asked]


async def stand_in(
    serve: Serve, *plays: Play, otherwise: Play | None = None, key: str | None = None
) -> tuple[str, Script]:
    """Serve the stand-in on a real socket; returns its URL and its script."""
    script = Script(otherwise=otherwise or saying(), plays=deque(plays))
    return await serve(application(script, key=key, ended=script.ended)), script


def saying(**parts: Any) -> Play:  # noqa: ANN401  any JSON, wrong types on purpose too
    """Answer with ANSWER, but for *parts*, like `saying(confidence=0.7)`."""
    return telling(text=json.dumps({**ANSWER, **parts}))


def telling(
    *,
    text: str = "",
    blocks: Sequence[Mapping[str, Any]] | None = None,
    stop_reason: str = "end_turn",
    usage: Mapping[str, Any] | None = None,
) -> Play:
    """Answer with any *text*, or *blocks*, and any stop reason and usage."""
    return lambda asked: answered(
        message(asked, text=text, blocks=blocks, stop_reason=stop_reason, usage=usage)
    )


def refusing(category: str | None = None, *, text: str | None = None) -> Play:
    """Refuse, as the real one does: by 200, mostly without any text."""
    details = {"type": "refusal", "category": category, "explanation": None}
    blocks = [] if text is None else [{"type": "text", "text": text}]
    return lambda asked: answered(
        message(asked, blocks=blocks, stop_reason="refusal", stop_details=details)
    )


KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def failing(
    status: int,
    text: str = "scripted",
    *,
    code: str | None = None,
    kind: str | None = None,
    **headers: str,
) -> Play:
    """Fail with *status*; headers are written with `_`, like `retry_after="0.3"`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    of = kind or KINDS.get(status, "api_error")
    return lambda asked: failed(asked, status, of, text, code=code, headers=named)


def sending(body: bytes, *, status: int = 200, content_type: str = JSON) -> Play:
    """Send any bytes."""
    return lambda _: Step(body=body, status=status, content_type=content_type)


def hanging() -> Play:
    """Never answer; the connection stays open until the caller closes it."""
    return late(saying(), math.inf)


def late(play: Play, seconds: float) -> Play:
    """Send the whole answer of *play* after *seconds*."""
    return lambda asked: replace(play(asked), after=seconds)


def trickling(play: Play, seconds: float) -> Play:
    """Send the head at once, and the body in pieces within *seconds*."""
    return lambda asked: replace(play(asked), over=seconds)


def dropping(play: Play, at: int = 40) -> Play:
    """Close the connection after *at* bytes of the body; 0 is after the head."""
    return lambda asked: replace(play(asked), dropped_at=at)
