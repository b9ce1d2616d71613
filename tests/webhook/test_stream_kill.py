"""The stream across a `kill -9`: what was told is told once, and what was stored is told."""

import asyncio
import signal
import sqlite3
from contextlib import suppress
from pathlib import Path

import aiohttp

from tests.conftest import FreePort
from tests.waiting import until
from tests.webhook import make
from tests.webhook.test_main import _running

MANY = 300  # events before it is killed, at least
GONE = (aiohttp.ClientError, ConnectionError, TypeError)  # a message that ends it is no JSON


async def _post(http: aiohttp.ClientSession, url: str, first: int) -> None:
    """Post alerts, each about a project of its own, until nobody takes them."""
    with suppress(aiohttp.ClientError):
        for begin in range(first, first + 100_000, 20):
            alerts = [
                make.alert(project=f"p{number}", fingerprint=f"f{number}")
                for number in range(begin, begin + 20)
            ]
            async with http.post(f"{url}/alerts", data=make.body(*alerts)) as response:
                response.raise_for_status()


async def _follow(http: aiohttp.ClientSession, url: str, seen: list[int]) -> None:
    """Note the ids of what comes after what was seen, until the connection ends."""
    with suppress(*GONE):
        async with http.ws_connect(f"{url}/ws?after={seen[-1]}") as socket:
            while True:
                seen.append((await socket.receive_json())["id"])


async def test_who_reads_on_after_a_kill_misses_nothing_and_gets_nothing_twice(
    http: aiohttp.ClientSession, tmp_path: Path, free_port: FreePort
) -> None:
    port = free_port()
    url, listen = f"http://127.0.0.1:{port}", ("--listen", f"127.0.0.1:{port}")
    config = tmp_path / "orchestrator.yml"
    config.write_text("projects: []\nalertmanagers: [http://127.0.0.1:1]\n")
    seen = [0]
    for first in (0, 200_000):
        async with _running(config, port, *listen) as webhook:
            until_then = len(seen) + MANY
            posting = asyncio.create_task(_post(http, url, first))
            reading = asyncio.create_task(_follow(http, url, seen))

            async def enough(many: int = until_then) -> bool:
                return len(seen) > many

            await until(enough, within=30, what="events")
            webhook.process.send_signal(signal.SIGKILL)
            await asyncio.gather(posting, reading)
    async with _running(config, port, *listen):
        stored = _stored(tmp_path / "x.db")

        async def all_of_them() -> bool:
            return len(seen) > stored

        reading = asyncio.create_task(_follow(http, url, seen))
        await until(all_of_them, within=30, what="the rest")
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    assert seen == list(range(len(seen)))


def _stored(path: Path) -> int:
    reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    [(newest,)] = reader.execute("SELECT max(id) FROM events").fetchall()
    reader.close()
    return int(newest)
