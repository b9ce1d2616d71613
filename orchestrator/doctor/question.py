"""A question: one GET to a program beside us, within a deadline, and every failure as a value."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from pydantic_core import from_json

from orchestrator.clock import Clock
from orchestrator.doctor.finding import Finding, ok, warn
from orchestrator.hub import unconnected

WITHIN = 5.0  # seconds for an answer
BODY_LIMIT = 16 * 1024 * 1024  # bytes of one
APART = timedelta(seconds=5)  # two clocks may be, and people still read their times together

FAILURES = (aiohttp.ClientError, TimeoutError, OSError, ValueError)


class Malformed(ValueError):
    """The answer is none that such a program gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back; `why` says what was wrong when nothing usable did."""

    status: int = 0
    data: Any = None  # what the JSON holds; None: it was none
    text: str = ""
    ahead: timedelta | None = None  # how far its clock is ahead of ours
    why: str = ""

    @property
    def good(self) -> bool:
        """Whether it is a whole answer with status 200."""
        return self.status == 200 and not self.why  # noqa: PLR2004


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Asks, and reads our clock."""

    session: aiohttp.ClientSession
    now: Clock

    async def get(
        self,
        url: str,
        query: Mapping[str, str] | None = None,
        *,
        trust: ssl.SSLContext | bool = True,
    ) -> Reply:
        """Ask once; nothing is raised for what the other side does."""
        began = self.now()
        try:
            async with (
                asyncio.timeout(WITHIN),
                self.session.get(url, params=query, ssl=trust, allow_redirects=False) as response,
            ):
                raw = await _bounded(response)
                ahead = _ahead(response.headers.get("Date"), began, self.now())
                text = raw[:500].decode("utf-8", "replace").strip()
                return Reply(status=response.status, data=_json(raw), text=text, ahead=ahead)
        except TimeoutError:
            return Reply(why=f"no answer within {WITHIN:.0f} s")
        except FAILURES as error:
            return Reply(why=_why(error))


def wrong(reply: Reply) -> str:
    """Say what was wrong with it."""
    return reply.why or f"it answers {reply.status}"


def clock(about: str, who: str, ahead: timedelta | None) -> list[Finding]:
    """Judge how far the clock of *who* is from ours; nothing when it did not say."""
    if ahead is None:
        return []
    seconds = ahead.total_seconds()
    if abs(ahead) <= APART:
        return [ok(about, f"the clock of {who} is ours, within {APART.seconds} s")]
    side = "ahead of" if seconds > 0 else "behind"
    said = f"the clock of {who} is {abs(seconds):.0f} s {side} ours"
    return [warn(about, said, "nothing depends on it, but times are hard to read: look at its NTP")]


def _ahead(date: str | None, began: datetime, ended: datetime) -> timedelta | None:
    """Compare with the middle of the question: its clock was read then, to the second."""
    try:
        said = parsedate_to_datetime(date or "")
        if said.tzinfo is None:
            return None
        said = said.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return said + timedelta(milliseconds=500) - (began + (ended - began) / 2)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    try:
        await response.content.readexactly(BODY_LIMIT + 1)
    except asyncio.IncompleteReadError as whole:
        return whole.partial
    raise Malformed(f"more than {BODY_LIMIT} bytes")


def _json(raw: bytes) -> Any:  # noqa: ANN401  whatever it holds
    try:
        return from_json(raw)
    except ValueError:
        return None


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return unconnected(error.os_error)
    return str(error) or type(error).__name__
