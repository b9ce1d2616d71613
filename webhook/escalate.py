"""Escalation: alerts of our own, posted to every Alertmanager, which tells the people.

Each peer has a line of its own: a call that hangs holds up neither the other peers nor, there, what
comes after it. A cluster gossips notifications and silences, and not alerts, so every peer needs
every page. Nobody else ends a page: a dead webhook sends no all-clear, for its last word holds for
hours, and one that shuts down says nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp

from orchestrator import clock
from webhook.alert import OURS
from webhook.store.paging import Page

KEEP_ALIVE = timedelta(seconds=30)  # between two posts of the same page
OUTLIVES = timedelta(hours=4)  # a dead webhook must not send the all-clear by silence
AHEAD = timedelta(hours=1)  # of Alertmanager's clock, ours may be
TRY_AGAIN = timedelta(seconds=2)
# An end is posted for a minute: a post that we took for lost may be read after the first one.
ENDS_FOR = timedelta(minutes=1)
GIVE_UP = timedelta(minutes=15)  # an end that a peer does not take: it has been gone for that long
AT_ONCE = 100  # pages in one request
ANSWER_WITHIN = aiohttp.ClientTimeout(total=5)
OK, BAD_REQUEST = 200, 400

Json = dict[str, object]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What telling people needs from the world."""

    due: Callable[[datetime], Awaitable[list[Page]]]
    posted: Callable[[Page, datetime | None], Awaitable[None]]
    post: Callable[[str, Sequence[Json]], Awaitable[list[bool]]]  # to a peer; which it took
    now: clock.Clock


@dataclass(slots=True, kw_only=True)
class Line:
    """The line to one peer: what it has still to take, and how it went. Lost with the process."""

    peer: str
    owed: dict[int, Page] = field(default_factory=dict)
    over: set[int] = field(default_factory=set)  # pages whose end it knows, or is given up for
    call: asyncio.Task[None] | None = None
    failing_since: datetime | None = None
    failed_at: datetime | None = None

    def rests(self, now: datetime) -> bool:
        """Whether a call failed just now. One in the future was before the clock was set back."""
        return self.failed_at is not None and abs(now - self.failed_at) < TRY_AGAIN


class Switchboard:
    """Tells every peer of every page, each peer at its own pace. Lives as long as its stage."""

    def __init__(self, effects: Effects, peers: Sequence[str]) -> None:
        self._effects = effects
        self._lines: list[Line] = []
        self._fresh = True
        self.reach(peers)

    @property
    def running(self) -> list[asyncio.Task[None]]:
        """The calls under way, to be cancelled at the end."""
        return [line.call for line in self._lines if line.call]

    def reach(self, peers: Sequence[str]) -> None:
        """Tell these from now on: a new one hears all that goes on, one that left hears no more."""
        known = {line.peer: line for line in self._lines}
        self._fresh = self._fresh or not known.keys() >= {*peers}
        self._lines = [known.get(peer) or Line(peer=peer) for peer in peers]
        for left in known.values():
            if left.peer not in peers and left.call:
                left.call.cancel()

    async def once(self) -> None:
        """Note what is due, and begin a call on each line that has something to say and is free.

        Does not wait for the calls. Raises what went wrong in one, if it was nobody's to expect.
        """
        now = self._effects.now()
        # Of what was planned before this start, nobody knows whether it went out.
        due = await self._effects.due(now + KEEP_ALIVE if self._fresh else now)
        self._fresh = False
        for line in self._lines:
            line.owed |= {page.id: page for page in due if page.id not in line.over}
            self._begin(line, now)
        for page in due:  # last: people have to be told also while nothing can be stored
            over = page.ended_at and all(page.id in line.over for line in self._lines)
            await self._effects.posted(page, None if over else now + KEEP_ALIVE)
            if over:
                self._forget(page)

    def _begin(self, line: Line, now: datetime) -> None:
        if line.call and line.call.done():
            call, line.call = line.call, None
            call.result()
        if line.owed and not line.call and not line.rests(now):
            line.call = asyncio.create_task(self._call(line), name=f"page {line.peer}")

    def _forget(self, page: Page) -> None:
        for line in self._lines:
            line.over.discard(page.id)

    async def _call(self, line: Line) -> None:
        """Post what is owed, until something is not taken: then the peer rests for a moment."""
        while pages := list(line.owed.values())[:AT_ONCE]:
            began = self._effects.now()
            bodies = [alert(page, now=began) for page in pages]
            taken = await self._effects.post(line.peer, bodies)
            for page, took in zip(pages, taken, strict=True):
                if took:
                    _took(line, page, began)
            if not all(taken):
                _failed(line, self._effects.now())
                return
            _well(line)


