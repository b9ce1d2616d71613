"""The webhook, put together: store, stages and routes, opened in order and closed in reverse."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import disable_created_metrics

from orchestrator import clock, fetch
from orchestrator.config import BadConfig, Config
from orchestrator.reload import Reload, Told
from orchestrator.source import Source
from webhook import door, policy, stages
from webhook.action import Action
from webhook.api import TABLES, anomaly, description, pages, receiver
from webhook.api.desk import DESK, Desk
from webhook.catalogue import CATALOGUE, UnknownStep, remedy
from webhook.instruments import Instruments
from webhook.remedies.command import PREFIX
from webhook.stage import Bell
from webhook.stages import Ground
from webhook.store import leftover, work
from webhook.store.database import Store
from webhook.store.reader import Reader
from webhook.store.stream import newest
from webhook.stream import Stream

logger = logging.getLogger(__name__)

INSTRUMENTS: web.AppKey[Instruments] = web.AppKey("instruments", Instruments)


class Current:
    """The configuration in force. Lives as long as the webhook; a reload replaces what is in it."""

    def __init__(self, config: Config, instruments: Instruments) -> None:
        self._instruments = instruments
        self.take(config)

    def __call__(self) -> Config:
        """Return it."""
        return self._config

    def take(self, config: Config) -> None:
        """Go by *config* from now on; raise BadConfig when its playbooks cannot be followed."""
        check_playbooks(config)
        self._config = config
        self._instruments.dry_run.set(config.dry_run)
        self._instruments.follow(
            config.projects.keys(),
            window=longest(config),
            tripped=self._tripped,
            at=clock.now(),
            commands=[PREFIX + name for name in config.commands],
        )

    def _tripped(
        self, project: str, action: str, attempts: Sequence[Action], now: datetime
    ) -> bool:
        return policy.shown_open(self._config.guards.of(project, action), attempts, now=now)


def make(
    config: Config,
    store: Store,
    *,
    version: str,
    admitting: Sequence[Middleware] = door.LOOPBACK,
    origin: Source | None = None,
    test_calls: bool = False,
) -> web.Application:
    """Build the application; it closes *store* when it ends. Raises BadConfig.

    *admitting* decides who may call; *origin* is followed for changes of the configuration. With
    *test_calls* there is a route that breaks projects on purpose.
    """
    disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped over there
    app = web.Application(middlewares=[pages.for_people, *admitting])
    instruments = Instruments(version)
    app[INSTRUMENTS] = instruments
    current = Current(config, instruments)
    tables = (*TABLES, anomaly.table) if test_calls else TABLES
    operations = [each for table in tables for each in table.operations]
    app.router.add_routes([each.route for each in operations])
    app[door.ROLES] = {f"{each.method} {each.path}": each.roles for each in operations}
    app[description.DESCRIPTION] = description.describe(tables, version=version)
    app.on_shutdown.append(_part)
    app.cleanup_ctx.append(partial(_running, current, store, instruments, origin))
    return app


async def _part(app: web.Application) -> None:
    """Take leave of all who are being answered, for two seconds at most."""
    await asyncio.gather(receiver.close(app), app[DESK].stream.close())


async def _running(
    current: Current,
    store: Store,
    instruments: Instruments,
    origin: Source | None,
    app: web.Application,
) -> AsyncIterator[None]:
    read = Reader(store.path)
    async with aiohttp.ClientSession() as session, fetch.connections(keep=False) as ways:
        ground = Ground(
            config=current,
            store=store,
            read=read,
            instruments=instruments,
            session=session,
            ways=ways,
            bells={name: Bell() for name in ("repair", "analyze", "reconcile")},
        )
        dog = stages.watch(ground)

        def watchdog() -> None:
            instruments.watchdog_at.set(clock.now().timestamp())
            dog.seen()

        app[DESK] = Desk(
            config=current,
            store=store,
            read=read,
            instruments=instruments,
            now=clock.now,
            news=ground.news,
            truncated=ground.bells["reconcile"].ring,
            watchdog=watchdog,
            session=session,
            stream=Stream(partial(read, newest)),
        )
        async with stages.running(ground, dog), _following(origin, current, ground):
            yield
    read.close()
    store.close()


@asynccontextmanager
async def _following(
    origin: Source | None, current: Current, ground: Ground
) -> AsyncIterator[None]:
    """Go by a changed file as soon as it is there, until the block ends."""
    if origin is None:
        yield
        return
    waking: set[asyncio.Task[None]] = set()

    def take(config: Config) -> None:
        current.take(config)
        task = asyncio.create_task(_decide_anew(ground))
        waking.add(task)
        task.add_done_callback(waking.discard)

    made = ground.instruments
    told = Told(
        good=lambda: None,  # taking it has noted that
        refused=made.refused,
        failed=made.stage_failures.labels("reload").inc,
    )
    following = asyncio.create_task(Reload(origin, current(), take, told).follow(), name="reload")
    try:
        yield
    finally:
        ending = (following, *waking)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


async def _decide_anew(ground: Ground) -> None:
    try:
        await ground.store(work.wake_all, at=clock.now())
        await ground.store(leftover.take_up, ground.config().projects.keys(), at=clock.now())
    except sqlite3.Error:  # each incident is looked at again within seconds anyway
        logger.exception("incidents not woken")
        ground.instruments.stage_failures.labels("reload").inc()
    ground.news()


def longest(config: Config) -> timedelta:
    """Return the longest window of any guard that the file speaks of."""
    actions = {*CATALOGUE, *(PREFIX + name for name in config.commands)}
    projects = {"", *config.guards.projects}
    return max(
        config.guards.of(project, action).window for project in projects for action in actions
    )


def check_playbooks(config: Config) -> None:
    """Raise BadConfig when a playbook or a guard names an action that there is not.

    So with what the analyzer may propose, and no command is for it to propose.
    """
    mistakes = [*_mistaken_steps(config), *_mistaken_guards(config), *_mistaken_leave(config)]
    if mistakes:
        raise BadConfig("orchestrator.yml", mistakes, config.read)


def _mistaken_steps(config: Config) -> Iterator[str]:
    for alertname, steps in config.playbooks.items():
        for place, step in enumerate(steps):
            try:
                remedy(step, config.commands)
            except UnknownStep as error:
                yield f"playbooks.{alertname}[{place}]: {error}"


def _mistaken_leave(config: Config) -> Iterator[str]:
    for alertname, actions in config.analyzer.allow.items():
        for place, action in enumerate(actions):
            try:
                remedy(action, {})
            except UnknownStep as error:
                yield f"analyzer.allow.{alertname}[{place}]: {error}"


def _mistaken_guards(config: Config) -> Iterator[str]:
    written = {"guards": config.guards.general} | {
        f"projects[{place}].guards": config.guards.projects[name]
        for place, name in enumerate(config.projects)
        if name in config.guards.projects
    }
    for path, guards in written.items():
        for action in guards.actions:
            try:
                remedy(action, config.commands)
            except UnknownStep as error:
                yield f"{path}.actions.{action}: {error}"
