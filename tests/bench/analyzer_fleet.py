"""The projects of the analyzer's benchmark: `python -m tests.bench.analyzer_fleet`.

Each has a loopback address of its own, a log of 200 lines, and uses too much of everything.
"""

import asyncio
import json
import random
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import click
from aiohttp import web

from orchestrator import clock
from tests.bench.fleet import host

LINES: Final = 200
SEED: Final = 7
SAID: Final = (  # as programs write: figures, ids, addresses, and a secret now and then
    ("info", "GET /api/orders/{n} 200 in {f} ms from 10.0.{b}.{b} agent=Mozilla/5.0"),
    ("info", "job {h} of queue mailing finished after {f} s, {n} messages sent"),
    ("warning", "slow query ({f} s): SELECT * FROM orders WHERE customer_id = {n}"),
    ("warning", "heap at {n} MB, collection {n} freed {n} kB in {f} ms"),
    ("error", "request {h} failed: upstream 10.0.{b}.{b}:8443 answered 503 after {f} s"),
    ("error", 'could not send to "user{n}@customers.example": timed out after {f} s'),
    ("error", "Traceback: MemoryError at /srv/app/cache.py:{n} while loading {h}"),
    ("info", "token=ghp_{h}{h} refreshed for tenant {n}"),
    ("debug", "cache hit for key session:{h}, {n} entries, ratio {f}"),
    ("info", "health check answered in {f} ms"),
)


def lines(number: int, end: datetime) -> list[dict[str, str]]:
    """Return the log of project *number*, its last line at *end*."""
    luck = random.Random(SEED + number)  # noqa: S311  the same log each time
    found = []
    for place in range(LINES):
        level, text = luck.choice(SAID)
        figures = {"n": luck.randrange(10**6), "b": luck.randrange(255), "f": luck.random()}
        message = text.format(**figures, h=f"{luck.getrandbits(64):016x}")
        at = clock.written(end - timedelta(seconds=LINES - place))
        found.append({"ts": at, "level": level, "message": message})
    return found


FIGURES: Final = {
    "cpu_percent": 97.4,
    "memory_percent": 95.8,
    "error_percent": 12.6,
    "requests_per_second": 38.2,
}
STATUS: Final = {
    "queue_length": 24,
    "deployed_at": clock.written(datetime(2026, 1, 1, 12, tzinfo=UTC)),
    "cache_bytes": 131_072,
    "workers": 8,
    "region": "eu-central",
}


def application(number: int, now: datetime) -> web.Application:
    """Return project *number*, which says of itself at any time what it said at *now*."""
    app = web.Application()
    for path, content in {
        "/health": {"status": "healthy", "version": "1.4.2"},
        "/metrics": FIGURES,
        "/status": STATUS,
        "/logs": lines(number, now),
    }.items():
        app.router.add_get(path, partial(_said, json.dumps(content).encode()))
    return app


async def _said(body: bytes, _: web.Request) -> web.Response:
    return web.Response(body=body, content_type="application/json")


@click.command()
@click.option("--projects", type=int, required=True)
@click.option("--port", type=int, required=True)
def main(*, projects: int, port: int) -> None:
    """Serve them until the process is ended."""
    asyncio.run(_serve(projects, port))


async def _serve(projects: int, port: int) -> None:
    now = clock.now()
    for number in range(projects):
        runner = web.AppRunner(application(number, now), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, host(number), port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()
