"""An action by hand, and a webhook that is killed in the middle of it."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from orchestrator.supervisor.leash import leashed
from tests.conftest import FreePort, Serve
from tests.waiting import until
from tests.webhook.service import Service

Json = dict[str, Any]
CHECKOUT = Path(__file__).parents[2]


@asynccontextmanager
async def _webhook(folder: Path, http: aiohttp.ClientSession, url: str) -> AsyncIterator[Process]:
    """Run a webhook on the files in *folder*; it is killed at the end of the block."""
    listen = url.removeprefix("http://")
    files = (f"--config={folder}/orchestrator.yml", f"--db={folder}/x.db")
    argv = leashed([sys.executable, "-m", "webhook", *files, f"--listen={listen}"], os.getpid())
    process = await asyncio.create_subprocess_exec(
        *argv, cwd=CHECKOUT, stdout=DEVNULL, stderr=DEVNULL
    )

    async def serves() -> bool:
        with suppress(aiohttp.ClientError):
            async with http.get(f"{url}/-/ready") as response:
                return response.status == 200
        return False

    try:
        await until(serves, within=30, what="the webhook")
        yield process
    finally:
        process.kill()
        await process.wait()


@pytest.mark.long
async def test_what_was_on_its_way_when_it_was_killed_is_done_once_under_its_key(
    http: aiohttp.ClientSession, serve: Serve, free_port: FreePort, tmp_path: Path
) -> None:
    service = Service()
    there, url = await serve(service.app()), f"http://127.0.0.1:{free_port()}"
    project = {"name": "email-blast", "url": there, "mode": "act"}
    written = {"projects": [project], "alertmanagers": [there], "prometheus": there}
    (tmp_path / "orchestrator.yml").write_text(json.dumps(written))
    service.at_work.clear()

    async def sent() -> bool:
        return bool(service.keys)

    async def proven() -> bool:
        async with http.get(f"{url}/api/v1/requests/1") as response:
            found: Json = await response.json()
            return bool(found["action_state"] == "completed")

    async with _webhook(tmp_path, http, url):
        body = {"action": "restart_service", "reason": "so"}
        async with http.post(f"{url}/api/v1/projects/email-blast/actions", json=body) as response:
            assert response.status == 202
        await until(sent, within=20, what="the command")
    service.at_work.set()
    async with _webhook(tmp_path, http, url):
        await until(proven, within=30, what="the proof")
    assert (len(service.keys) > 1, len(set(service.keys))) == (True, 1)
