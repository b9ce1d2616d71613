"""A program that tells people and does nothing else, to be killed in tests: DB and the peers."""

import asyncio
import signal
import sys
from functools import partial
from pathlib import Path

import aiohttp

from orchestrator import clock
from webhook.escalate import Effects, Switchboard, post
from webhook.store import paging
from webhook.store.database import Store


async def main(path: Path, peers: list[str]) -> None:
    """Post what is due until SIGTERM, wired as in webhook/app.py."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    store = Store(path)
    async with aiohttp.ClientSession() as session:
        effects = Effects(
            due=lambda at: store(paging.due, at=at),
            posted=lambda page, again: store(paging.posted, page, again=again),
            post=partial(post, session),
            now=clock.now,
        )
        board = Switchboard(effects, peers)
        while not stop.is_set():
            await board.once()
            await asyncio.sleep(0.05)
        for call in board.running:
            call.cancel()
        await asyncio.gather(*board.running, return_exceptions=True)
    store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
