"""A desk: the store, its receiver and its rounds in this process, so that a test sets the clock."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic

import aiohttp
from aiohttp import web

from orchestrator import clock
from tests.waiting import until
from webhook import alertmanager
from webhook.alert import Notification, parse
from webhook.alertmanager import Seen
from webhook.reconcile import PATIENCE, Effects, Rounds
from webhook.stage import Bell
from webhook.store import intake, reconciliation
from webhook.store.database import Store
from webhook.store.reconciliation import Kind

Story = list[tuple[datetime, datetime | None]]  # begin and end of each episode


@dataclass(slots=True)
class Desk:
    """What a test works with."""

    folder: Path
    port: int
    http: aiohttp.ClientSession
    peers: Sequence[str]
    about: str  # the project of the test; what is of an older one is only answered
    skew: timedelta = timedelta(0)  # how wrong our clock is
    ahead: float = 0.0  # seconds that our monotonic clock is moved on by the test
    older: timedelta = timedelta(hours=1)  # that every peer seems to have been up longer
    refusing: bool = False
    arrived: list[Notification] = field(default_factory=list)
    counted: Counter[Kind] = field(default_factory=Counter)
    bell: Bell = field(default_factory=Bell)
    store: Store = field(init=False)
    rounds: Rounds = field(init=False)
    _runner: web.AppRunner | None = field(init=False, default=None)

    async def open(self) -> None:
        """Open the store and listen."""
        self.store = Store(self._db)
        self.rounds = Rounds(self._effects(), lambda: self.peers, self.bell)
        app = web.Application()
        app.router.add_post("/alerts", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def close(self) -> None:
        """Listen no more, and let go of the store."""
        if self._runner:
            await self._runner.cleanup()
        self.store.close()

    async def compare(self) -> dict[Kind, int]:
        """Go one round; return what was new."""
        self.counted.clear()
        await self.rounds.compare()
        return dict(self.counted)

    async def outwait(self) -> dict[Kind, int]:
        """Go one round, and another after more than the time that an episode may be missed."""
        first = await self.compare()
        self.ahead += PATIENCE.total_seconds() + 1
        return first | await self.compare()

    async def until_arrived(self, count: int, *, status: str = "") -> list[Notification]:
        """Wait for *count* messages (of a status) about the project; return them."""

        async def come() -> list[Notification] | None:
            found = [told for told in self.arrived if status in ("", told.status)]
            return found if len(found) >= count else None

        return await until(come, within=20, what=f"{count} {status} messages")

    def story(self) -> Story:
        """Return begin and end of the episodes, to the millisecond as the API has it."""
        return [
            (_cut(row["started_at"]), _cut(row["ended_at"]) if row["ended_at"] else None)
            for row in self.rows("SELECT started_at, ended_at FROM episodes ORDER BY id")
        ]

    def rows(self, query: str) -> list[sqlite3.Row]:
        """Read the database beside the open store."""
        with closing(sqlite3.connect(f"file:{self._db}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            return db.execute(query).fetchall()

    @property
    def _db(self) -> Path:
        return self.folder / "desk.db"

    def _now(self) -> datetime:
        return clock.now() + self.skew

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        told = parse(body)
        if not any(alert.project == self.about for alert in told.alerts):
            return web.Response()
        if self.refusing:
            self.arrived.append(told)
            raise web.HTTPServiceUnavailable
        await self.store(intake.receive, told, body, at=self._now())
        self.arrived.append(told)
        if told.truncated:
            self.bell.ring()
        return web.Response()

    async def _seen(self, peer: str) -> Seen | None:
        seen = await alertmanager.seen(self.http, peer, "webhook")
        return seen and replace(seen, up_for=seen.up_for + self.older)

    def _effects(self) -> Effects:
        return Effects(
            known=partial(self.store, reconciliation.known),
            seen=self._seen,
            silence=partial(alertmanager.silence, self.http),
            take=lambda found: self.store(reconciliation.take, found, at=self._now()),
            monotonic=lambda: monotonic() + self.ahead,
            count=lambda kind: self.counted.update([kind]),
            failed=lambda: None,
            succeeded=lambda: None,
            news=lambda: None,
        )


def _cut(instant: str) -> datetime:
    read = clock.read(instant)
    return read.replace(microsecond=read.microsecond // 1000 * 1000)
