"""Every program logs in the form and to the file that it is told to, and no secret is in it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import FreePort
from tests.waiting import until
from webhook import token
from webhook.token import Caller, Role

CHECKOUT = Path(__file__).parents[2]
CANARY = "canary-that-nobody-may-read"
HEAD = ["at", "level", "logger", "event"]
SERVICES = """
state: state
services:
  - {name: chatbot, argv: [sleep, "60"]}
"""
CONFIG = f"""
projects:
  - name: chatbot
    url: http://127.0.0.1:1
    auth: {{bearer_env: CHATBOT_TOKEN}}
  - {{name: crm, url: "http://127.0.0.1:1", paths: {{health: "/health?key={CANARY}"}}}}
alertmanagers: [http://127.0.0.1:1]
prometheus: http://127.0.0.1:1
"""
PROGRAMS = {
    "webhook": ("webhook", "--config", "orchestrator.yml", "--tokens", "tokens"),
    "exporter": ("exporter", "--config", "orchestrator.yml"),
    "supervisor": ("orchestrator.supervisor", "services.yml"),
}
OTHERS = ("exporter", "supervisor")
VARIABLES = {"LOG_FORMAT": "json", "LOG_FILE": "logs/orchestration.log", "LOG_LEVEL": "debug"}


async def _started(folder: Path, *arguments: str, **variables: str) -> asyncio.subprocess.Process:
    (folder / "orchestrator.yml").write_text(CONFIG)
    (folder / "services.yml").write_text(SERVICES)
    (folder / "tokens").write_text(token.line(Caller(name="ann", role=Role.ADMIN), CANARY))
    known = {"PYTHONPATH": str(CHECKOUT), "PATH": "/usr/bin:/bin", "CHATBOT_TOKEN": CANARY}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *arguments),
        cwd=folder,
        env=known | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def _running(folder: Path, name: str, port: int) -> AsyncIterator[list[dict[str, Any]]]:
    """Run a program until the block ends; what it said is in the list then."""
    process = await _started(folder, *PROGRAMS[name], "--listen", f"127.0.0.1:{port}", **VARIABLES)
    lines: list[dict[str, Any]] = []

    async def listens() -> bool:
        assert process.returncode is None, (await process.communicate())[1].decode()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            return False
        writer.close()
        return True

    try:
        await until(listens, within=30, what=f"the listener of {name}")
        yield lines
    finally:
        with suppress(ProcessLookupError):  # it ended by itself, and was told of
            process.terminate()
        _, said = await asyncio.wait_for(process.communicate(), 30)
    lines += [json.loads(line) for line in said.decode().splitlines()]
    assert CANARY not in said.decode()


@pytest.mark.parametrize("name", OTHERS)  # the webhook: test_rehearsal.py
async def test_each_line_is_an_object_on_standard_error_and_in_the_file(
    name: str, free_port: FreePort, tmp_path: Path
) -> None:
    path = tmp_path / "logs" / "orchestration.log"
    async with _running(tmp_path, name, free_port()) as said:

        async def written() -> bool:
            return path.exists() and path.stat().st_size > 0

        await until(written, within=10, what="a line")
    assert [json.loads(line) for line in path.read_text().splitlines()] == said
    assert {tuple(line)[: len(HEAD)] for line in said} == {tuple(HEAD)}


async def test_no_secret_that_somebody_sends_is_in_the_log(
    free_port: FreePort, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    port = free_port()
    asked = f"http://127.0.0.1:{port}/api/v1/nowhere?token={CANARY}"
    async with _running(tmp_path, "webhook", port) as said:
        for secret in (CANARY, CANARY[::-1]):
            headers = {"Authorization": f"Bearer {secret}", "Cookie": f"session={CANARY}"}
            async with http.get(asked, headers=headers) as answer:
                await answer.read()
    assert [line["path"] for line in said if line.get("status") == 401] == ["/api/v1/nowhere"]
    assert CANARY[::-1] not in json.dumps(said)


@pytest.mark.parametrize(
    "name", ["webhook", *(pytest.param(each, marks=pytest.mark.long) for each in OTHERS)]
)
async def test_a_file_that_cannot_be_written_stops_the_start(name: str, tmp_path: Path) -> None:
    process = await _started(tmp_path, *PROGRAMS[name], "--log-file", ".")
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, said.decode()) == (1, f"Error: {tmp_path}: Is a directory\n")


async def test_an_error_that_ends_a_program_is_a_line_too() -> None:
    program = "from orchestrator.log import Logs, begin; begin(Logs(form='json')); 1 / 0"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), cwd=CHECKOUT, stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 30)
    line = json.loads(said)
    assert (process.returncode, line["level"], line["event"]) == (
        1,
        "critical",
        "ended by an error",
    )
    assert line["traceback"].endswith("ZeroDivisionError: division by zero")
