"""A running demo stack for a test: real binaries, real processes, free ports."""

import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from orchestrator.demo import binaries
from orchestrator.demo.launch import running
from orchestrator.demo.stack import FAST, PORTS, Pace, Stack
from orchestrator.project import Mode
from tests.conftest import FreePort
from tests.waiting import until

CHECKOUT = Path(__file__).parent.parent.parent

NONE: Mapping[str, Mapping[str, float]] = {}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Live:
    """A stack that is up, and the questions that tests ask it."""

    stack: Stack
    session: aiohttp.ClientSession

    async def get(self, program: str, path: str) -> Any:  # noqa: ANN401  what JSON holds
        """Return the JSON at *path* of one of the programs."""
        async with self.session.get(f"{self.stack.url(program)}{path}") as response:
            response.raise_for_status()
            return await response.json()

    async def inject(self, project: str, fault: str, query: str = "") -> None:
        """Break a project."""
        url = f"{self.stack.url('supervisor')}/faults/{project}/{fault}{query}"
        async with self.session.post(url) as response:
            response.raise_for_status()

    async def mend(self, project: str, fault: str) -> None:
        """Take a fault back."""
        url = f"{self.stack.url('supervisor')}/faults/{project}/{fault}"
        async with self.session.delete(url) as response:
            response.raise_for_status()

    async def commands(self) -> list[Json]:
        """Return every command that the supervisor has executed."""
        found: list[Json] = await self.get("supervisor", "/commands")
        return found

    async def pid(self, service: str) -> int | None:
        """Return the process id of a service, None while it is down."""
        services = await self.get("supervisor", "/services")
        pid: int | None = next(each["pid"] for each in services if each["name"] == service)
        return pid

    async def events(self, *, after: int = 0) -> list[Json]:
        """Return the events so far; none while the webhook is down."""
        try:
            found: list[Json] = (await self.get("webhook", f"/api/v1/events?after={after}"))[
                "events"
            ]
        except aiohttp.ClientError:
            return []
        return found

    async def until_event(self, name: str, *, after: int = 0, within: float = 40) -> list[Json]:
        """Wait for the event *name* with an id above *after*; return all from there on."""

        async def told() -> list[Json] | None:
            found = await self.events(after=after)
            return found if any(event["name"] == name for event in found) else None

        return await until(told, within=within, what=f"event {name}")


def names_of(events: Iterable[Json], project: str) -> list[str]:
    """Return the names of a project's events, without the project in them."""
    slug = project.upper().replace("-", "_")
    return [each["name"].removeprefix(f"{slug}_") for each in events if each["project"] == project]


Start = Callable[..., AbstractAsyncContextManager[Live]]


@pytest.fixture
def ports(free_port: FreePort) -> dict[str, int]:
    """Choose a port for every program of the stack."""
    return {name: free_port() for name in PORTS}


@pytest.fixture
def start(tmp_path: Path, ports: dict[str, int]) -> Start:
    """Start a stack; it ends with the block."""

    @asynccontextmanager
    async def started(
        pace: Pace = FAST,
        mode: Mode = Mode.ACT,
        thresholds: Mapping[str, Mapping[str, float]] = NONE,
        analyzer: Mapping[str, Any] = NONE,
    ) -> AsyncIterator[Live]:
        stack = Stack(
            checkout=CHECKOUT,
            folder=tmp_path,
            binaries=binaries.find(os.environ, CHECKOUT / ".tools"),  # noqa: TID251  as the demo does
            ports=ports,
            mode=mode,
            pace=pace,
            thresholds=thresholds,
            analyzer=analyzer,
        )
        async with running(stack) as (session, _):
            yield Live(stack, session)

    return started
