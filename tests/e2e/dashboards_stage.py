"""The stage of the story: a demo stack with a past, a stand-in for Claude, and a newcomer."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from orchestrator import loopback
from orchestrator.demo.launch import running
from orchestrator.demo.stack import FAST, Stack
from orchestrator.loopback import address
from tests.e2e import dashboards_past as past
from tests.e2e.conftest import Live
from tests.e2e.dashboards_newcomer import Newcomer
from tests.e2e.dashboards_story import Cast, overloaded_at_first
from tests.messages import stand_in

REMEMBERED: Final = timedelta(hours=30)  # a day, and half a day in which an alert of it looks
LATELY: Final = timedelta(minutes=1)  # of which nothing is remembered: Prometheus itself begins
# What is scraped every 15 seconds as we ship it would be seen twice in the whole story.
PACE: Final = replace(
    FAST,
    scrapes={**FAST.scrapes, "webhook": "1s", "prometheus": "1s", "alertmanager": "1s"},
)
ANALYZER: Final[Mapping[str, Any]] = {"mode": "always"}  # Claude is asked before all that is done


@asynccontextmanager
async def staged(
    stack: Stack, ports: Iterator[int], *, now: datetime, patience: float, apart: str
) -> AsyncIterator[Cast]:
    """Run *stack* with all that takes part, until the block ends; *ports* are for what is beside.

    *patience* and *apart* are those of the cast.
    """
    database = stack.folder / "prometheus"
    async with AsyncExitStack() as opened:

        async def serve(app: web.Application) -> str:
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            opened.push_async_callback(runner.cleanup)
            where = f"127.0.0.1:{next(ports)}"
            await loopback.bind(runner, address(where))
            return f"http://{where}"

        promtool = stack.binaries.promtool
        await past.remembered(promtool, database, length=REMEMBERED, end=now - LATELY)
        url, claude = await stand_in(serve)
        overloaded_at_first(claude)
        newcomer = Newcomer()
        newcomer.url = await serve(newcomer.application())
        analyzing = replace(stack, analyzer={**stack.analyzer, **ANALYZER, "url": url})
        past.judged(stack.folder / "orchestrator.db", now=now)
        session, _ = await opened.enter_async_context(running(analyzing))
        live = Live(analyzing, session)
        yield Cast(live=live, newcomer=newcomer, patience=patience, apart=apart)
