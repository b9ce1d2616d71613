"""The supervisor's HTTP API: commands, faults, and what runs."""

import json
import logging
from dataclasses import asdict, dataclass

import aiohttp
from aiohttp import web

from orchestrator.clock import Clock
from orchestrator.loopback import local_callers_only
from orchestrator.supervisor import command, fault
from orchestrator.supervisor.control import Control, KeyReused
from orchestrator.supervisor.forward import Answer
from orchestrator.supervisor.journal import Journal
from orchestrator.supervisor.process import Child

BODY_LIMIT = 64 * 1024

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the handlers work on; opened and closed by whoever serves the application."""

    children: dict[str, Child]
    control: Control
    journal: Journal
    http: aiohttp.ClientSession
    clock: Clock


PARTS = web.AppKey("parts", Parts)


def application(parts: Parts) -> web.Application:
    """Return the supervisor's application."""
    app = web.Application(middlewares=[local_callers_only], client_max_size=BODY_LIMIT)
    app[PARTS] = parts
    app.add_routes(
        [
            web.post("/control/{project}", _control),
            web.post("/faults/{project}/{fault:[a-z_]+}", _begin_fault),
            web.delete("/faults/{project}/{fault:[a-z_]+}", _end_fault),
            web.get("/commands", _commands),
            web.get("/services", _services),
            web.get("/-/healthy", _healthy),
        ]
    )
    return app


async def _control(request: web.Request) -> web.Response:
    parts, project = request.app[PARTS], _project(request).service.name
    key = request.headers.get(command.KEY)
    try:
        wish = command.read(project=project, key=key, body=await request.read())
        outcome, replayed = await parts.control.submit(wish)
    except command.BadCommand as error:
        raise _refused(web.HTTPBadRequest, str(error)) from error
    except KeyReused as error:
        raise _refused(web.HTTPUnprocessableEntity, str(error)) from error
    said = {"service": project, "action": wish.action, "key": wish.key, "state": outcome.state}
    log.info("command answered", extra={**said, "replayed": replayed, "detail": outcome.detail})
    headers = {"Idempotency-Replayed": "true"} if replayed else None
    return web.json_response(asdict(outcome), headers=headers)


async def _begin_fault(request: web.Request) -> web.Response:
    child, name = _project(request), request.match_info["fault"]
    http = request.app[PARTS].http
    answer = await fault.begin(child, name, query=request.query_string, http=http)
    return _answered(request, answer)


async def _end_fault(request: web.Request) -> web.Response:
    parts, child = request.app[PARTS], _project(request)
    name = request.match_info["fault"]
    return _answered(request, await fault.end(child, name, http=parts.http, clock=parts.clock))


def _answered(request: web.Request, answer: Answer) -> web.Response:
    said = {"method": request.method, "fault": request.path, "status": answer.status}
    log.info("fault answered", extra=said)
    return web.json_response(answer.body, status=answer.status)


async def _commands(request: web.Request) -> web.Response:
    executions = request.app[PARTS].journal.executions()
    return web.json_response([asdict(execution) for execution in executions])


async def _services(request: web.Request) -> web.Response:
    children = request.app[PARTS].children.values()
    return web.json_response([asdict(child.condition) for child in children])


async def _healthy(_: web.Request) -> web.Response:
    return web.json_response({"status": "healthy"})


def _project(request: web.Request) -> Child:
    """Return the service that the path names, if it is a project; it is one by having a URL."""
    children, name = request.app[PARTS].children, request.match_info["project"]
    child = children.get(name)
    if child is None or child.service.url is None:
        known = ", ".join(name for name, child in children.items() if child.service.url)
        raise _refused(web.HTTPNotFound, f"no such project; known: {known or 'none'}")
    return child


def _refused(kind: type[web.HTTPClientError], error: str) -> web.HTTPClientError:
    return kind(text=json.dumps({"error": error}), content_type="application/json")
