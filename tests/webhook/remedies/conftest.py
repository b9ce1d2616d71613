"""A real demo project behind a real supervisor, for remedies to be tried on."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import aiohttp
import pytest

from orchestrator import fetch, probe
from orchestrator.health import Probe, State
from orchestrator.project import Control, Project
from tests.conftest import FreePort
from tests.orchestrator.test_supervisor import Supervisor, answers, project, within
from tests.webhook import make
from webhook.catalogue import CATALOGUE
from webhook.executor import Done, execute
from webhook.remedy import Remedy


@dataclass(frozen=True, kw_only=True)
class Patient:
    """The project, and how a test treats it."""

    supervisor: Supervisor
    project: Project
    keys: Iterator[int]

    async def take(self, remedy: Remedy) -> Done:
        """Carry *remedy* out as the webhook does; fail unless its control says that it is done."""
        key = f"key-{next(self.keys)}"
        action = make.action(key=key, project=self.project.name, name=remedy.name)
        done = await execute(self.supervisor.http, self.project, action, {})
        assert isinstance(done, Done), done
        return done

    async def undo(self, remedy: Remedy) -> Done:
        """Carry out what takes *remedy* back."""
        assert remedy.undo is not None
        return await self.take(CATALOGUE[remedy.undo])

    async def suffer(self, fault: str) -> None:
        """Begin a fault."""
        said = await self.supervisor.ask("POST", f"/faults/{self.project.name}/{fault}")
        assert said.status == 200, said

    async def probe(self) -> Probe:
        """Ask how it is."""
        async with fetch.connections(keep=False) as ways:
            return await probe.ask(ways, self.project)

    async def state(self) -> State:
        """Ask in which state it is."""
        return (await self.probe()).state

    async def pid(self) -> int:
        """Return the number of its process."""
        return await self.supervisor.pid(self.project.name)

    async def figure(self, path: str, name: str) -> float:
        """Return one figure that it tells."""
        async with self.supervisor.http.get(self.project.url + path) as response:
            return float((await response.json())[name])


@pytest.fixture
async def patient(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> AsyncIterator[Patient]:
    """Run chatbot under a supervisor until the test ends."""
    service = project("chatbot", free_port(), tmp_path)
    async with within(tmp_path, free_port(), http, [service]) as supervisor:
        await answers(http, service["ready"])
        control = Control(url=f"{supervisor.url}/control/chatbot")
        chatbot = make.project(name="chatbot", url=service["url"], control=control)
        yield Patient(supervisor=supervisor, project=chatbot, keys=count())
