"""The system: how the webhook itself is, for Prometheus and for whoever starts it."""

import sqlite3
from collections.abc import Collection
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Literal

from aiohttp import web
from prometheus_client.exposition import choose_encoder

from orchestrator.version import VERSION
from webhook.api.desk import Desk
from webhook.api.operation import Answer, Call, Table
from webhook.store import history
from webhook.store.history import Figures
from webhook.store.particulars import Particulars, particulars
from webhook.token import ALL, ANYBODY, READERS

STALLED_AFTER = 60.0  # seconds; as the alert WebhookStageStalled has it

table = Table("system")


class Health(Answer):
    """Every stage goes round, and notifications are taken."""

    status: Literal["healthy"] = "healthy"
    version: str


class Unhealthy(Answer):
    """A restart, or a person, can help."""

    status: Literal["down"] = "down"
    detail: str  # one sentence for a person


class Holding(Answer):
    """What waits."""

    queue_length: int  # due incidents that nobody has taken up
    incidents_open: int
    approvals_waiting: int


@table.get("/metrics", roles=ALL, produces="text/plain")
async def show_metrics(call: Call) -> web.Response:
    """Return our own metrics."""
    made = call.desk.instruments
    figures, singly = await call.desk.read(_told, call.desk.now(), made.window, made.projects)
    made.show(figures)
    made.tell(singly)
    encode, content_type = choose_encoder(call.request.headers.get("Accept", ""))
    return web.Response(body=encode(made.registry), headers={"Content-Type": content_type})


def _told(
    db: sqlite3.Connection, now: datetime, window: timedelta, projects: Collection[str]
) -> tuple[Figures, Particulars]:
    """Return what the gauges show, all of it as of one instant."""
    return history.figures(db, now=now, window=window), particulars(db, now=now, projects=projects)


@table.get("/-/healthy", roles=ANYBODY, produces="text/plain")
async def say_healthy(_: Call) -> web.Response:
    """Say that the process serves; `/metrics` tells how its stages are."""
    return web.Response(text="healthy\n")


@table.get("/-/ready", roles=ANYBODY, produces="text/plain", refuses=(503,))
async def say_ready(call: Call) -> web.Response:
    """Say whether notifications are taken and every stage goes round."""
    if behind := behind_with(call.desk):
        raise web.HTTPServiceUnavailable(text=f"{behind}\n")
    return web.Response(text="ready\n")


@table.get(
    "/health",
    roles=ANYBODY,
    answer=Health,
    also={HTTPStatus.SERVICE_UNAVAILABLE: Unhealthy},
)
async def tell_health(call: Call) -> Health | web.Response:
    """Say how the webhook is, as docs/endpoint-contract.md has it, so that it can be watched."""
    behind = behind_with(call.desk)
    if not behind:
        return Health(version=VERSION)
    said = Unhealthy(detail=behind)
    return web.json_response(said.model_dump(), status=HTTPStatus.SERVICE_UNAVAILABLE)


@table.get("/status", roles=READERS, answer=Holding)
async def tell_status(call: Call) -> Holding:
    """Say what the webhook holds, as docs/endpoint-contract.md has it."""
    desk = call.desk
    found = await desk.read(history.figures, now=desk.now(), window=desk.instruments.window)
    return Holding(
        queue_length=found.queue.many,
        incidents_open=sum(found.incidents.values()),
        approvals_waiting=found.approvals.many,
    )


def behind_with(desk: Desk) -> str:
    """Say in words what does not go on as it should; nothing when all does."""
    if desk.reception.closing:
        return "shutting down"
    [family] = desk.instruments.heartbeat.collect()
    beats = {each.labels["stage"]: each.value for each in family.samples}
    oldest = desk.now().timestamp() - STALLED_AFTER
    stalled = sorted(stage for stage, beat in beats.items() if beat < oldest)
    if stalled:
        return f"stalled: {', '.join(stalled)}"
    return "" if beats else "no stage runs yet"
