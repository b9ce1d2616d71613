"""The exporter, put together: connections, prober, wheel and routes, opened in order."""

import asyncio
import gc
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import disable_created_metrics

from exporter import routes
from exporter.board import Board
from exporter.instruments import Instruments
from exporter.page import Page
from exporter.prober import Prober
from exporter.pulse import Pulse
from exporter.schedule import keep_turning
from exporter.shard import WHOLE, Shard
from exporter.watch import Watch
from orchestrator import clock, fetch
from orchestrator.config import Config
from orchestrator.loopback import local_callers_only
from orchestrator.reload import Reload, Told
from orchestrator.source import Source

COLLECT_AFTER = (700, 10, 1000)  # objects, and collections of the younger generations
SETTLED_AFTER = 45.0  # seconds: by then every project has been asked for everything


def make(
    source: Source,
    config: Config,
    *,
    version: str,
    shard: Shard = WHOLE,
    admitting: Sequence[Middleware] = (local_callers_only,),
) -> web.Application:
    """Build the application that watches the projects of *config* while it runs.

    *source* is where the configuration came from, and comes from again; *admitting* decides who
    may call.
    """
    disable_created_metrics()  # type: ignore[no-untyped-call]  # a second family beside each counter
    app = web.Application(middlewares=list(admitting))
    app[routes.PAGE] = Page()
    app[routes.INSTRUMENTS] = Instruments(version=version, shard=str(shard))
    app.router.add_routes(routes.ROUTES)
    app.cleanup_ctx.append(partial(_watching, source, config, shard))
    return app


async def _watching(
    source: Source, config: Config, shard: Shard, app: web.Application
) -> AsyncIterator[None]:
    page, instruments = app[routes.PAGE], app[routes.INSTRUMENTS]
    beats = Pulse(asyncio.get_running_loop().time())
    board = Board(page)
    async with fetch.connections() as session:
        prober = Prober(session, board, beats, instruments)
        watch = Watch(board, prober, instruments, shard)
        watch.take(config)
        reload = Reload(source, config, watch.take, _told(instruments))
        app[routes.DESK] = routes.Desk(session=session, beats=beats, watch=watch, reload=reload)
        turning = keep_turning(watch, beats, instruments)
        async with _running(turning=turning, following=reload.follow(), settling=_settle()):
            yield
        await prober.close()


def _told(instruments: Instruments) -> Told:
    return Told(
        good=lambda: instruments.reloaded_well(clock.now()),
        refused=lambda: instruments.reloaded.set(0),
        failed=instruments.failures.inc,
    )


async def _settle() -> None:
    """Take what lives as long as the exporter out of the garbage collection's sight.

    Else each full collection walks through every connection: 70 ms for 5,000 of them, in which
    no slot begins.
    """
    gc.set_threshold(*COLLECT_AFTER)
    await asyncio.sleep(SETTLED_AFTER)
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def _running(**loops: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each, name=name) for name, each in loops.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
