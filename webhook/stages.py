"""The stages: what goes on beside the receiving, each a loop of its own."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import aiohttp

from orchestrator import clock, health, probe
from orchestrator.config import Config
from orchestrator.health import Probe
from orchestrator.project import Project
from webhook import (
    alertmanager,
    collection,
    escalate,
    executor,
    index,
    lag,
    logs,
    prometheus,
    reconcile,
    rehearsal,
    watchdog,
)
from webhook import health as own
from webhook.action import Action
from webhook.diagnosis import Gathered
from webhook.guard import Surroundings
from webhook.incident import Episode
from webhook.inquiry import Inquiry
from webhook.instruments import Instruments
from webhook.matter import Effects
from webhook.stage import Bell, Once, keep_going
from webhook.store import (
    analyses,
    housekeeping,
    leftover,
    paging,
    reconciliation,
    surroundings,
    trail,
    work,
)
from webhook.store.database import Store
from webhook.store.reader import Reader
from webhook.verification import Standing
from webhook.worker import IDLE, Worker

TIDY_EVERY = 30.0  # seconds; a stage that does not go round for a minute seems to stand
TIDY_AT_ONCE = 1_000  # rows
PRUNE_AT_ONCE = 500  # rows of the audit, which are verified first: 20 ms of the writer's time
PORTIONS = 100  # of a round
GRACE = 5.0  # seconds for what is being done when we are told to end; a container has ten in all


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every stage stands on."""

    config: Callable[[], Config]  # the one in force
    store: Store
    read: Reader
    instruments: Instruments
    session: aiohttp.ClientSession  # to Prometheus, Alertmanager and controls
    ways: aiohttp.ClientSession  # to projects: each question a new connection
    bells: Mapping[str, Bell]  # by the stage that each wakes

    def news(self) -> None:
        """Wake what takes up work."""
        self.bells["repair"].ring()


@asynccontextmanager
async def running(ground: Ground, dog: watchdog.Watchdog) -> AsyncIterator[None]:
    """Let every stage go round, until the block ends."""
    epoch = await ground.store(work.boot, at=clock.now())
    inquiry = inquiry_of(ground)
    await inquiry.begin(epoch)
    analyst = inquiry.analyst(
        epoch,
        ground.instruments.stage_failures.labels("analyze").inc,
        ground.news,
        ground.bells["analyze"],
    )
    await ground.store(leftover.take_up, ground.config().projects.keys(), at=clock.now())
    repairs = Worker(
        ground.config,
        ground.store,
        ground.instruments,
        ground.bells["repair"],
        epoch,
        effects(ground, inquiry),
        ground.bells["analyze"].ring,
    )
    board = escalate.Switchboard(_pages(ground), ground.config().alertmanagers)
    rounds: dict[str, Once] = {
        "repair": repairs.once,
        "analyze": analyst.once,
        "score": inquiry.show,
        "escalate": partial(_page, board, ground),
        "reconcile": _reconcile(ground).once,
        "watchdog": dog.once,
        "health": own.Health(ground.store, ground.instruments, clock.now).once,
        "housekeeping": partial(_tidy, ground),
        "index": partial(index.once, ground.read, ground.store),
        "lag": partial(lag.sample, ground.instruments),
    }
    tasks = [
        asyncio.create_task(keep_going(name, once, ground.instruments, clock.now), name=name)
        for name, once in rounds.items()
    ]
    try:
        yield
    finally:
        ending = (*tasks, *board.running)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await analyst.end()
        await repairs.end(within=GRACE)
        await inquiry.models.close()


def inquiry_of(ground: Ground) -> Inquiry:
    """Return what asks the analyzer."""
    return Inquiry(
        ground.config,
        ground.store,
        ground.read,
        ground.instruments.analyzer,
        session=ground.session,
        ways=ground.ways,
    )


