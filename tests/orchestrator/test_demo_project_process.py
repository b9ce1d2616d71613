"""A demo project as a process: its start, its end, and what it refuses."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from orchestrator import clock
from orchestrator.demo.business import BUSINESS
from orchestrator.supervisor.leash import leashed
from tests.conftest import FreePort, Serve
from tests.waiting import until


async def launch(name: str, port: int, data: Path) -> Process:
    """Start a demo project as a process that cannot outlive the tests."""
    argv = [sys.executable, "-m", "orchestrator.demo.project", name]
    where = ["--listen", f"127.0.0.1:{port}", "--data", str(data)]
    return await create_subprocess_exec(*leashed([*argv, *where], os.getpid()), stderr=PIPE)


async def healthy(http: aiohttp.ClientSession, port: int) -> dict[str, Any]:
    """Wait for the project's first answer."""

    async def look() -> dict[str, Any] | None:
        try:
            async with http.get(f"http://127.0.0.1:{port}/health") as response:
                said: dict[str, Any] = await response.json()
                return said
        except aiohttp.ClientConnectionError:
            return None

    return await until(look, within=10, what="the project's first answer")


@pytest.mark.parametrize("name", BUSINESS)
async def test_each_project_runs_as_a_process_until_sigterm(
    name: str, tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    port = free_port()
    process = await launch(name, port, tmp_path / "made" / "for it")
    said = await healthy(http, port)
    process.terminate()
    _, log = await process.communicate()
    assert (said["status"], process.returncode, b"Traceback" in log) == ("healthy", 0, False)


async def test_sigterm_ends_a_hanging_process_at_once(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    port = free_port()
    process = await launch("chatbot", port, tmp_path)
    await healthy(http, port)
    async with http.post(f"http://127.0.0.1:{port}/faults/hang") as response:
        assert response.status == 200
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await writer.drain()
    async with http.delete(f"http://127.0.0.1:{port}/faults/none") as response:
        assert response.status == 404  # a round trip, in which the request has come, too
    began = clock.now()
    process.terminate()
    answer = await reader.read()
    await process.communicate()
    writer.close()
    assert (answer, process.returncode) == (b"", 0)
    assert clock.now() - began < timedelta(seconds=1)  # 0.2 s on a quiet machine


async def test_a_port_that_is_taken_is_one_line_and_status_1(tmp_path: Path, serve: Serve) -> None:
    port = int((await serve(web.Application())).rsplit(":", 1)[1])
    process = await launch("chatbot", port, tmp_path)
    _, log = await process.communicate()
    complaint = f"Error: 127.0.0.1:{port}: cannot listen: Address already in use"
    assert (process.returncode, log.decode().splitlines()[1:]) == (1, [complaint])


async def test_data_that_cannot_be_kept_is_one_line_and_status_1(
    tmp_path: Path, free_port: FreePort
) -> None:
    (tmp_path / "project.db").write_text("this is not a database at all, but a text" * 99)
    process = await launch("chatbot", free_port(), tmp_path)
    _, log = await process.communicate()
    complaint = f"Error: {tmp_path}: cannot be used: file is not a database\n"
    assert (process.returncode, log.decode()) == (1, complaint)
