"""What telling people needs, as a test has it: a real table, a clock to set, peers that answer."""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp

from tests.webhook.make import NOW
from webhook import escalate
from webhook.escalate import Effects, Json, Switchboard
from webhook.store import paging
from webhook.store.paging import Page

LABELS = {
    "alertname": "EscalationRequired",
    "domain": "outreach",
    "incident": "3",
    "project": "email-blast",
    "severity": "critical",
    "source": "orchestrator",
}
ASKED = Page(
    id=1,
    kind="escalation",
    incident=3,
    project="email-blast",
    reason="ProjectDown goes on",
    labels=LABELS,
    annotations={"summary": "email-blast needs a human.", "description": "everything"},
    started_at=NOW,
)
MINUTE = timedelta(minutes=1)

Told = tuple[str, list[tuple[str, bool]]]  # the peer, and each page with whether it has ended


def _pages(body: Sequence[Json]) -> list[tuple[str, bool]]:
    """Return which pages were posted, and whether as ended."""
    found = []
    for each in body:
        labels, ends = each["labels"], str(each["endsAt"])
        assert isinstance(labels, dict)
        found.append((labels["escalation"], datetime.fromisoformat(ends) <= NOW + 60 * MINUTE))
    return found


@dataclass(slots=True)
class Telling:
    """The table of pages, the peers that answer, a clock, and what was posted to whom."""

    db: sqlite3.Connection
    now: datetime = NOW
    away: set[str] = field(default_factory=set)
    posts: list[Told] = field(default_factory=list)
    full: bool = False  # whether the disk is
    http: aiohttp.ClientSession | None = None  # to real peers

    def board(self, *peers: str) -> Switchboard:
        """Begin anew, as a start of the program does, knowing nothing but the table."""
        effects = Effects(due=self._due, posted=self._posted, post=self._post, now=lambda: self.now)
        return Switchboard(effects, peers or ("a",))

    async def _due(self, at: datetime) -> list[Page]:
        return paging.due(self.db, at=at)

    async def _posted(self, page: Page, again: datetime | None) -> None:
        if self.full:
            raise sqlite3.OperationalError("database or disk is full")
        paging.posted(self.db, page, again=again)

    async def _post(self, peer: str, body: Sequence[Json]) -> list[bool]:
        if self.http:
            return await escalate.post(self.http, peer, body)
        self.posts.append((peer, _pages(body)))
        await asyncio.sleep(0)
        return [peer not in self.away] * len(body)

    def ask(self, number: int = 0) -> None:
        """Begin a page of a kind of its own."""
        paging.raise_once(
            self.db,
            kind=f"kind {number}",
            reason="",
            labels=LABELS,
            annotations={"summary": "x"},
            at=self.now,
        )

    def end(self, number: int = 0) -> None:
        """End the page that goes on."""
        assert paging.settle(self.db, kind=f"kind {number}", at=self.now)

    @property
    def planned(self) -> list[str | None]:
        """When each page is posted next; None: never again."""
        return [row["post_at"] for row in self.db.execute("SELECT post_at FROM pages")]

    def told(self) -> list[Told]:
        """Return what was posted since the last time."""
        posts, self.posts = self.posts, []
        return posts

    async def close(self, board: Switchboard) -> None:
        """End the calls under way, as the program does at its end."""
        for call in board.running:
            call.cancel()
        await asyncio.gather(*board.running, return_exceptions=True)
        self.db.close()
