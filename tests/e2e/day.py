"""An exporter whose day goes by in minutes: its wheel is turned faster than time.

Everything is the exporter's own code on real sockets, in a process of its own, so that what the
kernel counts for it is the exporter's.
"""

import asyncio
import contextlib
from itertools import count
from pathlib import Path

import click
from aiohttp import web

from exporter import app, routes
from exporter.watch import Watch
from orchestrator.source import Source

ROUND = 30  # seconds, after which each project was asked for everything


async def _day(source: Source, port: int, faster: float) -> None:
    application = app.make(source, source.load(), version="1.2.3")
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await _keep_turning(application[routes.DESK].watch, faster)
    finally:
        await runner.cleanup()


async def _keep_turning(watch: Watch, faster: float) -> None:
    """Turn the wheel so much *faster* than it would, beside its own turning.

    First of all everything is begun at once, so that every connection that will be kept is open
    from the start: whatever is more at the end is lost.
    """
    for begin in watch.due(0.0, ROUND):
        begin()
    loop, every = asyncio.get_running_loop(), watch.slot / faster
    origin = loop.time()
    for slot in count():
        await asyncio.sleep(max(0.0, origin + slot * every - loop.time()))
        for begin in watch.due(slot * watch.slot, (slot + 1) * watch.slot):
            begin()


@click.command()
@click.option("--config", type=click.Path(path_type=Path), required=True)
@click.option("--port", type=int, required=True)
@click.option("--faster", type=float, required=True, help="Than time: 144 is a day in 10 minutes.")
def main(config: Path, port: int, faster: float) -> None:
    """Watch the projects of a configuration, each asked far more often than it says."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_day(Source(path=config), port, faster))


if __name__ == "__main__":
    main()
