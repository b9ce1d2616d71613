"""The stream of events over a WebSocket: every reader at its own pace, from the table."""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Final

from aiohttp import WSCloseCode, web
from pydantic import Field

from webhook.api.desk import Desk
from webhook.api.events import Event
from webhook.api.operation import Call, Number, Query, Table
from webhook.door import STILL
from webhook.problem import Problem
from webhook.store import stream
from webhook.store.stream import Page
from webhook.stream import SEATS, Farewell, Full, Seat
from webhook.token import READERS

PAGE: Final = 100  # events in memory for one reader, at most
SENT_WITHIN: Final = 30.0  # seconds; who takes less than a message in that time is not reading
PING_EVERY: Final = 20.0  # seconds; an answer has half as long
ADMITTED_FOR: Final = 20.0  # seconds until the token is looked at again
PARTED_WITHIN: Final = 1.0  # seconds to agree that a connection ends
HEARD: Final = 1024  # bytes of a message of theirs; none is listened to

BROKEN = Farewell(WSCloseCode.INTERNAL_ERROR, "something of ours is broken; come again")
GONE = Farewell(WSCloseCode.OK, "")
REFUSED = Farewell(WSCloseCode.POLICY_VIOLATION, "your token does not count any more")
SLOW = Farewell(WSCloseCode.TRY_AGAIN_LATER, "too slow; come again")
UNREADABLE = Farewell(WSCloseCode.TRY_AGAIN_LATER, "the database cannot be read; come again")

table = Table("events")

logger = logging.getLogger(__name__)


class Follow(Query):
    """Where to begin."""

    after: Number | None = Field(
        default=None, description="events above this id; without it those from now on"
    )


@table.get(
    "/ws", roles=READERS, query=Follow, status=HTTPStatus.SWITCHING_PROTOCOLS, refuses=(426,)
)
async def follow_events(call: Call) -> web.StreamResponse:
    """Tell events over a WebSocket as they come, each as a message of JSON.

    An object as in /api/v1/events is an event, and each comes once, oldest first. One with the key
    `gap` says which ids, from `first` to `last`, are not there any more. Come again with the id of
    the last event that you had as `after`, and nothing is missed and nothing comes twice.
    """
    after = await _begin(call)
    socket = web.WebSocketResponse(
        timeout=PARTED_WITHIN,
        heartbeat=PING_EVERY,
        compress=False,  # else a reader costs a quarter of a megabyte
        max_msg_size=HEARD,
    )
    if not socket.can_prepare(call.request):
        said = "this is a WebSocket; ask for it with Upgrade: websocket"
        raise Problem(HTTPStatus.UPGRADE_REQUIRED, said)
    try:
        with call.desk.stream.seat() as seat:
            await socket.prepare(call.request)
            farewell = await _until_over(socket, seat, call, after)
            await _part(socket, call.request, farewell)
    except Full as error:
        said = f"{error}; at most {SEATS} can, so end one or come again later"
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, said) from None
    return socket


async def _begin(call: Call) -> int:
    """Return the cursor to begin with; raise Problem when there cannot be such a one."""
    after = call.asked(Follow).after
    newest = await call.desk.read(stream.newest)
    if after is not None and after > newest:
        said = (
            f"after={after}: the newest event is {newest}, so yours are of another database;"
            " come without `after`, or with 0 to be told all"
        )
        raise Problem(HTTPStatus.BAD_REQUEST, said)
    return newest if after is None else after


async def _until_over(
    socket: web.WebSocketResponse, seat: Seat, call: Call, after: int
) -> Farewell:
    """Tell, listen and look at the token until one is over, or we are told to end; return why."""
    tasks = (
        asyncio.create_task(_tell(socket, call.desk, after), name="telling"),
        asyncio.create_task(_listen(socket), name="listening"),
        asyncio.create_task(_admitted(call.request[STILL]), name="admitted"),
    )
    for task in tasks:
        task.add_done_callback(partial(_over, seat))
    try:
        return await seat.leaving
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _over(seat: Seat, task: asyncio.Task[Farewell | None]) -> None:
    """Let the reader go for what a task returned; an error of ours must not keep its seat."""
    if task.cancelled():
        return
    if error := task.exception():
        logger.error("stream failed", exc_info=error)
        seat.leave(BROKEN)
    elif farewell := task.result():
        seat.leave(farewell)


async def _listen(socket: web.WebSocketResponse) -> Farewell | None:
    """Take what they send, so that their pings and their end are heard."""
    async for _ in socket:
        pass
    return GONE


async def _admitted(still: Callable[[], None]) -> Farewell:
    """Return when the token does not count any more."""
    while True:
        await asyncio.sleep(ADMITTED_FOR)
        try:
            still()
        except web.HTTPException:
            return REFUSED


async def _tell(socket: web.WebSocketResponse, desk: Desk, after: int) -> Farewell | None:
    """Send everything after the cursor, for ever; return why it cannot go on.

    None is for a connection that ends: then the listening knows how.
    """
    try:
        while True:
            page = await desk.read(stream.page, after=after, limit=PAGE)
            for message in _messages(page):
                async with asyncio.timeout(SENT_WITHIN):
                    await socket.send_str(message)
            after = page.reached
            if len(page.events) < PAGE:
                await desk.stream.tide.beyond(after)
    except TimeoutError:
        return SLOW
    except ConnectionError:
        return None
    except sqlite3.Error:
        return UNREADABLE


def _messages(page: Page) -> Iterator[str]:
    if page.gap:
        first, last = page.gap
        yield json.dumps({"gap": {"first": first, "last": last}})
    for each in page.events:
        yield Event.model_validate(each).model_dump_json()


async def _part(socket: web.WebSocketResponse, request: web.Request, farewell: Farewell) -> None:
    """Say why, and close; who does not take it is cut off, so that nothing is kept for it."""
    transport = request.transport
    if transport is None:
        return
    reads = transport.get_write_buffer_size() <= min(transport.get_write_buffer_limits())
    if reads and not transport.is_closing():
        with suppress(ConnectionError):  # without draining, for what was cancelled stays cancelled
            why = farewell.why.encode()
            await socket.close(code=farewell.code, message=why, drain=False)
    if transport.get_write_buffer_size():
        transport.abort()
