"""However the demo ends, nothing that it started lives on, and every port is free again."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.conftest import CHECKOUT
from tests.waiting import until

pytestmark = pytest.mark.e2e


async def _demo(ports: dict[str, int], *options: str) -> asyncio.subprocess.Process:
    chosen = [f"--port={name}={port}" for name, port in ports.items()]
    command = [sys.executable, "-m", "orchestrator", "demo", "--fast", *options, *chosen]
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


async def _children(http: aiohttp.ClientSession, ports: dict[str, int]) -> list[int]:
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


async def _until_gone(pids: list[int], ports: dict[str, int]) -> None:
    async def gone() -> bool:
        return not any(_alive(pid) for pid in pids)

    await until(gone, within=10, what="the end of every process")
    for port in ports.values():
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])


async def test_nothing_is_left_after_completion(
    http: aiohttp.ClientSession, ports: dict[str, int]
) -> None:
    demo = await _demo(ports)
    pids = await _children(http, ports)
    assert await asyncio.wait_for(demo.wait(), 60) == 0
    await _until_gone(pids, ports)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_nothing_is_left_after_an_interrupt(
    http: aiohttp.ClientSession, ports: dict[str, int], number: int
) -> None:
    demo = await _demo(ports, "--keep")
    pids = await _children(http, ports)
    demo.send_signal(number)
    assert await asyncio.wait_for(demo.wait(), 20) == 130
    await _until_gone(pids, ports)


async def test_nothing_is_left_after_the_demo_was_killed(
    http: aiohttp.ClientSession, ports: dict[str, int]
) -> None:
    demo = await _demo(ports, "--keep")
    pids = await _children(http, ports)
    demo.kill()
    await demo.wait()
    await _until_gone(pids, ports)


async def test_nothing_is_left_after_the_supervisor_was_killed(
    http: aiohttp.ClientSession, ports: dict[str, int]
) -> None:
    demo = await _demo(ports, "--keep")
    pids = await _children(http, ports)
    os.kill(_parent(pids[0]), signal.SIGKILL)
    await _until_gone(pids, ports)
    assert await asyncio.wait_for(demo.wait(), 10) == 1
