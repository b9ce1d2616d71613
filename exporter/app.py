"""The exporter's HTTP side, and the tasks that feed it."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from exporter.exposition import Health, Resources, registry
from exporter.schedule import Board, watch
from orchestrator import probe
from orchestrator.config import Config
from orchestrator.loopback import local_callers_only

Parts = dict[frozenset[str], CollectorRegistry]  # by what `collect[]` names

PARTS: web.AppKey[Parts] = web.AppKey("parts", dict)


def make(config: Config, *, version: str) -> web.Application:
    """Build the application that watches the projects of *config* while it runs."""
    board = Board()
    health = Health(board)
    resources = Resources(board, version=version, projects=lambda: len(config.projects))
    app = web.Application(middlewares=[local_callers_only])
    app[PARTS] = {
        frozenset({"health"}): registry(health),
        frozenset({"resources"}): registry(resources),
        frozenset({"health", "resources"}): registry(health, resources),
    }
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/-/healthy", _healthy)
    app.cleanup_ctx.append(partial(_watching, config, board))
    return app


async def _watching(config: Config, board: Board, _: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession() as session:
        ask = partial(probe.ask, session)
        spread = max(len(config.projects), 1)
        tasks = [
            asyncio.create_task(
                watch(
                    project,
                    ask,
                    board,
                    first_after=project.health_interval.total_seconds() * place / spread,
                ),
                name=f"watch {project.name}",
            )
            for place, project in enumerate(config.projects.values())
        ]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _metrics(request: web.Request) -> web.Response:
    wanted = frozenset(request.query.getall("collect[]", ["health", "resources"]))
    part = request.app[PARTS].get(wanted)
    if part is None:
        said = ", ".join(sorted(wanted - {"health", "resources"}))
        raise web.HTTPBadRequest(text=f"collect[]={said}: not known; it is health or resources\n")
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return web.Response(body=encode(part), headers={"Content-Type": content_type})


async def _healthy(_: web.Request) -> web.Response:
    return web.Response(text="healthy\n")
