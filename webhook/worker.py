"""The worker: takes due incidents from the store and steps each of them on."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable

from orchestrator import clock
from orchestrator.config import Config
from webhook import repair
from webhook.case import Case
from webhook.change import Change
from webhook.incident import Incident
from webhook.instruments import Instruments
from webhook.matter import Effects
from webhook.recovery import recovery
from webhook.stage import Bell
from webhook.store import work
from webhook.store.database import Store

IDLE = 0.25  # seconds between two looks for due work; a notification rings the bell at once
TRY_AGAIN_AFTER = 1.0  # seconds until a step that failed for a reason of ours is tried again
STEPS = 16  # at once; each asks a project and Prometheus, and may wait seconds for an answer

logger = logging.getLogger(__name__)


class Worker:
    """Claims due incidents and steps each in a task of its own, so none waits for another."""

    def __init__(
        self,
        config: Callable[[], Config],
        store: Store,
        instruments: Instruments,
        bell: Bell,
        epoch: int,
        effects: Effects,
        asked: Callable[[], None],
    ) -> None:
        self._config, self._store, self._instruments = config, store, instruments
        self._bell, self._epoch, self._effects = bell, epoch, effects
        self._asked = asked  # somebody has to answer
        self.running: set[asyncio.Task[None]] = set()

    async def once(self) -> None:
        """Start a step for every incident that is due, then wait for news."""
        while len(self.running) < STEPS:
            case = await self._store(work.claim, epoch=self._epoch, at=clock.now())
            if case is None:
                break
            task = asyncio.create_task(self._step(case), name=f"incident {case.incident.id}")
            self.running.add(task)
            task.add_done_callback(self._done)
        await self._bell.wait(IDLE)

    async def end(self, *, within: float) -> None:
        """Let the steps under way come to their end, for so many seconds; then cut them off."""
        if self.running:
            await asyncio.wait(self.running, timeout=within)
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)

    async def _step(self, case: Case) -> None:
        try:
            change = await repair.step(case, self._config(), self._effects)
            if await self._stored(change):
                self._tell(case, change)
                return
        except Exception:  # the other loop that has to survive: an incident must not be lost
            logger.exception("step failed", extra={"incident": case.incident.id})
            self._instruments.stage_failures.labels("repair").inc()
            await asyncio.sleep(TRY_AGAIN_AFTER)
        await self._give_back(case.incident)

    async def _stored(self, change: Change) -> bool:
        """Keep trying: what was done in the world must not be done again for want of a row.

        False when somebody else was faster, and nothing is stored.
        """
        while True:
            try:
                await self._store(work.apply, change, epoch=self._epoch, at=clock.now())
            except work.Overtaken:
                return False
            except sqlite3.OperationalError:  # busy, full, read-only: of what is wrong with the
                # step itself, repeating it makes nothing better
                logger.exception("step not stored", extra={"incident": change.before.id})
                self._instruments.stage_failures.labels("repair").inc()
            else:
                return True
            await asyncio.sleep(TRY_AGAIN_AFTER)

    async def _give_back(self, incident: Incident) -> None:
        """Keep trying: a claim that is never given back would leave its project down for good."""
        while True:
            try:
                now = clock.now()
                return await self._store(work.release, incident, epoch=self._epoch, due=now)
            except sqlite3.Error:
                logger.exception("incident not given back", extra={"incident": incident.id})
            await asyncio.sleep(TRY_AGAIN_AFTER)

    def _tell(self, case: Case, change: Change) -> None:
        self._instruments.stepped(change)
        if (healed := recovery(case, change)) is not None:
            self._instruments.recovered(healed)
        waits = case.approval is not None and case.approval.decision is None
        if waits and change.closes is not None:
            self._instruments.answered(change.closes)
        if change.consults is not None:
            self._asked()
        ruling = change.ruling
        for heard in case.analyses:
            if ruling is not None and heard.id == ruling.analysis and heard.answer and heard.by:
                self._instruments.analyzer.decided(heard.by, heard.answer.action, ruling)
        for told in change.events:
            logger.info(told.name, extra={"project": told.project, "data": dict(told.data)})

    def _done(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        self._bell.ring()
