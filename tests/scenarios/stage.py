"""The stage: a demo fleet on which cases are played, each project breaking by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import aiohttp

from orchestrator.demo.launch import running
from orchestrator.demo.stack import Stack
from tests.scenarios.cast import Case
from tests.waiting import until

FIRES_WITHIN = 60.0  # seconds; two cores, and others on them
COMMANDED = 2.0  # seconds until what a command did shows, and ends
CURED = 4.0  # seconds until every figure has seen that it is over
SURVIVES = "disk_full"  # what no command takes away

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """A fleet that is up."""

    stack: Stack
    session: aiohttp.ClientSession
    keys: Callable[[], int]

    async def ask(self, program: str, path: str, **query: str) -> Any:  # noqa: ANN401  what JSON holds
        """Return the JSON at *path* of one of the programs."""
        url = f"{self.stack.url(program)}{path}"
        async with self.session.get(url, params=query) as response:
            response.raise_for_status()
            return await response.json()

    async def breaks(self, case: Case) -> None:
        """Let every fault of *case* begin."""
        for fault in case.faults:
            await self._post(f"/faults/{case.project}/{fault}")

    async def mends(self, case: Case) -> None:
        """Take every fault of *case* back."""
        for fault in case.faults:
            name = fault.partition("?")[0]
            url = f"{self.stack.url('supervisor')}/faults/{case.project}/{name}"
            async with self.session.delete(url) as response:
                response.raise_for_status()

    async def commands(self, project: str, action: str) -> None:
        """Carry *action* out, as somebody's hand would."""
        await self._post(
            f"/control/{project}",
            headers={"Idempotency-Key": f"scenario-{self.keys()}"},
            json={"action": action},
        )

    async def _post(self, path: str, **more: Any) -> None:  # noqa: ANN401  as aiohttp takes it
        async with self.session.post(f"{self.stack.url('supervisor')}{path}", **more) as response:
            response.raise_for_status()

    async def fires(self, case: Case) -> Json:
        """Wait until the alert of *case* fires; return it."""

        async def look() -> Json | None:
            alerts = (await self.ask("prometheus", "/api/v1/alerts"))["data"]["alerts"]
            return next((each for each in alerts if _is_of(case, each)), None)

        return await until(look, within=FIRES_WITHIN, what=f"{case.id}: {case.alertname}")


def _is_of(case: Case, alert: Json) -> bool:
    labels = alert["labels"]
    told = labels.get("alertname"), labels.get("project"), alert["state"]
    return told == (case.alertname, case.project, "firing")


@asynccontextmanager
async def raised(stack: Stack) -> AsyncIterator[Stage]:
    """Run a fleet until the block ends."""
    async with running(stack) as (session, _):
        yield Stage(stack, session, count().__next__)


async def play(
    stage: Stage, case: Case, look: Callable[[Json], Awaitable[None]], *, calm: float
) -> None:
    """Play *case*: a time of calm, then what breaks, and the look at it."""
    for action in case.first:
        await stage.commands(case.project, action)
    await asyncio.sleep(calm)
    await stage.breaks(case)
    alert = await stage.fires(case)
    for action in case.tried:
        await asyncio.sleep(COMMANDED)
        await stage.commands(case.project, action)
        if SURVIVES not in case.faults:
            await asyncio.sleep(COMMANDED)
            await stage.breaks(case)
    await asyncio.sleep(case.for_seconds)
    if case.cured:
        await stage.mends(case)
        await asyncio.sleep(CURED)
    elif case.tried:
        await stage.fires(case)
    await look(alert)
