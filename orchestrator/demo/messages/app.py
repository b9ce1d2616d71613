"""The stand-in's listener: it checks what comes over the wire, and plays a step for it."""

import asyncio
import json
import logging
import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web

from orchestrator import clock
from orchestrator.demo.messages import step, wire
from orchestrator.demo.messages.asked import COUNT, MESSAGES, Asked
from orchestrator.demo.messages.step import Play, Step
from orchestrator.loopback import local_callers_only

LABEL = "a stand-in for the Messages API; no Claude answers here"
SUFFIX = "+stand-in"  # of a model's name, wherever people may read it
BODY_LIMIT = 32 * 1024 * 1024  # bytes, as the real one has it
PIECES = 10  # that a slow body comes in
TICK = 0.02  # seconds between two looks whether a caller has hung up
LIMITS = {"requests": 50, "input-tokens": 50_000, "output-tokens": 10_000}  # a minute

Ended = Callable[[Asked, bool], None]  # a request is over; whether its caller stayed for the end

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the handlers work on."""

    play: Play
    key: str | None
    ended: Ended


PARTS = web.AppKey("parts", Parts)


def _forget(_: Asked, __: bool) -> None:  # noqa: FBT001  as Ended has it
    pass


def application(play: Play, *, key: str | None = None, ended: Ended = _forget) -> web.Application:
    """Return a listener that answers with what *play* says; with *key*, to its bearer only."""
    app = web.Application(middlewares=[local_callers_only], client_max_size=BODY_LIMIT)
    app[PARTS] = Parts(play, key, ended)
    app.add_routes(
        [
            web.get("/", _label),
            web.post(MESSAGES, _messages),
            web.post(COUNT, _count),
            web.route("*", "/{other:.*}", _other),
        ]
    )
    return app


async def _label(_: web.Request) -> web.Response:
    return web.Response(text=f"{LABEL}\n")


async def _messages(request: web.Request) -> web.StreamResponse:
    parts = request.app[PARTS]
    asked, objection = await _asked(request)
    refused = objection or wire.objection(asked, key=parts.key)
    chosen = refused or parts.play(asked)
    logger.info(
        "asked",
        extra={
            "model": f"{asked.model}{SUFFIX}",
            "status": chosen.status,
            "input_tokens": asked.tokens,
        },
    )
    try:
        return await _send(request, asked, chosen)
    finally:
        if refused is None:
            parts.ended(asked, not _left(request))


async def _count(request: web.Request) -> web.StreamResponse:
    asked, objection = await _asked(request)
    found = objection or wire.objection(asked, key=request.app[PARTS].key)
    return await _send(request, asked, found or step.answered({"input_tokens": asked.tokens}))


async def _other(request: web.Request) -> web.StreamResponse:
    asked, _ = await _asked(request)
    return await _send(request, asked, step.failed(asked, 404, "not_found_error", "Not found"))


async def _asked(request: web.Request) -> tuple[Asked, Step | None]:
    """Read a request; the step is what is answered when it is too large."""
    number = uuid.uuid4().hex[:24]
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        asked = Asked(id=number, path=request.path, headers=request.headers, raw=b"")
        text = "Request exceeds the maximum size"
        return asked, step.failed(asked, 413, "request_too_large", text)
    return Asked(
        id=number, path=request.path, headers=request.headers, raw=raw, body=_object(raw)
    ), None


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(raw, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


async def _send(request: web.Request, asked: Asked, chosen: Step) -> web.StreamResponse:
    headers = {**_headers(asked), **chosen.headers, "Content-Type": chosen.content_type}
    if not await _lasts(request, chosen.after):
        return web.Response()  # nobody is there any more to read it
    if not chosen.over and chosen.dropped_at is None:  # head and body in one: two cost 40 ms
        return web.Response(status=chosen.status, headers=headers, body=chosen.body)
    return await _send_badly(request, chosen, headers)


def _left(request: web.Request) -> bool:
    """Tell whether the caller has hung up."""
    return request.transport is None or request.transport.is_closing()


async def _lasts(request: web.Request, seconds: float) -> bool:
    """Wait; tell whether the caller was still there."""
    until = asyncio.get_running_loop().time() + seconds
    while (left := until - asyncio.get_running_loop().time()) > 0:
        if _left(request):
            return False
        await asyncio.sleep(TICK if math.isinf(left) else min(left, TICK))
    return True


async def _send_badly(
    request: web.Request, chosen: Step, headers: Mapping[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(status=chosen.status, headers=headers)
    response.content_length = len(chosen.body)
    await response.prepare(request)
    whole = chosen.body[: chosen.dropped_at]
    size = max(1, -(-len(whole) // PIECES))
    for begin in range(0, len(whole), size):
        if not await _lasts(request, chosen.over / PIECES):
            return response
        await response.write(whole[begin : begin + size])
    if chosen.dropped_at is not None and request.transport is not None:
        request.transport.close()
        return response
    await response.write_eof()
    return response


def _headers(asked: Asked) -> dict[str, str]:
    """Return the headers of every answer, each with the name of the real one but for the last."""
    reset = clock.written(clock.now() + timedelta(minutes=1))
    limits = {f"anthropic-ratelimit-{name}-limit": str(most) for name, most in LIMITS.items()}
    left = {f"anthropic-ratelimit-{name}-remaining": str(most) for name, most in LIMITS.items()}
    resets = {f"anthropic-ratelimit-{name}-reset": reset for name in LIMITS}
    return {
        "request-id": f"req_standin_{asked.id}",
        **limits,
        **left,
        **resets,
        "x-stand-in": LABEL,
    }
