"""Escalation: an alert of our own, posted to every Alertmanager, which tells the people."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp

from orchestrator import clock
from webhook.alert import OURS
from webhook.store.paging import Escalation

KEEP_ALIVE = timedelta(seconds=30)  # between two posts of the same escalation
OUTLIVES = timedelta(hours=4)  # a dead webhook must not send the all-clear by silence
TRY_AGAIN = timedelta(seconds=2)
ANSWER_WITHIN = aiohttp.ClientTimeout(total=5)

Json = dict[str, object]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What telling people needs from the world."""

    due: Callable[[datetime], Awaitable[list[Escalation]]]
    posted: Callable[[Escalation, datetime | None], Awaitable[None]]
    post: Callable[[Json], Awaitable[bool]]  # whether every Alertmanager took it
    now: clock.Clock


async def tell(effects: Effects) -> None:
    """Post every escalation that is due; one that nobody took stays due."""
    for escalation in await effects.due(effects.now()):
        now = effects.now()
        taken = await effects.post(alert(escalation, now=now))
        if not taken:
            await effects.posted(escalation, now + TRY_AGAIN)
        elif escalation.ended_at is None:
            await effects.posted(escalation, now + KEEP_ALIVE)
        else:
            await effects.posted(escalation, None)


def alert(escalation: Escalation, *, now: datetime) -> Json:
    """Return the alert to post. Its labels and startsAt never change, so it stays one alert."""
    ends = max(escalation.ended_at, escalation.started_at) if escalation.ended_at else None
    return {
        "labels": {
            "alertname": "EscalationRequired",
            "project": escalation.project,
            "incident": str(escalation.incident),
            "escalation": str(escalation.id),  # else the end of one would end the next, too
            "severity": "critical",
            "source": OURS,
        },
        "annotations": {
            "summary": f"{escalation.project} needs a human.",
            "description": escalation.reason,
        },
        "startsAt": clock.written(escalation.started_at),
        "endsAt": clock.written(ends or now + OUTLIVES),
    }


async def post(session: aiohttp.ClientSession, peers: Sequence[str], body: Json) -> bool:
    """Post one alert to every peer of the Alertmanager cluster; tell whether all took it.

    To every peer, for a cluster gossips notifications and silences, and not alerts.
    """
    return all([await _post(session, f"{peer}/api/v2/alerts", body) for peer in peers])


async def _post(session: aiohttp.ClientSession, url: str, body: Json) -> bool:
    try:
        async with session.post(url, json=[body], timeout=ANSWER_WITHIN) as response:
            if response.ok:
                return True
            why = f"status {response.status}"
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        why = repr(error)
    logger.warning("escalation not taken", extra={"url": url, "error": why})
    return False
