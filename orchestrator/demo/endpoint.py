"""The endpoints of a demo project: docs/endpoint-contract.md, and the faults beside it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import asdict, dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from orchestrator.clock import Clock, written
from orchestrator.demo import control, fault
from orchestrator.demo.fault import FAULTS, By
from orchestrator.demo.instance import Instance
from orchestrator.loopback import local_callers_only

BODY_LIMIT = 64 * 1024
SLOW = 1.5  # seconds that /health takes under the fault `slow`
BEAT = 1.0  # seconds between two writes to the database


@dataclass(frozen=True, slots=True)
class Parts:
    """What the handlers work on."""

    instance: Instance
    clock: Clock
    answers: control.Answers


PARTS = web.AppKey("parts", Parts)


def application(instance: Instance, clock: Clock) -> web.Application:
    """Return the application of *instance*; it beats for as long as it is served."""
    app = web.Application(
        middlewares=[_hang, local_callers_only],  # a hanging process tells nobody off either
        client_max_size=BODY_LIMIT,
    )
    app[PARTS] = Parts(instance, clock, control.Answers())
    app.cleanup_ctx.append(_beating)
    app.add_routes(
        [
            web.get("/health", _health),
            web.get("/metrics", _metrics),
            web.get("/status", _status),
            web.get("/logs", _logs),
            web.post("/control", _control),
            web.post("/faults/{fault}", _begin_fault),
            web.delete("/faults/{fault}", _end_fault),
        ]
    )
    return app


async def _beating(app: web.Application) -> AsyncIterator[None]:
    parts = app[PARTS]

    async def beat() -> None:
        while True:
            await asyncio.sleep(BEAT)
            parts.instance.beat(parts.clock())

    beating = asyncio.create_task(beat())
    yield
    beating.cancel()
    with suppress(asyncio.CancelledError):
        await beating


@web.middleware
async def _hang(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer nothing while the fault `hang` is on, but for the way out of it."""
    parts = request.app[PARTS]
    parts.instance.settle(parts.clock())
    if "hang" in parts.instance.faults and not request.path.startswith("/faults/"):
        await asyncio.Event().wait()  # until the caller hangs up, or the process ends
    return await handler(request)


async def _health(request: web.Request) -> web.Response:
    instance = request.app[PARTS].instance
    if "slow" in instance.faults:
        await asyncio.sleep(SLOW)
    health = instance.health()
    return web.json_response(health.body, status=health.http_status)


async def _metrics(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    return web.json_response(parts.instance.metrics(parts.clock()))


async def _status(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    return web.json_response(parts.instance.status(parts.clock()))


async def _logs(request: web.Request) -> web.Response:
    return web.json_response([asdict(line) for line in request.app[PARTS].instance.lines])


async def _control(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    try:
        key, action = control.read(request.headers.get(control.KEY), await request.read())
        earlier = parts.answers.find(key, action)
    except control.BadCommand as error:
        raise _refused(web.HTTPBadRequest, str(error)) from error
    except control.KeyReused as error:
        raise _refused(web.HTTPUnprocessableEntity, str(error)) from error
    if earlier is not None:
        return web.json_response(asdict(earlier), headers={"Idempotency-Replayed": "true"})
    answer = control.carry_out(parts.instance, action, at=parts.clock())
    parts.answers.keep(key, action, answer)
    return web.json_response(asdict(answer))


async def _begin_fault(request: web.Request) -> web.Response:
    """Break the project on purpose. A demo project can; nobody else's should."""
    name, parts = _known(request), request.app[PARTS]
    at = parts.clock()
    try:
        length = fault.length(request.query.get("for"))
        percent = fault.percentage(name, request.query.get("percent"))
    except (fault.BadLength, fault.BadPercentage) as error:
        raise _refused(web.HTTPBadRequest, str(error)) from error
    until = at + length if length else None
    parts.instance.suffer(name, at=at, until=until, percent=percent)
    return _done(request, name, written(at))


async def _end_fault(request: web.Request) -> web.Response:
    name, parts = _known(request), request.app[PARTS]
    at = parts.clock()
    parts.instance.cure(name, at=at)
    return _done(request, name, written(at))


def _known(request: web.Request) -> str:
    name = request.match_info["fault"]
    if name not in FAULTS:
        raise _refused(web.HTTPNotFound, f"no such fault; known: {', '.join(FAULTS)}")
    if FAULTS[name].by is not By.PROJECT:
        raise _refused(web.HTTPConflict, f"{name} is done by the supervisor; ask it there")
    return name


def _done(request: web.Request, name: str, at: str) -> web.Response:
    project = request.app[PARTS].instance.name
    return web.json_response({"project": project, "fault": name, "at": at})


def _refused(kind: type[web.HTTPClientError], error: str) -> web.HTTPClientError:
    return kind(text=json.dumps({"error": error}), content_type="application/json")
