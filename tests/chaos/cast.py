"""The cast of a run: everything that takes part in it, opened and closed in order."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from tests.cases.doorway import AnswerLost, Doorway, Forward
from tests.chaos.courier import Courier
from tests.chaos.gateway import Gateway
from tests.chaos.oracle import Oracle
from tests.chaos.prey import Prey
from tests.chaos.site import Site
from tests.chaos.story import SPAN, Moment, Story
from tests.conftest import FreePort, Serve

Json = dict[str, Any]

PROOF = {"recover_within": "1500ms", "prove_within": "3s", "every": "50ms"}
READ_EVERY = 0.1  # seconds
ANSWER_WITHIN = aiohttp.ClientTimeout(total=10)


class Reader:
    """One who follows the events by their numbers, across all deaths of the webhook."""

    def __init__(self, prey: Prey, http: aiohttp.ClientSession) -> None:
        self.events: list[Json] = []
        self._prey, self._http = prey, http

    async def follow(self) -> None:
        """Read on, for ever."""
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                await self._read()
            await asyncio.sleep(READ_EVERY)

    async def catch_up(self) -> None:
        """Read to the end."""
        while await self._read():
            pass

    async def _read(self) -> int:
        after = self.events[-1]["id"] if self.events else 0
        url = f"{self._prey.url}/api/v1/events?after={after}"
        async with self._http.get(url, timeout=ANSWER_WITHIN) as response:
            response.raise_for_status()
            told: list[Json] = (await response.json())["events"]
        if after == (self.events[-1]["id"] if self.events else 0):  # else another was quicker
            self.events += told
        return len(told)


class Way:
    """The way from Alertmanager: it doubles, delays and loses, as networks do."""

    def __init__(self, prey: Prey, seed: int) -> None:
        self._prey, self._chance = prey, random.Random(seed)  # noqa: S311  a seed, no secret
        self._late: set[asyncio.Task[None]] = set()

    async def __call__(self, _: Json, forward: Forward) -> web.StreamResponse:
        """Hand on a message."""
        fate = self._chance.choice(["passes", "passes", "passes", "doubled", "late", "lost"])
        wait = self._chance.uniform(0, SPAN)
        try:
            if fate == "doubled":
                await asyncio.gather(forward(), forward())
            answer = await forward()
        except aiohttp.ClientError:
            return web.Response(status=502)
        if answer.status == web.HTTPOk.status_code:
            await self._prey.at(Moment.ANSWERED)
        if fate == "late":
            copy = asyncio.create_task(self._again(forward, wait))
            self._late.add(copy)
            copy.add_done_callback(self._late.discard)
        if fate == "lost":
            raise AnswerLost
        return answer

    async def shut(self) -> None:
        """Let no copy come any more."""
        for each in list(self._late):
            each.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)

    async def _again(self, forward: Forward, wait: float) -> None:
        await asyncio.sleep(wait)
        with suppress(aiohttp.ClientError):
            await forward()


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
    reader: Reader

    @property
    def names(self) -> list[str]:
        """The names of the projects."""
        return list(self.projects)


def _chosen(story: Story, site: Site, http: aiohttp.ClientSession, folder: Path, port: int) -> Cast:
    names = [f"chaos-{story.seed}-{number}" for number in range(len(site.projects))]
    projects = dict(zip(names, site.projects, strict=True))
    prey = Prey(folder, port, http, story.kills)

    def is_about_us(message: Json) -> bool:
        return any(alert["labels"].get("project") in projects for alert in message["alerts"])

    doorway = Doorway(site.door, f"{prey.url}/alerts", is_about_us)
    doorway.way = Way(prey, story.seed)
    return Cast(
        story=story,
        site=site,
        http=http,
        projects=projects,
        prey=prey,
        gateway=Gateway(site, prey, http),
        oracle=Oracle(site, prey, http, projects),
        doorway=doorway,
        couriers=[
            Courier(prey, http, sender, project=names[sender.project], name=f"{story.seed}.{place}")
            for place, sender in enumerate(story.senders)
        ],
        reader=Reader(prey, http),
    )


@asynccontextmanager
async def on_stage(
    story: Story,
    site: Site,
    http: aiohttp.ClientSession,
    folder: Path,
    *,
    serve: Serve,
    free_port: FreePort,
) -> AsyncIterator[Cast]:
    """Let everybody begin; the webhook is not up yet. All of them end with the block."""
    await site.ready(http)
    cast = _chosen(story, site, http, folder, free_port())
    config = _config(cast, await serve(cast.gateway.app()), await serve(cast.oracle.app()))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(cast.oracle.end_all)
        await cast.doorway.open()
        stack.push_async_callback(cast.doorway.shut)
        assert isinstance(cast.doorway.way, Way)
        stack.push_async_callback(cast.doorway.way.shut)
        await cast.prey.start(config)
        stack.push_async_callback(cast.prey.end)
        await stack.enter_async_context(_beside(cast.oracle.watch(), cast.reader.follow()))
        yield cast


@asynccontextmanager
async def _beside(*each: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let some go on for the length of the block; what one of them raises comes at its end."""
    going = {asyncio.create_task(one) for one in each}
    ended: set[asyncio.Task[None]] = set()
    try:
        yield
    finally:
        while going:  # again and again: up to Python 3.11 a wait can swallow a cancellation
            for task in going:
                task.cancel()
            over, going = await asyncio.wait(going, timeout=1)
            ended |= over
    for task in ended:
        if not task.cancelled():
            task.result()


def _config(cast: Cast, gateway: str, prometheus: str) -> str:
    """Return the text of orchestrator.yml."""
    projects = [
        {
            "name": name,
            "url": cast.site.at(service),
            "control": {"url": f"{gateway}/{service}/control"},
        }
        for name, service in cast.projects.items()
    ]
    content = {
        "defaults": {"mode": "act"},
        "projects": projects,
        "playbooks": {"ProjectDown": ["restart_service"]},
        "guards": cast.story.guards,
        "verification": PROOF,
        "alertmanagers": [cast.site.peer.url],
        "prometheus": prometheus,
    }
    return yaml.safe_dump(content)