def _took(line: Line, page: Page, at: datetime) -> None:
    if line.owed.get(page.id) is page:  # else there is news of it already
        del line.owed[page.id]
    if page.ended_at and at >= page.ended_at + ENDS_FOR:
        line.over.add(page.id)


def _failed(line: Line, now: datetime) -> None:
    line.failed_at = now
    if line.failing_since is None:
        line.failing_since = now
        logger.warning("pages not taken", extra={"peer": line.peer, "pages": len(line.owed)})
    for page in list(line.owed.values()):
        if page.ended_at and now - max(page.ended_at, line.failing_since) >= GIVE_UP:
            logger.warning("end not taken, given up", extra={"peer": line.peer, "page": page.id})
            del line.owed[page.id]
            line.over.add(page.id)


def _well(line: Line) -> None:
    if line.failing_since:
        logger.info("pages taken again", extra={"peer": line.peer})
    line.failing_since = line.failed_at = None


def alert(page: Page, *, now: datetime) -> Json:
    """Return the alert to post. Its labels never change, so it stays one alert.

    What is to end has to have ended by the clock of Alertmanager, which may be behind ours: so an
    end is told as one of long ago. Else the alert would go on for as much as the clocks differ.
    """
    begun = min(page.started_at, now)
    ends = now + OUTLIVES
    if page.ended_at is not None:
        begun = ends = begun - AHEAD
    return {
        "labels": {
            **(page.labels or _first_labels(page)),
            "escalation": str(page.id),  # else the end of one would end the next, too
        },
        "annotations": page.annotations or _first_annotations(page),
        "startsAt": clock.written(begun),
        "endsAt": clock.written(ends),
    }


def _first_labels(page: Page) -> dict[str, str]:
    """Return the labels of a page that began under the first schema, as it was posted then."""
    return {
        "alertname": "EscalationRequired",
        "project": page.project or "",
        "incident": str(page.incident),
        "severity": "critical",
        "source": OURS,
    }


def _first_annotations(page: Page) -> dict[str, str]:
    return {"summary": f"{page.project} needs a human.", "description": page.reason}


async def post(session: aiohttp.ClientSession, peer: str, alerts: Sequence[Json]) -> list[bool]:
    """Post *alerts* to one peer in one request; tell of each whether it was taken.

    Alertmanager keeps the good ones of a request that it calls bad, and does not say which. Each
    is then posted alone, so that one that is never taken keeps no other from being settled.
    """
    status = await _post(session, peer, alerts)
    if status == BAD_REQUEST and len(alerts) > 1:
        return [await _post(session, peer, [each]) == OK for each in alerts]
    return [status == OK] * len(alerts)


async def _post(session: aiohttp.ClientSession, peer: str, alerts: Sequence[Json]) -> int:
    """Return the status of the answer; 0 when there was none."""
    url = f"{peer}/api/v2/alerts"
    try:
        async with session.post(
            url,
            json=list(alerts),
            timeout=ANSWER_WITHIN,
            allow_redirects=False,  # else a login page would pass for an Alertmanager
        ) as response:
            return response.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        logger.debug("page not posted", extra={"url": url, "error": repr(error)})
        return 0
