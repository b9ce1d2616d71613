"""What the tests of the stream have in common: events to tell, and readers that do not read."""

import asyncio
import gc
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from tests.webhook import make
from tests.webhook.make import NOW
from webhook import event
from webhook.api.desk import DESK
from webhook.store import rows

Ids = list[int]

LONG = "x" * 4_000  # an event's text, so that a few hundred fill every buffer


async def tell(made: web.Application, many: int, text: str = "x") -> None:
    """Store so many events."""
    told = [event.escalated(make.incident(), text, at=NOW)] * many
    await made[DESK].store(rows.publish, told)


async def ids(socket: aiohttp.ClientWebSocketResponse, many: int) -> Ids:
    """Return the ids of the next messages."""
    async with asyncio.timeout(20):
        return [(await socket.receive_json())["id"] for _ in range(many)]


@asynccontextmanager
async def deaf(url: str, after: int = 0) -> AsyncIterator[socket.socket]:
    """Open the stream, and read nothing of it."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.setblocking(False)  # noqa: FBT003  the socket's own
    loop = asyncio.get_running_loop()
    host, port = re.findall(r"[\d.]+", url)
    await loop.sock_connect(reader, (host, int(port)))
    head = (
        f"GET /ws?after={after} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await loop.sock_sendall(reader, head.encode())
    try:
        yield reader
    finally:
        reader.close()


async def nothing_is_kept() -> bool:
    """Tell whether no connection holds what could not be sent."""
    ways = [each for each in gc.get_objects() if isinstance(each, asyncio.WriteTransport)]
    return not any(each.get_write_buffer_size() for each in ways)


def seated(made: web.Application, many: int) -> Callable[[], Awaitable[bool]]:
    """Return the question whether so many read now."""

    async def look() -> bool:
        return len(made[DESK].stream._seats) == many

    return look
