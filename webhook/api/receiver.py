"""The receiver: what Alertmanager posts to."""

import asyncio

from aiohttp import web

from webhook import watchdog
from webhook.alert import BadNotification, Notification, parse
from webhook.api.desk import DESK, Desk
from webhook.api.operation import Call, Table
from webhook.reception import BODY_LIMIT, Stay
from webhook.store.intake import Receipt, receive
from webhook.token import POSTERS

PACKINGS = ("gzip", "deflate")  # the codings of a body that are undone here

table = Table("alerts")


async def close(app: web.Application) -> None:
    """End the receiving: what is under way is stored and answered, or refused with 503."""
    await app[DESK].reception.close()


@table.post("/alerts", roles=POSTERS, produces="text/plain", refuses=(400, 413, 503))
async def take_alerts(call: Call) -> web.Response:
    """Store a notification, then answer 200; whatever else happens, Alertmanager sends it again.

    400 and 413 say that it will never be accepted, 503 that it could not be stored now. Never 429
    or 3xx: Alertmanager does not retry the first, and takes the second for a delivery.
    """
    request, desk = call.request, call.desk
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
        receipt = await desk.store(receive, notification, body, at=desk.now())
    except BadNotification as error:
        raise _refused(desk, error.reason, str(error)) from error
    return notification, receipt
