"""The prey: a webhook that is killed at the planned moments and started again at once."""

import asyncio
import os
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import aiohttp

from orchestrator.supervisor.leash import leashed
from tests.cases.mesh import ROOT
from tests.chaos.story import Kill, Moment
from tests.waiting import until

ANSWER_WITHIN = aiohttp.ClientTimeout(total=5)
TIMED = frozenset({Moment.ANYWHERE, Moment.STARTING})
PATIENCE = 4.0  # seconds that are waited for a planned moment; then any other is as good


class Prey:
    """A running `python -m webhook`, and what is planned against it."""

    def __init__(
        self, folder: Path, port: int, http: aiohttp.ClientSession, kills: Sequence[Kill]
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.deaths: list[Moment] = []
        self._folder, self._port, self._http, self._kills = folder, port, http, kills
        self._process: Process | None = None
        self._planned: Kill | None = None
        self._left = 0  # moments until the planned one
        self._done = asyncio.Event()
        self._one = asyncio.Lock()

    async def start(self, config: str) -> None:
        """Start it; it is not up when this returns."""
        (self._folder / "orchestrator.yml").write_text(config, encoding="utf-8")
        await self._spawn()

    async def hunt(self) -> None:
        """Kill as often as planned, and when it is planned as far as these moments come."""
        for kill in self._kills:
            if kill.moment in TIMED:
                await asyncio.sleep(kill.delay)
                await self._kill(kill.moment)
                continue
            self._done.clear()
            self._left, self._planned = kill.nth, kill
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._done.wait()
            except TimeoutError:
                self._planned = None
                await self._kill(Moment.ANYWHERE)

    async def at(self, moment: Moment) -> Kill | None:
        """Say that it is at this moment; returns the kill when that was planned for it."""
        kill = self._planned
        if kill is None or kill.moment is not moment:
            return None
        self._left -= 1
        if self._left:
            return None
        self._planned = None
        await asyncio.sleep(kill.delay)
        await self._kill(moment)
        self._done.set()
        return kill

    async def end(self) -> None:
        """End it for good."""
        async with self._one:
            await self._shoot()
            self._process = None

    async def up(self) -> None:
        """Wait until it serves."""
        await until(self._serves, within=60, what="the webhook")

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Read the database beside the running webhook."""
        with closing(self.read()) as db:
            return db.execute(query, values).fetchall()

    def read(self) -> sqlite3.Connection:
        """Open the database to read from it."""
        db = sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=10)
        db.row_factory = sqlite3.Row
        return db

    @property
    def said(self) -> str:
        """All that it has logged."""
        return self._log.read_text(encoding="utf-8")

    @property
    def _log(self) -> Path:
        return self._folder / "webhook.log"

    @property
    def _database(self) -> Path:
        return self._folder / "orchestrator.db"

    async def _kill(self, moment: Moment) -> None:
        async with self._one:
            if self._process is None:
                return
            await self._shoot()
            self.deaths.append(moment)
            await self._spawn()

    async def _shoot(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _spawn(self) -> None:
        config = self._folder / "orchestrator.yml"
        argv = [sys.executable, "-m", "webhook", f"--config={config}", f"--db={self._database}"]
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *leashed([*argv, f"--listen=127.0.0.1:{self._port}"], os.getpid()),
                cwd=ROOT,
                stdout=DEVNULL,
                stderr=log,
            )

    async def _serves(self) -> bool:
        if self._process and self._process.returncode is not None:
            raise AssertionError(f"it has ended by itself: {self.said[-4000:]}")
        try:
            async with self._http.get(f"{self.url}/-/healthy", timeout=ANSWER_WITHIN) as response:
                return response.ok
        except (aiohttp.ClientError, TimeoutError):
            return False
