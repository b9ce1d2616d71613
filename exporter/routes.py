"""The routes: what the exporter answers over HTTP."""

import asyncio
import html
from dataclasses import dataclass, field
from itertools import chain

import aiohttp
from aiohttp import web
from prometheus_client.exposition import choose_encoder

from exporter import single
from exporter.board import Endpoint
from exporter.instruments import Instruments, on_the_loop
from exporter.page import Page, Part
from exporter.prober import Turn, turns
from exporter.pulse import Pulse
from exporter.watch import Watch
from orchestrator.config import BadConfig
from orchestrator.fetch import OutOfResources
from orchestrator.reload import Reload

ROUTES = web.RouteTableDef()
OPENMETRICS = "application/openmetrics-text"
END = b"# EOF\n"
SINGLES = 50  # probes by request at once; the others wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the handlers work on while the exporter runs."""

    session: aiohttp.ClientSession
    beats: Pulse
    watch: Watch
    reload: Reload
    singles: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SINGLES))


PAGE: web.AppKey[Page] = web.AppKey("page", Page)
INSTRUMENTS: web.AppKey[Instruments] = web.AppKey("instruments", Instruments)
DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)


@ROUTES.get("/metrics", allow_head=False)
async def metrics(request: web.Request) -> web.StreamResponse:
    """Hand out the page, or the parts of it that `collect[]` names."""
    named = request.query.getall("collect[]", list(Part))
    unknown = sorted(set(named) - set(Part))
    if unknown:
        said = f"collect[]={', '.join(unknown)}: not known; it is {' or '.join(Part)}\n"
        raise web.HTTPBadRequest(text=said)
    behind = _stalled(request)
    if behind:
        raise web.HTTPServiceUnavailable(text=behind)
    parts = frozenset(Part(each) for each in named)
    name = "all" if len(parts) > 1 else str(next(iter(parts)))
    observe = request.app[INSTRUMENTS].scrapes.labels(name).observe
    return await on_the_loop(_page(request, parts), observe)


async def _page(request: web.Request, parts: frozenset[Part]) -> web.StreamResponse:
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    openmetrics = content_type.startswith(OPENMETRICS)
    own = encode(request.app[INSTRUMENTS].registry) if Part.RESOURCES in parts else b""
    end = own or (END if openmetrics else b"")
    chunks = request.app[PAGE].chunks(parts, openmetrics=openmetrics)
    first = next(chunks, b"")
    second = next(chunks, None)
    if second is None:  # small: in one piece, which one packet carries
        return web.Response(body=first + end, headers={"Content-Type": content_type})
    response = web.StreamResponse(headers={"Content-Type": content_type})
    await response.prepare(request)
    for chunk in chain((first, second), chunks, (end,)):
        await response.write(chunk)
    await response.write_eof()
    return response


@ROUTES.get("/probe", allow_head=False)
async def probe(request: web.Request) -> web.Response:
    """Ask one project now, as the multi-target pattern of Prometheus has it."""
    turn = _asked_for(request)
    timeout = request.headers.get("X-Prometheus-Scrape-Timeout-Seconds", "")
    try:
        desk = request.app[DESK]
        async with desk.singles:
            made = await single.ask(desk.session, turn, scrape_timeout=timeout)
    except OutOfResources as error:
        raise web.HTTPServiceUnavailable(text=f"{error}\n") from error
    if request.query.get("debug") == "true":
        return web.Response(text=single.explained(made))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    body = encode(single.registry(made))
    return web.Response(body=body, headers={"Content-Type": content_type})


def _asked_for(request: web.Request) -> Turn:
    """Find target and module; only configured names are asked, so this is no open proxy."""
    projects = request.app[DESK].watch.projects
    name, module = request.query.get("target", ""), request.query.get("module", "health")
    if name not in projects:
        said = f"target={name}: no project that is watched here" if name else "target= is missing"
        raise web.HTTPBadRequest(text=f"{said}; /sd lists them\n")
    if module not in list(Endpoint):
        said = f"module={module}: not known; it is {', '.join(Endpoint)}\n"
        raise web.HTTPBadRequest(text=said)
    project, endpoint = projects[name], Endpoint(module)
    for turn in turns(project):
        if turn.endpoint is endpoint:
            return turn
    raise web.HTTPBadRequest(text=f"{name} is not asked for {module}, by its `paths`\n")


@ROUTES.get("/sd")
async def sd(request: web.Request) -> web.Response:
    """List every project for `http_sd_configs`: its name as the target of /probe."""
    return web.json_response(
        [
            {
                "targets": [each.name],
                "labels": {
                    "project": each.name,
                    "__meta_orchestrator_mode": str(each.mode),
                    **dict(each.labels),
                },
            }
            for each in request.app[DESK].watch.projects.values()
        ]
    )


@ROUTES.get("/-/healthy")
async def healthy(_: web.Request) -> web.Response:
    """Say that the process answers."""
    return web.Response(text="healthy\n")


@ROUTES.get("/-/ready")
async def ready(request: web.Request) -> web.Response:
    """Say whether projects are being asked."""
    behind = _stalled(request)
    if behind:
        raise web.HTTPServiceUnavailable(text=behind)
    return web.Response(text="ready\n")


@ROUTES.post("/-/reload")
@ROUTES.put("/-/reload")
async def reload(request: web.Request) -> web.Response:
    """Read the configuration again."""
    try:
        await request.app[DESK].reload.now()
    except BadConfig as error:
        raise web.HTTPInternalServerError(text=f"{error}\nthe old one stays in force\n") from error
    return web.Response(text="reloaded\n")


@ROUTES.get("/")
async def landing(request: web.Request) -> web.Response:
    """Link everything that is here."""
    names = sorted(request.app[DESK].watch.projects)
    projects = "".join(_LINKS.format(name=html.escape(name)) for name in names[:LISTED])
    more = f"<p>and {len(names) - LISTED} more</p>" if len(names) > LISTED else ""
    return web.Response(text=_LANDING.format(projects=projects + more), content_type="text/html")


def _stalled(request: web.Request) -> str:
    """Say so when nobody is asked any more: then the page would be old news told as fresh."""
    desk = request.app[DESK]
    age = asyncio.get_running_loop().time() - desk.beats.last
    if age <= desk.watch.stale_after:
        return ""
    return f"no project was asked for {age:.0f} s; what is known is too old to tell\n"


LISTED = 100
_LINKS = """<li>{name}:
  <a href="/probe?target={name}&amp;module=health&amp;debug=true">health</a>
  <a href="/probe?target={name}&amp;module=metrics&amp;debug=true">metrics</a>
  <a href="/probe?target={name}&amp;module=status&amp;debug=true">status</a></li>
"""
_LANDING = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>orchestrator: exporter</title>
<h1>Exporter</h1>
<ul>
<li><a href="/metrics">/metrics</a>: the whole fleet;
  <a href="/metrics?collect[]=health">health</a> or
  <a href="/metrics?collect[]=resources">resources</a> alone</li>
<li><a href="/sd">/sd</a>: the projects, for http_sd_configs</li>
<li><a href="/-/healthy">/-/healthy</a>, <a href="/-/ready">/-/ready</a></li>
<li>POST /-/reload reads orchestrator.yml again</li>
</ul>
<h2>Ask a project now</h2>
<ul>
{projects}</ul>
</html>
"""
