"""The demo as its users start it: a process, and everything that it starts in turn."""

import asyncio
import socket
import sys
from pathlib import Path

import aiohttp

from tests.e2e.conftest import CHECKOUT
from tests.waiting import until


async def begun(ports: dict[str, int], *options: str) -> asyncio.subprocess.Process:
    """Start `orchestrator demo` on these ports; what it prints is kept for who asks."""
    chosen = [f"--port={name}={port}" for name, port in ports.items()]
    command = [sys.executable, "-m", "orchestrator", "demo", *options, *chosen]
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,  # little is said: it never fills
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


async def children(http: aiohttp.ClientSession, ports: dict[str, int]) -> list[int]:
    """Wait until everything is up; return every process but the demo's own."""

    async def up() -> list[int] | None:
        url = f"http://127.0.0.1:{ports['supervisor']}/services"
        try:
            async with http.get(url) as response:
                services = await response.json()
        except aiohttp.ClientError:
            return None
        pids = [each["pid"] for each in services if each["running"]]
        return pids if len(pids) == len(ports) - 1 else None

    return await until(up, within=30, what="the whole stack")


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.rpartition(")")[2].split()[0] != "Z"  # a zombie has ended


async def until_gone(pids: list[int], ports: dict[str, int]) -> None:
    """Wait until every process has ended, and see that every port is free again."""

    async def gone() -> bool:
        return not any(_alive(pid) for pid in pids)

    await until(gone, within=10, what="the end of every process")
    for port in ports.values():
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
