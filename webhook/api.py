"""The webhook's HTTP side: the receiver that Alertmanager posts to, and what readers may ask."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client.exposition import choose_encoder

from orchestrator.clock import Clock
from webhook import watchdog
from webhook.alert import BadNotification, Notification, parse
from webhook.instruments import Instruments
from webhook.store import history
from webhook.store.database import Store
from webhook.store.intake import Receipt, receive

BODY_LIMIT = 64 * 1024 * 1024  # bytes; 3,000 alerts are 2.3 MB, and a 413 would repeat for ever
BODIES_LIMIT = 4 * BODY_LIMIT  # bytes of all bodies at once
ANSWER_WITHIN = 30.0  # seconds; a caller that sends slower than this holds memory for nothing
GRACE = 1.0  # seconds to store what has been received when we are told to end
PACKINGS = ("gzip", "deflate")  # the codings of a body that are undone here
PAGE = 500  # rows of an answer, at most
STALLED_AFTER = 60.0  # seconds; as the alert WebhookStageStalled has it

logger = logging.getLogger(__name__)


class Reception:
    """The notifications under way: how much memory they hold, and how long they may take."""

    def __init__(self) -> None:
        self.closing = False
        self.held = 0  # bytes
        self._stays: set[Stay] = set()
        self._left = asyncio.Event()

    @asynccontextmanager
    async def stay(self) -> AsyncIterator["Stay"]:
        """Receive in the block; HTTPServiceUnavailable ends it when it takes too long."""
        if self.closing:
            raise web.HTTPServiceUnavailable(text="shutting down; send it again\n")
        stay = Stay(self, asyncio.timeout(ANSWER_WITHIN))
        self._stays.add(stay)
        try:
            async with stay.limit:
                yield stay
        except TimeoutError as error:
            raise web.HTTPServiceUnavailable(text="took too long; send it again\n") from error
        finally:
            self._stays.discard(stay)
            self.held -= stay.size
            self._left.set()

    async def close(self) -> None:
        """Let in nobody else, and return when all are gone, after the grace at the latest."""
        self.closing = True
        now = asyncio.get_running_loop().time()
        for stay in self._stays:  # aiohttp reads no more of a body that is still on its way
            stay.limit.reschedule(now + GRACE if stay.complete else now)
        while self._stays:
            self._left.clear()
            await self._left.wait()


@dataclass(slots=True, eq=False)
class Stay:
    """One notification under way."""

    _at: Reception
    limit: asyncio.Timeout
    size: int = 0  # bytes of its body so far, unpacked
    complete: bool = False

    def grow(self, size: int) -> None:
        """Hold more; raise HTTPServiceUnavailable when all together would hold too much."""
        if self._at.held + size > BODIES_LIMIT:
            said = "too much is being received at once; send it again\n"
            raise web.HTTPServiceUnavailable(text=said)
        self._at.held += size
        self.size += size


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the routes work with."""

    store: Store
    instruments: Instruments
    now: Clock
    news: Callable[[], None]  # wakes the stages
    truncated: Callable[[], None]  # a notification left some of its alerts out
    watchdog: Callable[[], None]  # the alert came that always fires
    reception: Reception = field(default_factory=Reception)


DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)

routes = web.RouteTableDef()


async def close(app: web.Application) -> None:
    """End the receiving: what is under way is stored and answered, or refused with 503."""
    await app[DESK].reception.close()


@routes.post("/alerts")
async def take_alerts(request: web.Request) -> web.Response:
    """Store a notification, then answer 200; whatever else happens, Alertmanager sends it again.

    400 and 413 say that it will never be accepted, 503 that it could not be stored now. Never 429
    or 3xx: Alertmanager does not retry the first, and takes the second for a delivery.
    """
    desk = request.app[DESK]
    async with desk.reception.stay() as stay:
        body = await _body(request, stay)
        with desk.instruments.answer.time():
            notification, receipt = await _stored(desk, body)
    desk.instruments.received(notification.status, receipt.meanings)
    desk.news()
    if notification.truncated:
        desk.truncated()
    if any(watchdog.barks(alert) for alert in notification.alerts):
        desk.watchdog()
    return web.Response()


async def _body(request: web.Request, stay: Stay) -> bytes:
    """Read the body piece by piece, so that a small one cannot unpack to more than the limit."""
    desk = request.app[DESK]
    packed = _packed(request, desk)
    pieces: list[bytes] = []
    try:
        while piece := await request.content.readany():
            stay.grow(len(piece))
            pieces.append(piece)
            if stay.size > BODY_LIMIT:
                raise _too_large(desk)
            if packed:
                await asyncio.sleep(0)  # the next piece is unpacked at once: others have a turn
    except web.RequestPayloadError as error:
        raise _refused(desk, "encoding", "the body is not encoded as its headers say") from error
    except ConnectionError as error:  # nobody hears this but the log
        raise _refused(desk, "cut_short", "the caller went away") from error
    stay.complete = True
    return b"".join(pieces)


