"""The supervisor as a program: what it starts, keeps, ends and refuses."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from orchestrator.loopback import Address
from orchestrator.supervisor.leash import leashed
from orchestrator.supervisor.server import supervising
from orchestrator.supervisor.service import load
from tests.conftest import FreePort
from tests.orchestrator.test_supervisor_leash import alive
from tests.waiting import until

SLEEPER = {"name": "sleeper", "argv": ["sleep", "1000"]}
DEAF = "trap '' TERM; echo deaf; while :; do sleep 1; done"

Service = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Supervisor:
    """A running supervisor, and how a test talks to it."""

    url: str
    folder: Path
    http: aiohttp.ClientSession

    async def services(self) -> dict[str, dict[str, Any]]:
        """Return what the supervisor says of its services, by their names."""
        async with self.http.get(f"{self.url}/services") as response:
            return {each["name"]: each for each in await response.json()}

    async def commands(self) -> list[tuple[str, str, str]]:
        """Return key, project and action of each execution."""
        async with self.http.get(f"{self.url}/commands") as response:
            return [
                (each["key"], each["project"], each["action"]) for each in await response.json()
            ]

    async def command(self, project: str, action: str, *, key: str) -> "Said":
        """Send a command."""
        return await self.ask("POST", f"/control/{project}", {"action": action}, key=key)

    async def ask(self, method: str, path: str, body: object = None, *, key: str = "") -> "Said":
        """Send any request."""
        headers = {"Idempotency-Key": key} if key else {}
        async with self.http.request(
            method, self.url + path, json=body, headers=headers
        ) as response:
            replayed = response.headers.get("Idempotency-Replayed")
            return Said(response.status, await response.json(), replayed == "true")

    async def pid(self, name: str) -> int:
        """Wait until the service runs; return its process."""

        async def look() -> int:
            return int((await self.services())[name]["pid"] or 0)

        return await until(look, within=5, what=f"a process of {name}")

    def output(self, name: str) -> str:
        """Return what the service has said so far."""
        return (self.folder / "state" / "output" / f"{name}.log").read_text()


@dataclass(frozen=True, kw_only=True)
class Program(Supervisor):
    """A supervisor in a process of its own."""

    process: Process


@dataclass(frozen=True)
class Said:
    """An answer of the supervisor."""

    status: int
    body: Any
    replayed: bool = False


def write(folder: Path, services: Sequence[Service]) -> Path:
    """Write a services file; its state is beside it."""
    file = folder / "services.yml"
    file.write_text(yaml.safe_dump({"state": "state", "services": list(services)}))
    return file


async def launch(file: Path, port: int) -> Process:
    """Start a supervisor that cannot outlive the tests; its log is beside the file."""
    argv = [sys.executable, "-m", "orchestrator.supervisor", str(file)]
    with (file.parent / "supervisor.log").open("a") as log:
        return await create_subprocess_exec(
            *leashed([*argv, "--listen", f"127.0.0.1:{port}"], os.getpid()),
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
        )


@asynccontextmanager
async def running(
    folder: Path, port: int, http: aiohttp.ClientSession, services: Sequence[Service]
) -> AsyncIterator[Program]:
    """Run a supervisor of *services* until the block is left."""
    process = await launch(write(folder, services), port)
    it = Program(process=process, url=f"http://127.0.0.1:{port}", folder=folder, http=http)

    async def look() -> bool:
        assert process.returncode is None, (folder / "supervisor.log").read_text()
        try:
            return bool(await it.services())
        except aiohttp.ClientConnectionError:
            return False

    try:
        await until(look, within=10, what="the supervisor's first answer")
        yield it
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def within(
    folder: Path, port: int, http: aiohttp.ClientSession, services: Sequence[Service]
) -> AsyncIterator[Supervisor]:
    """Run a supervisor of *services* in this process, which is where tests can be quick."""
    fleet = load(write(folder, services))
    async with supervising(fleet, Address("127.0.0.1", port)) as bound:
        yield Supervisor(url=f"http://{bound}", folder=folder, http=http)


async def gone(*pids: int) -> None:
    """Wait for the processes' ends."""

    async def look() -> bool:
        return not any(map(alive, pids))

    await until(look, within=2, what=f"the end of {pids}")


