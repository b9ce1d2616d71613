"""One run: a story is played, the webhook is killed in it, and what is left is judged."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from orchestrator import clock, duration
from tests.cases.doorway import Doorway, Forward
from tests.chaos import judge
from tests.chaos.courier import Courier, told
from tests.chaos.gateway import Gateway
from tests.chaos.judge import Down
from tests.chaos.oracle import Oracle
from tests.chaos.prey import Prey
from tests.chaos.service import DEAF
from tests.chaos.site import Execution, Site
from tests.chaos.story import SPAN, Fall, Moment, Story
from tests.conftest import FreePort, Serve
from tests.waiting import until

Json = dict[str, Any]

PROOF = {"recover_within": "1500ms", "prove_within": "3s", "every": "50ms"}
LOOK_AGAIN = timedelta(seconds=2)  # what an incident that is held waits for its next look
QUIET_WITHIN = 90.0  # seconds; more than one round of reconciling, on a busy machine
READ_EVERY = 0.1


@dataclass(slots=True, kw_only=True)
class Cast:
    """Who takes part in a run."""

    story: Story
    site: Site
    http: aiohttp.ClientSession
    projects: dict[str, str]  # names that no other run has -> services
    prey: Prey
    gateway: Gateway
    oracle: Oracle
    doorway: Doorway
    couriers: list[Courier]
    downs: list[Down] = field(default_factory=list)
    read: list[Json] = field(default_factory=list)  # by one who follows the events


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a run."""

    complaints: list[str]
    deaths: list[Moment]
    states: Counter[str]  # of incidents
    commands: int
    alerts: int  # that were answered with 200

    def __str__(self) -> str:
        """Return one line."""
        deaths = "+".join(self.deaths)
        return f"{deaths} {dict(self.states)} {self.commands} commands {self.alerts} alerts"


async def play(
    story: Story, site: Site, http: aiohttp.ClientSession, folder: Path, *, serve: Serve, port: int
) -> Report:
    """Play *story*, wait until all is quiet, and judge."""
    await site.ready(http)
    before = {each.key for each in await site.executions(http)}
    async with _cast(story, site, http, folder, serve, port) as cast:
        async with asyncio.TaskGroup() as going:
            going.create_task(cast.prey.hunt(until_then=SPAN))
            for courier in cast.couriers:
                going.create_task(courier.carry())
            for fall in story.falls:
                going.create_task(_fall(cast, fall))
            going.create_task(_kill_peer(cast))
        complaints = await _quiet(cast)
        new = [each for each in await site.executions(http) if each.key not in before]
        return _judged(cast, new, complaints)


@asynccontextmanager
async def _cast(
    story: Story,
    site: Site,
    http: aiohttp.ClientSession,
    folder: Path,
    serve: Serve,
    port: int,
) -> AsyncIterator[Cast]:
    names = [f"chaos-{story.seed}-{number}" for number in range(len(site.projects))]
    projects = dict(zip(names, site.projects, strict=True))
    prey = Prey(folder, port, http, story.kills)
    gateway, oracle = Gateway(site, prey, http), Oracle(site, prey, http, projects)
    cast = Cast(
        story=story,
        site=site,
        http=http,
        projects=projects,
        prey=prey,
        gateway=gateway,
        oracle=oracle,
        doorway=Doorway(site.door, f"{prey.url}/alerts", lambda each: _is_about(projects, each)),
        couriers=[
            Courier(prey, http, sender, project=names[sender.project], name=f"{story.seed}.{place}")
            for place, sender in enumerate(story.senders)
        ],
    )
    addresses = await serve(gateway.app()), await serve(oracle.app())
    async with AsyncExitStack() as stack:
        stack.push_async_callback(oracle.end_all)
        stack.push_async_callback(cast.doorway.shut)
        await cast.doorway.open()
        stack.push_async_callback(prey.end)
        await prey.start(_config(cast, *addresses))
        await stack.enter_async_context(_beside(_through(cast, stack), oracle.watch(), _follow(cast)))
        yield cast
