"""The webhook, put together: store, stages and routes, opened in order and closed in reverse."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from functools import partial

import aiohttp
from aiohttp import web

from orchestrator import clock, fetch, health, probe
from orchestrator.config import BadConfig, Config
from orchestrator.health import Probe
from orchestrator.loopback import local_callers_only
from orchestrator.project import Project
from webhook import action as law
from webhook import api, escalate, executor, prometheus, repair
from webhook.instruments import Instruments
from webhook.stage import Bell, Once, keep_going
from webhook.store import paging, work
from webhook.store.database import Store
from webhook.worker import IDLE, Worker


def make(config: Config, store: Store, *, version: str) -> web.Application:
    """Build the application; it closes *store* when it ends."""
    app = web.Application(middlewares=[local_callers_only], client_max_size=api.BODY_LIMIT)
    instruments = Instruments(version)
    bell = Bell()
    app[api.DESK] = api.Desk(store=store, instruments=instruments, now=clock.now, news=bell.ring)
    app.router.add_routes(api.routes)
    app.cleanup_ctx.append(partial(_stages, config, store, instruments, bell))
    return app


def check_playbooks(config: Config) -> None:
    """Raise BadConfig when a playbook names an action that the catalogue does not have."""
    mistakes = [
        f"playbooks.{alertname}[{place}]: {name!r} is no action; known: {', '.join(law.CATALOGUE)}"
        for alertname, steps in config.playbooks.items()
        for place, name in enumerate(steps)
        if name not in law.CATALOGUE
    ]
    if mistakes:
        raise BadConfig("orchestrator.yml", mistakes)


async def _stages(
    config: Config, store: Store, instruments: Instruments, bell: Bell, _: web.Application
) -> AsyncIterator[None]:
    async with aiohttp.ClientSession() as session, fetch.connections(keep=False) as ways:
        epoch = await store(work.boot, at=clock.now())
        repairs = Worker(config, store, instruments, bell, epoch, _effects(config, session, ways))
        pages = _pages(config, store, session)
        rounds: dict[str, Once] = {"repair": repairs.once, "escalate": partial(_page, pages)}
        tasks = [
            asyncio.create_task(keep_going(name, once, instruments, clock.now), name=name)
            for name, once in rounds.items()
        ]
        yield
        for task in (*tasks, *repairs.running):
            task.cancel()
        await asyncio.gather(*tasks, *repairs.running, return_exceptions=True)
    store.close()


def _effects(
    config: Config, session: aiohttp.ClientSession, ways: aiohttp.ClientSession
) -> repair.Effects:
    async def look(project: Project) -> Probe:
        return health.verdict(await probe.confirmed(partial(probe.ask, ways, project)))

    async def execute(project: Project, action: law.Action) -> executor.Outcome:
        return await executor.command(session, project.control, action)

    return repair.Effects(
        now=clock.now,
        new_key=lambda: str(uuid.uuid4()),
        probe=look,
        standing=partial(prometheus.standing, session, config.prometheus),
        execute=execute,
    )


def _pages(config: Config, store: Store, session: aiohttp.ClientSession) -> escalate.Effects:
    return escalate.Effects(
        due=lambda at: store(paging.due, at=at),
        posted=lambda escalation, again: store(paging.posted, escalation, again=again),
        post=partial(escalate.post, session, config.alertmanagers),
        now=clock.now,
    )


async def _page(effects: escalate.Effects) -> None:
    await escalate.tell(effects)
    await asyncio.sleep(IDLE)
