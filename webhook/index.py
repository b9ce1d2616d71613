"""The index: brings what can be searched up to date, some seconds behind, beside everything."""

import asyncio

from webhook.store import search
from webhook.store.database import Store
from webhook.store.reader import Reader

EVERY = 2.0  # seconds
PAUSE = 0.05  # seconds between two batches: after an upgrade there may be a million events


async def once(read: Reader, store: Store) -> None:
    """Take up the next of the new events, and wait, for longer when there are none.

    The texts are gathered beside the writer, which then has only to store them.
    """
    batch = await read(search.gather)
    if batch is not None:
        await store(search.keep, batch)
    await asyncio.sleep(EVERY if batch is None else PAUSE)
