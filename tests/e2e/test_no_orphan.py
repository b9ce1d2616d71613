"""However the demo ends, nothing that it started lives on, and every port is free again.

That it ends by itself is seen in test_healing.py.
"""

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.demo import begun, children, until_gone

pytestmark = pytest.mark.e2e

STAYS = ("--fast", "--keep")


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_nothing_is_left_after_an_interrupt(
    http: aiohttp.ClientSession, ports: dict[str, int], number: int
) -> None:
    demo = await begun(ports, *STAYS)
    pids = await children(http, ports)
    demo.send_signal(number)
    assert await asyncio.wait_for(demo.wait(), 20) == 130
    await until_gone(pids, ports)


async def test_nothing_is_left_after_the_demo_was_killed(
    http: aiohttp.ClientSession, ports: dict[str, int]
) -> None:
    demo = await begun(ports, *STAYS)
    pids = await children(http, ports)
    demo.kill()
    await demo.wait()
    await until_gone(pids, ports)


async def test_nothing_is_left_after_the_supervisor_was_killed(
    http: aiohttp.ClientSession, ports: dict[str, int]
) -> None:
    demo = await begun(ports, *STAYS)
    pids = await children(http, ports)
    os.kill(_parent(pids[0]), signal.SIGKILL)
    await until_gone(pids, ports)
    assert await asyncio.wait_for(demo.wait(), 10) == 1
