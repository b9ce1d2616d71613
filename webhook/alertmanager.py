"""Alertmanager as a witness: which of our alerts a peer shows right now, and who silenced them."""

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated
from urllib.parse import quote

import aiohttp
from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, with_config

from orchestrator import clock
from webhook.alert import Alert, Status

ANSWER_WITHIN = 5.0  # seconds for all that one peer is asked at a time
BODY_LIMIT = 64 * 1024 * 1024  # bytes; 3,000 alerts are 1.3 MB
NO_ANSWER = (  # every way in which a peer, or what stands before it, can fail us
    aiohttp.ClientError,
    TimeoutError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    OverflowError,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One alert that a peer shows. It has not ended, as far as that peer knows."""

    alert: Alert
    updated_at: datetime  # when the peer was last told that it fires, by the peer's clock
    silenced_by: tuple[str, ...] = ()
    inhibited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that one peer showed. Every instant is by the peer's own clock."""

    alerts: tuple[Shown, ...]
    at: datetime
    up_for: timedelta  # a peer that has just started does not know what fires


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A silence in force, as whoever made it wrote it."""

    who: str
    comment: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Untold:
    """There is a silence, and the peer did not say more of it."""


_Instant = Annotated[datetime, BeforeValidator(clock.read)]
_TOLERANT = ConfigDict(extra="ignore", strict=True, frozen=True)


@with_config(_TOLERANT)
@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    silenced_by: Annotated[tuple[str, ...], Field(alias="silencedBy")] = ()
    inhibited_by: Annotated[tuple[str, ...], Field(alias="inhibitedBy")] = ()


@with_config(_TOLERANT)
@dataclass(frozen=True, slots=True, kw_only=True)
class _WrittenAlert:
    labels: dict[str, str]
    fingerprint: Annotated[str, Field(min_length=1)]
    started_at: Annotated[_Instant, Field(alias="startsAt")]
    updated_at: Annotated[_Instant, Field(alias="updatedAt")]
    status: _State
    annotations: dict[str, str] = field(default_factory=dict)


@with_config(_TOLERANT)
@dataclass(frozen=True, slots=True, kw_only=True)
class _WrittenStatus:
    up_since: Annotated[_Instant, Field(alias="uptime")]  # an instant, in spite of its name


@with_config(_TOLERANT)
@dataclass(frozen=True, slots=True, kw_only=True)
class _SilenceState:
    state: str


@with_config(_TOLERANT)
@dataclass(frozen=True, slots=True, kw_only=True)
class _WrittenSilence:
    created_by: Annotated[str, Field(alias="createdBy")]
    starts_at: Annotated[_Instant, Field(alias="startsAt")]
    ends_at: Annotated[_Instant, Field(alias="endsAt")]
    status: _SilenceState
    comment: str = ""


_ALERTS = TypeAdapter(tuple[_WrittenAlert, ...])
_STATUS = TypeAdapter(_WrittenStatus)
_SILENCE = TypeAdapter(_WrittenSilence)


async def seen(session: aiohttp.ClientSession, peer: str, receiver: str) -> Seen | None:
    """Ask *peer* for the alerts that it would send to *receiver* to be repaired.

    None when there is no clear answer: then nothing may be concluded from what it does not show.
    The alerts are asked first: the other way round, a restart in between would make an empty
    answer look like that of a peer which has been up for long.
    """
    query = {
        **dict.fromkeys(("active", "silenced", "inhibited", "unprocessed"), "true"),
        "receiver": f"^(?:{re.escape(receiver)})$",
        "filter": 'remediate="true"',
    }
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            alerts, at = await _get(session, f"{peer}/api/v2/alerts", query)
            status, later = await _get(session, f"{peer}/api/v2/status", {})
        up_since = _STATUS.validate_json(status).up_since
        return Seen(alerts=shown(alerts), at=at, up_for=later - up_since)
    except NO_ANSWER as error:
        logger.warning("alertmanager gave no answer", extra={"url": peer, "error": repr(error)})
        return None


def shown(body: bytes) -> tuple[Shown, ...]:
    """Read the answer of `/api/v2/alerts`; raise ValueError or TypeError when it is none."""
    return tuple(
        Shown(
            alert=Alert(
                status=Status.FIRING,
                labels=each.labels,
                annotations=each.annotations,
                fingerprint=each.fingerprint,
                started_at=each.started_at,  # cut to milliseconds, other than in notifications
            ),
            updated_at=each.updated_at,
            silenced_by=each.status.silenced_by,
            inhibited=bool(each.status.inhibited_by),
        )
        for each in _ALERTS.validate_json(body)
    )


async def silence(
    session: aiohttp.ClientSession, peer: str, identity: str
) -> Silence | Untold | None:
    """Ask *peer* for one silence; None when it is gone, expired, or was never there."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            body, _ = await _get(session, f"{peer}/api/v2/silence/{quote(identity, safe='')}", {})
        written = _SILENCE.validate_json(body)
    except _NotThere:
        return None
    except NO_ANSWER as error:
        logger.warning("alertmanager gave no answer", extra={"url": peer, "error": repr(error)})
        return Untold()
    if written.status.state != "active":
        return None
    return Silence(
        who=written.created_by,
        comment=written.comment,
        starts_at=written.starts_at,
        ends_at=written.ends_at,
    )


class _NotThere(ValueError):
    """What was asked for does not exist."""


async def _get(
    session: aiohttp.ClientSession, url: str, query: Mapping[str, str]
) -> tuple[bytes, datetime]:
    """Return the body, and the instant at which the peer says that it wrote it."""
    async with session.get(url, params=query, allow_redirects=False) as response:
        if response.status == 404:  # noqa: PLR2004
            raise _NotThere("status 404")
        if response.status != 200:  # noqa: PLR2004
            raise ValueError(f"status {response.status}")
        body = await _bounded(response)
        return body, parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    try:
        await response.content.readexactly(BODY_LIMIT + 1)
    except asyncio.IncompleteReadError as whole:
        return whole.partial
    raise ValueError(f"more than {BODY_LIMIT} bytes")