def effects(ground: Ground, inquiry: Inquiry) -> Effects:
    """Return what a step of a repair needs from the world."""
    config, store, session = ground.config, ground.store, ground.session

    async def look(project: Project) -> Probe:
        return health.verdict(await probe.confirmed(partial(probe.ask, ground.ways, project)))

    async def standing(alertname: str, project: str) -> Standing | None:
        return await prometheus.standing(session, config().prometheus, alertname, project)

    async def deployed_ago(project: str) -> timedelta | None:
        return await prometheus.deployed_ago(session, config().prometheus, project)

    async def read_within(project: str, length: timedelta) -> bool | None:
        return await prometheus.read_within(session, config().prometheus, project, length)

    async def around(project: Project, episode: Episode, within: timedelta) -> Surroundings:
        known = config()
        parents = known.ancestors(project.name)
        fleet = known.projects.keys()
        return await store(
            surroundings.around, project, episode, within=within, fleet=fleet, parents=parents
        )

    async def execute(project: Project, action: Action) -> executor.Outcome:
        if config().dry_run:
            return rehearsal.execute(project, action)
        return await executor.execute(session, project, action, config().commands)

    return Effects(
        now=clock.now,
        new_key=lambda: str(uuid.uuid4()),
        probe=look,
        standing=standing,
        deployed_ago=deployed_ago,
        read_within=read_within,
        around=around,
        execute=execute,
        gather=partial(_tail, ground),
        precedent=inquiry.precedent,
    )


async def _tail(ground: Ground, project: Project) -> Gathered:
    secrets = await asyncio.to_thread(collection.secrets, ground.config())  # it reads files
    return await logs.tail(ground.ways, project, secrets=secrets)


def _pages(ground: Ground) -> escalate.Effects:
    return escalate.Effects(
        due=lambda at: ground.store(paging.due, at=at),
        posted=lambda page, again: ground.store(paging.posted, page, again=again),
        post=_post(ground),
        now=clock.now,
    )


def _post(ground: Ground) -> Callable[[str, Sequence[escalate.Json]], Awaitable[list[bool]]]:
    if ground.config().dry_run:
        return rehearsal.Notebook().post
    return partial(escalate.post, ground.session)


async def _page(board: escalate.Switchboard, ground: Ground) -> None:
    board.reach(ground.config().alertmanagers)
    await board.once()
    await asyncio.sleep(IDLE)


def _reconcile(ground: Ground) -> reconcile.Rounds:
    store, session, made = ground.store, ground.session, ground.instruments
    told = reconcile.Effects(
        known=lambda: store(reconciliation.known),
        seen=lambda peer: alertmanager.seen(session, peer, ground.config().receiver),
        silence=partial(alertmanager.silence, session),
        take=lambda findings: store(reconciliation.take, findings, at=clock.now()),
        monotonic=time.monotonic,
        count=lambda kind: made.discrepancies.labels(kind).inc(),
        failed=made.reconcile_failures.inc,
        succeeded=lambda: made.reconciled_at.set(clock.now().timestamp()),
        news=ground.news,
    )
    return reconcile.Rounds(told, lambda: ground.config().alertmanagers, ground.bells["reconcile"])


def watch(ground: Ground) -> watchdog.Watchdog:
    """Return what notices that the alert which always fires does not come any more."""
    told = watchdog.Effects(
        monotonic=time.monotonic,
        raise_alarm=lambda: ground.store(
            paging.raise_once,
            kind="watchdog",
            reason=watchdog.ANNOTATIONS["summary"],
            labels=watchdog.LABELS,
            annotations=watchdog.ANNOTATIONS,
            at=clock.now(),
        ),
        settle=lambda: ground.store(paging.settle, kind="watchdog", at=clock.now()),
    )
    return watchdog.Watchdog(told)


async def _tidy(ground: Ground) -> None:
    """Let go of what is older than it has to be, and take up what a reload has left lying."""
    await ground.store(leftover.take_up, ground.config().projects.keys(), at=clock.now())
    kept = ground.config().retention
    while True:
        now = clock.now()
        gone = await ground.store(
            housekeeping.tidy,
            raw_before=now - kept.raw,
            events_before=now - kept.events,
            limit=TIDY_AT_ONCE,
        )
        if gone < TIDY_AT_ONCE:
            break
    now = clock.now()
    await ground.store(analyses.forget_bodies, before=now - kept.raw, limit=TIDY_AT_ONCE)
    if kept.audit is not None:
        await _prune(ground, kept.audit)
    await asyncio.sleep(TIDY_EVERY)


async def _prune(ground: Ground, kept: timedelta) -> None:
    """Let go of what is older than the audit has to be; a little at a time, each of it proven."""
    for _ in range(PORTIONS):
        now = clock.now()
        try:
            gone = await ground.store(trail.prune, before=now - kept, at=now, limit=PRUNE_AT_ONCE)
        except trail.BrokenAudit:  # so it stays; told of once a round, and not once a second
            await asyncio.sleep(TIDY_EVERY)
            raise
        if not gone:
            break
