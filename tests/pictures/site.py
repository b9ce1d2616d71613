"""What a browser needs for a picture, on one origin: the page, the dashboards, Prometheus."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

HERE = Path(__file__).parent
DASHBOARDS = HERE.parents[1] / "deploy" / "grafana" / "dashboards"
ICONS = HERE / "node_modules" / "@grafana" / "ui" / "dist" / "public" / "img" / "icons"


@asynccontextmanager
async def site(prometheus: str) -> AsyncIterator[str]:
    """Serve on loopback, on a port that is free; yield the address."""
    async with aiohttp.ClientSession(prometheus) as session:
        runner = web.AppRunner(app(session), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


def app(prometheus: aiohttp.ClientSession) -> web.Application:
    """Serve the page, what it reads, and the questions that it asks *prometheus*."""

    async def ask(request: web.Request) -> web.Response:
        form = dict(await request.post())
        try:
            async with prometheus.request(
                request.method, request.rel_url, data=form or None
            ) as answer:
                body = await answer.read()
        except aiohttp.ClientError as reason:
            return web.json_response({"status": "error", "error": str(reason)}, status=502)
        return web.Response(body=body, status=answer.status, content_type=answer.content_type)

    async def index(_: web.Request) -> web.FileResponse:
        return web.FileResponse(HERE / "built" / "index.html")

    made = web.Application()
    made.router.add_get("/", index)
    made.router.add_static("/assets", HERE / "built" / "assets")
    made.router.add_static("/public/build/img/icons", ICONS)
    made.router.add_static("/dashboards", DASHBOARDS)
    made.router.add_route("*", "/api/v1/{rest:.*}", ask)
    return made
