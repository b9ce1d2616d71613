"""What a browser needs for a picture, on one origin: the page, the dashboards, Prometheus."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

HERE = Path(__file__).parent
DASHBOARDS = HERE.parents[1] / "deploy" / "grafana" / "dashboards"
ICONS = HERE / "node_modules" / "@grafana" / "ui" / "dist" / "public" / "img" / "icons"

ANSWER_WITHIN = aiohttp.ClientTimeout(total=30)


@asynccontextmanager
async def site(prometheus: URL, *, port: int) -> AsyncIterator[str]:
    """Serve on loopback; yield the address. *prometheus* may be below a prefix."""
    async with aiohttp.ClientSession(timeout=ANSWER_WITHIN) as session:
        runner = web.AppRunner(app(session, prometheus), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield f"http://127.0.0.1:{port}"
        finally:
            await runner.cleanup()


def app(session: aiohttp.ClientSession, prometheus: URL) -> web.Application:
    """Serve the page, what it reads, and the questions that it asks *prometheus*."""

    async def index(_: web.Request) -> web.FileResponse:
        return web.FileResponse(HERE / "built" / "index.html")

    made = web.Application()
    made.router.add_get("/", index)
    made.router.add_static("/assets", HERE / "built" / "assets")
    made.router.add_static("/public/build/img/icons", ICONS)
    made.router.add_static("/dashboards", DASHBOARDS)
    made.router.add_route("*", "/api/v1/{rest:.*}", asking(session, prometheus))
    return made


def asking(session: aiohttp.ClientSession, prometheus: URL) -> Handler:
    """Return what passes a question on; it answers 502 as Prometheus words its own errors."""

    async def ask(request: web.Request) -> web.Response:
        form = dict(await request.post())
        url = prometheus.joinpath(request.path.removeprefix("/")).with_query(request.query)
        try:
            async with session.request(request.method, url, data=form or None) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as reason:
            text = str(reason) or "no answer in time"
            return web.json_response({"status": "error", "error": text}, status=502)
        return web.Response(body=body, status=answer.status, content_type=answer.content_type)

    return ask
