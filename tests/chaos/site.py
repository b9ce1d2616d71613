"""The site of many runs: a real Alertmanager, and projects that the real supervisor runs."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from orchestrator import clock
from orchestrator.supervisor.leash import leashed
from tests.cases import mesh
from tests.cases.mesh import Peer
from tests.chaos import service
from tests.waiting import until

Json = dict[str, Any]

ANSWER_WITHIN = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True, slots=True)
class Execution:
    """One time that the supervisor carried a command out."""

    key: str
    service: str
    action: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class Site:
    """What the runs of a worker share; each has names of its own for the projects."""

    folder: Path
    peer: Peer
    door: int  # where Alertmanager finds the webhook
    port: int  # of the supervisor
    projects: dict[str, int]  # the services and their ports
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start Alertmanager and the supervisor, and with it the projects."""
        file = self.folder / "services.yml"
        content = {"state": "state", "services": [self._service(name) for name in self.projects]}
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
        argv = [sys.executable, "-m", "orchestrator.supervisor", str(file)]
        with (self.folder / "supervisor.log").open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603  our own argument list
                leashed([*argv, f"--listen=127.0.0.1:{self.port}"], os.getpid()),
                cwd=mesh.ROOT,
                stdout=log,
                stderr=log,
            )
        url = f"http://127.0.0.1:{self.door}/alerts"
        self.peer.config.write_text(mesh.routing(url), encoding="utf-8")
        self.peer.start()

    def end(self) -> None:
        """End all of it."""
        self.peer.kill()
        if self.process:
            self.process.terminate()  # so that it ends its children in order
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    async def ready(self, http: aiohttp.ClientSession) -> None:
        """Wait until all of it serves, with every project well."""

        async def supervises() -> bool:
            try:
                async with http.get(f"{self.url}/-/healthy", timeout=ANSWER_WITHIN) as response:
                    return response.ok
            except aiohttp.ClientError:
                return False

        async def meets() -> bool:
            return await self.peer.ready(http)

        await until(supervises, within=30, what="the supervisor")
        await until(meets, within=30, what="Alertmanager")
        for name in self.projects:
            await self.mend(http, name)

    async def fall(self, http: aiohttp.ClientSession, name: str, *, wrong: str | None) -> None:
        """Let a project fall: its process is killed, or it lives and something is *wrong*."""
        if wrong is not None:
            self._wrong(name).write_text(wrong, encoding="utf-8")
            return
        async with http.post(f"{self.url}/faults/{name}/process_killed") as response:
            assert response.status in (200, 409), await response.text()  # 409: it is not there

    async def mend(self, http: aiohttp.ClientSession, name: str) -> None:
        """Mend a project as people do, beside everything that repairs by itself."""
        self._wrong(name).unlink(missing_ok=True)
        async with http.delete(f"{self.url}/faults/{name}/process_killed") as response:
            assert response.ok, await response.text()

    async def answers(self, http: aiohttp.ClientSession, name: str) -> bool:
        """Tell whether a project is well, by asking it."""
        try:
            async with http.get(f"{self.at(name)}/health", timeout=ANSWER_WITHIN) as response:
                return response.ok
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def executions(self, http: aiohttp.ClientSession) -> list[Execution]:
        """Return what the supervisor has carried out so far, each time of it."""
        async with http.get(f"{self.url}/commands") as response:
            rows: list[Json] = await response.json()
        return [
            Execution(row["key"], row["project"], row["action"], clock.read(row["executed_at"]))
            for row in rows
        ]

    @property
    def url(self) -> str:
        """Where the supervisor listens."""
        return f"http://127.0.0.1:{self.port}"

    def at(self, name: str) -> str:
        """Where a project listens."""
        return f"http://127.0.0.1:{self.projects[name]}"

    def _wrong(self, name: str) -> Path:
        return self.folder / f"{name}.wrong"

    def _service(self, name: str) -> Json:
        python = [sys.executable, "-I", "-S", service.__file__]
        return {
            "name": name,
            "argv": [*python, str(self.projects[name]), str(self._wrong(name))],
            "url": self.at(name),
            "ready": f"{self.at(name)}/ready",  # also of one that is deaf
        }
