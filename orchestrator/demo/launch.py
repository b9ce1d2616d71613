"""The launch of the demo stack: whether it can start, when it is ready, and how all of it ends."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path

import aiohttp

from orchestrator.demo.stack import PROGRAMS_NEED, PROJECTS, Stack, write
from orchestrator.errors import OrchestratorError
from orchestrator.supervisor.leash import leashed

READY_WITHIN = 60.0  # seconds until every program answers; a cold start takes five
END_WITHIN = 8.0  # seconds for the supervisor to end its children, before it is killed
TICK = 0.1
ANSWER_WITHIN = aiohttp.ClientTimeout(total=10)


class NoCheckout(OrchestratorError):
    """The demo was started where the programs of the checkout are not."""


class PortTaken(OrchestratorError):
    """A port that the demo needs is in use."""


class NotReady(OrchestratorError):
    """A program of the stack did not come up."""


@asynccontextmanager
async def running(
    stack: Stack,
) -> AsyncIterator[tuple[aiohttp.ClientSession, asyncio.subprocess.Process]]:
    """Run *stack* from ready to ended; yield a client for it, and its supervisor.

    Raises NotReady, with what the programs last said.
    """
    services = write(stack)
    listen = f"127.0.0.1:{stack.ports['supervisor']}"
    command = [sys.executable, "-m", "orchestrator.supervisor", str(services), "--listen", listen]
    with (stack.folder / "supervisor.log").open("wb") as log:
        supervisor = await asyncio.create_subprocess_exec(
            *leashed(command, parent=os.getpid()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us; we end the others in order
        )
    try:
        async with aiohttp.ClientSession(timeout=ANSWER_WITHIN) as session:
            await _until_ready(session, stack, supervisor)
            yield session, supervisor
    finally:
        await asyncio.shield(_end(supervisor))


async def _end(supervisor: asyncio.subprocess.Process) -> None:
    if supervisor.returncode is None:
        supervisor.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(END_WITHIN):
                await supervisor.wait()
        except TimeoutError:
            supervisor.kill()
            await supervisor.wait()


async def _until_ready(
    session: aiohttp.ClientSession, stack: Stack, supervisor: asyncio.subprocess.Process
) -> None:
    missing = "everything"
    with suppress(TimeoutError):
        async with asyncio.timeout(READY_WITHIN):
            while supervisor.returncode is None:
                lacking = await _lacking(session, stack)
                if lacking is None:
                    return
                missing = lacking
                await asyncio.sleep(TICK)
    raise NotReady(f"{missing} did not come up.{_last_words(stack.folder, missing)}")


async def _lacking(session: aiohttp.ClientSession, stack: Stack) -> str | None:
    """Name the first part that is not ready yet; None when a fault would be noticed."""
    ready = {
        "supervisor": "/-/healthy",
        "webhook": "/-/healthy",
        "exporter": "/-/healthy",
        "alertmanager": "/-/ready",
        "prometheus": "/-/ready",
    }
    name = "supervisor"
    try:
        for name, path in ready.items():
            async with session.get(stack.url(name) + path) as response:
                if response.status != HTTPStatus.OK:
                    return name
        api = f"{stack.url('prometheus')}/api/v1"
        async with session.get(f"{api}/query", params={"query": "project_up == 1"}) as response:
            up = (await response.json())["data"]["result"]
        async with session.get(f"{api}/alertmanagers") as response:
            peers = (await response.json())["data"]["activeAlertmanagers"]
    except (aiohttp.ClientError, TimeoutError):
        return name
    return None if len(up) == len(PROJECTS) and peers else "prometheus"


def _last_words(folder: Path, name: str) -> str:
    for path in (folder / "state" / "output" / f"{name}.log", folder / "supervisor.log"):
        if path.exists() and path.stat().st_size:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
            return "\nThe last it said:\n  " + "\n  ".join(lines)
    return ""


def check(checkout: Path, ports: Mapping[str, int]) -> None:
    """Raise NoCheckout or PortTaken when the demo cannot run from *checkout* on *ports*."""
    missing = [name for name in PROGRAMS_NEED if not (checkout / name).is_dir()]
    if missing:
        raise NoCheckout(
            f"the demo runs in a checkout of orchestrator, and {checkout} has no"
            f" {' and no '.join(missing)}; cd to the checkout first"
        )
    chosen = list(ports.values())
    shared = [name for name, port in ports.items() if chosen.count(port) > 1]
    if shared:
        raise PortTaken(f"{' and '.join(shared)} need a port each; choose others with --port")
    taken = [f"{port} ({name})" for name, port in ports.items() if _is_taken(port)]
    if taken:
        raise PortTaken(
            f"taken by another program: port {', port '.join(taken)};"
            " end it, or choose another with --port NAME=PORT"
        )


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
