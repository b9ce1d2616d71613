"""The webhook's HTTP side: the receiver that Alertmanager posts to, and what readers may ask."""

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client.exposition import choose_encoder

from orchestrator.clock import Clock
from webhook.alert import BadNotification, parse
from webhook.instruments import Instruments
from webhook.store import history
from webhook.store.database import Store
from webhook.store.intake import receive

BODY_LIMIT = 64 * 1024 * 1024  # bytes; 3,000 alerts are 2.3 MB, and a 413 would repeat for ever
PAGE = 500  # rows of an answer, at most

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the routes work with."""

    store: Store
    instruments: Instruments
    now: Clock
    news: Callable[[], None]  # wakes the stages


DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)

routes = web.RouteTableDef()


@routes.post("/alerts")
async def take_alerts(request: web.Request) -> web.Response:
    """Store a notification, then answer 200; whatever else happens, Alertmanager sends it again.

    400 says that it will never be accepted, 503 that it could not be stored now. Never 429 or
    3xx: Alertmanager does not retry the first, and takes the second for a delivery.
    """
    desk = request.app[DESK]
    body = await request.read()
    with desk.instruments.answer.time():
        try:
            notification = parse(body)
            receipt = await desk.store(receive, notification, body, at=desk.now())
        except BadNotification as error:
            desk.instruments.invalid.labels(error.reason).inc()
            logger.warning(
                "notification refused", extra={"reason": error.reason, "why": str(error)}
            )
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        except (sqlite3.Error, RuntimeError) as error:  # RuntimeError: the writer has shut down
            logger.exception("notification not stored")
            raise web.HTTPServiceUnavailable(text="cannot store now; send it again\n") from error
    desk.instruments.notifications.labels(notification.status).inc()
    for meaning, count in receipt.meanings.items():
        desk.instruments.alerts.labels(meaning).inc(count)
    desk.news()
    return web.Response()


@routes.get("/api/v1/events")
async def list_events(request: web.Request) -> web.Response:
    """Return events after the id `after`, oldest first; `next` is the `after` of the next page."""
    after, limit = _number(request, "after", 0), _number(request, "limit", PAGE)
    found = await request.app[DESK].store(history.events, after=after, limit=min(limit, PAGE))
    return web.json_response({"events": found, "next": found[-1]["id"] if found else after})


@routes.get("/api/v1/incidents")
async def list_incidents(request: web.Request) -> web.Response:
    """Return incidents, newest first, below the id `before`, each with its actions."""
    before = _number(request, "before", 0) or None
    limit = min(_number(request, "limit", 50), PAGE)
    found = await request.app[DESK].store(history.incidents, before=before, limit=limit)
    return web.json_response({"incidents": found})


@routes.get("/metrics")
async def show_metrics(request: web.Request) -> web.Response:
    """Return our own metrics."""
    desk = request.app[DESK]
    desk.instruments.show(await desk.store(history.figures))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    page = encode(desk.instruments.registry)
    return web.Response(body=page, headers={"Content-Type": content_type})


@routes.get("/-/healthy")
async def say_healthy(_: web.Request) -> web.Response:
    """Say that the process serves; `/metrics` tells how its stages are."""
    return web.Response(text="healthy\n")


def _number(request: web.Request, name: str, default: int) -> int:
    raw = request.query.get(name, str(default))
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 18):  # noqa: PLR2004  fits 64 bits
        raise web.HTTPBadRequest(text=f"{name}={raw}: not a whole number\n")
    return int(raw)