async def test_services_are_started_and_listed(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    async with running(tmp_path, free_port(), http, [SLEEPER]) as supervisor:
        pid = await supervisor.pid("sleeper")
        listed = (await supervisor.services())["sleeper"]
        started_at = listed.pop("started_at")
        healthy = await supervisor.ask("GET", "/-/healthy")
    assert (listed, started_at[-1], healthy) == (
        {"name": "sleeper", "pid": pid, "running": True, "starts": 1, "exit_status": None},
        "Z",
        Said(200, {"status": "healthy"}),
    )


async def test_sigterm_ends_every_child_also_one_that_ignores_it(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    deaf = {"name": "deaf", "argv": ["sh", "-c", DEAF]}
    async with running(tmp_path, free_port(), http, [SLEEPER, deaf]) as supervisor:
        pids = [await supervisor.pid("sleeper"), await supervisor.pid("deaf")]

        async def look() -> bool:
            return "deaf" in supervisor.output("deaf")

        await until(look, within=5, what="the trap")
        supervisor.process.terminate()
        status = await asyncio.wait_for(supervisor.process.wait(), 5)
    assert (status, [alive(pid) for pid in pids]) == (0, [False, False])


async def test_sigint_ends_it_in_order_too(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    async with running(tmp_path, free_port(), http, [SLEEPER]) as supervisor:
        pid = await supervisor.pid("sleeper")
        supervisor.process.send_signal(signal.SIGINT)
        status = await supervisor.process.wait()
    assert (status, alive(pid)) == (0, False)


async def test_sigkill_leaves_no_child_and_the_ports_can_be_used_again(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    port, of_project = free_port(), free_port()
    chatbot = project("chatbot", of_project, tmp_path)
    async with running(tmp_path, port, http, [SLEEPER, chatbot]) as supervisor:
        pids = [await supervisor.pid("sleeper"), await supervisor.pid("chatbot")]
        await answers(http, chatbot["ready"])
        supervisor.process.kill()
        await supervisor.process.wait()
        await gone(*pids)
    async with running(tmp_path, port, http, [SLEEPER, chatbot]) as supervisor:
        await answers(http, chatbot["ready"])
        assert await supervisor.pid("chatbot") not in pids


async def test_only_a_service_that_backs_off_is_started_again(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    once = {"name": "once", "argv": ["sh", "-c", "exit 7"]}
    often = {"name": "often", "argv": ["sh", "-c", "exit 8"], "restart": "backoff"}
    async with running(tmp_path, free_port(), http, [once, often]) as supervisor:

        async def look() -> dict[str, dict[str, Any]] | None:
            listed = await supervisor.services()
            again = listed["often"]["starts"] == 2 and not listed["often"]["running"]
            return listed if again else None

        listed = await until(look, within=5, what="the second start")
    assert {name: (each["starts"], each["exit_status"]) for name, each in listed.items()} == {
        "once": (1, 7),
        "often": (2, 8),
    }


async def test_a_program_that_is_not_there_is_logged_and_harms_no_other(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    missing = {"name": "missing", "argv": ["/no/such/program"]}
    async with running(tmp_path, free_port(), http, [missing, SLEEPER]) as supervisor:
        await supervisor.pid("sleeper")
        starts = (await supervisor.services())["missing"]["starts"]
        log = (tmp_path / "supervisor.log").read_text()
    assert (starts, "reason='/no/such/program: no such program'" in log) == (0, True)


def project(name: str, port: int, folder: Path) -> Service:
    """Return the service of a real demo project."""
    url = f"http://127.0.0.1:{port}"
    listen = ["--listen", f"127.0.0.1:{port}", "--data", str(folder / f"data-{name}")]
    argv = [sys.executable, "-m", "orchestrator.demo.project", name, *listen]
    return {"name": name, "argv": argv, "url": url, "ready": f"{url}/health"}


async def answers(http: aiohttp.ClientSession, url: str) -> None:
    """Wait for any answer of *url*."""

    async def look() -> bool:
        try:
            async with http.get(url):
                return True
        except aiohttp.ClientConnectionError:
            return False

    await until(look, within=10, what=f"an answer of {url}")