def _packed(request: web.Request, desk: Desk) -> bool:
    """Tell whether the body has to be unpacked; refuse what its headers already speak against."""
    codings = [each.lower() for each in request.headers.getall("Content-Encoding", [])]
    packed = codings not in ([], ["identity"])
    if packed and codings not in ([each] for each in PACKINGS):
        raise _refused(desk, "encoding", f"Content-Encoding is neither {' nor '.join(PACKINGS)}")
    if (request.content_length or 0) > BODY_LIMIT:
        raise _too_large(desk)
    return packed


def _too_large(desk: Desk) -> web.HTTPException:
    desk.instruments.invalid.labels("too_large").inc()
    said = f"larger than {BODY_LIMIT} bytes, unpacked\n"
    return web.HTTPRequestEntityTooLarge(BODY_LIMIT, text=said)


def _refused(desk: Desk, reason: str, why: str) -> web.HTTPException:
    desk.instruments.invalid.labels(reason).inc()
    return web.HTTPBadRequest(text=f"{why}\n")


async def _stored(desk: Desk, body: bytes) -> tuple[Notification, Receipt]:
    try:
        notification = parse(body)
        with _or_unavailable("notification not stored"):
            receipt = await desk.store(receive, notification, body, at=desk.now())
    except BadNotification as error:
        raise _refused(desk, error.reason, str(error)) from error
    return notification, receipt


@contextmanager
def _or_unavailable(what: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, RuntimeError) as error:  # RuntimeError: the writer has shut down
        logger.exception(what)
        said = "the database cannot be used now; try again\n"
        raise web.HTTPServiceUnavailable(text=said) from error


@routes.get("/api/v1/events")
async def list_events(request: web.Request) -> web.Response:
    """Return events after the id `after`, oldest first; `next` is the `after` of the next page."""
    after, limit = _number(request, "after", 0), min(_number(request, "limit", PAGE), PAGE)
    with _or_unavailable("events not read"):
        found = await request.app[DESK].store(history.events, after=after, limit=limit)
    return web.json_response({"events": found, "next": found[-1]["id"] if found else after})


@routes.get("/api/v1/incidents")
async def list_incidents(request: web.Request) -> web.Response:
    """Return incidents, newest first, below the id `before`, each with its actions."""
    before = _number(request, "before", 0) or None
    limit = min(_number(request, "limit", 50), PAGE)
    with _or_unavailable("incidents not read"):
        found = await request.app[DESK].store(history.incidents, before=before, limit=limit)
    return web.json_response({"incidents": found})


@routes.get("/metrics")
async def show_metrics(request: web.Request) -> web.Response:
    """Return our own metrics."""
    desk = request.app[DESK]
    with _or_unavailable("figures not read"):
        made = desk.instruments
        made.show(await desk.store(history.figures, now=desk.now(), window=made.window))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    page = encode(desk.instruments.registry)
    return web.Response(body=page, headers={"Content-Type": content_type})


@routes.get("/-/healthy")
async def say_healthy(_: web.Request) -> web.Response:
    """Say that the process serves; `/metrics` tells how its stages are."""
    return web.Response(text="healthy\n")


@routes.get("/-/ready")
async def say_ready(request: web.Request) -> web.Response:
    """Say whether notifications are taken and every stage goes round."""
    desk = request.app[DESK]
    if behind := _behind(desk):
        raise web.HTTPServiceUnavailable(text=f"{behind}\n")
    return web.Response(text="ready\n")


def _behind(desk: Desk) -> str:
    if desk.reception.closing:
        return "shutting down"
    [family] = desk.instruments.heartbeat.collect()
    beats = {each.labels["stage"]: each.value for each in family.samples}
    oldest = desk.now().timestamp() - STALLED_AFTER
    stalled = sorted(stage for stage, beat in beats.items() if beat < oldest)
    if stalled:
        return f"stalled: {', '.join(stalled)}"
    return "" if beats else "no stage runs yet"


def _number(request: web.Request, name: str, default: int) -> int:
    raw = request.query.get(name, str(default))
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 18):  # noqa: PLR2004  fits 64 bits
        raise web.HTTPBadRequest(text=f"{name}={raw}: not a whole number\n")
    return int(raw)
