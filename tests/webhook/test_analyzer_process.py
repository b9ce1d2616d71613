"""Whether the webhook, as a process, asks a model at all: its settings decide, and nothing else."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiohttp
import pytest
import yaml

from orchestrator.supervisor.leash import leashed
from tests.conftest import FreePort, Serve
from tests.messages import stand_in
from tests.waiting import until
from tests.webhook import make

ROOT = Path(__file__).parents[2]
# What the SDK alone brings with it, and what the kernel shows of a process that has loaded it.
SDK = "jiter"


@asynccontextmanager
async def _running(
    folder: Path, port: int, http: aiohttp.ClientSession, analyzer: Mapping[str, str], **env: str
) -> AsyncIterator[int]:
    """Run a webhook with a project that is down and no playbook for that; yield its process id."""
    written = {
        "defaults": {"mode": "act"},
        "projects": [{"name": "email-blast", "url": "http://127.0.0.1:1"}],
        "analyzer": dict(analyzer),
        "alertmanagers": list(make.NOBODY),
        "prometheus": make.NOBODY[0],
    }
    config = folder / "orchestrator.yml"
    config.write_text(yaml.safe_dump(written), encoding="utf-8")
    clean = {name: text for name, text in os.environ.items() if "ANTHROPIC" not in name}  # noqa: TID251  a child's
    process = await asyncio.create_subprocess_exec(
        *leashed(
            [
                *(sys.executable, "-m", "webhook", f"--config={config}"),
                *(f"--db={folder / 'x.db'}", f"--listen=127.0.0.1:{port}"),
            ],
            os.getpid(),
        ),
        cwd=ROOT,
        env={**clean, **env},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await until(lambda: _posted(http, port), within=30, what="the webhook")
        yield process.pid
    finally:
        process.kill()
        await process.wait()


async def _posted(http: aiohttp.ClientSession, port: int) -> bool:
    headers = {"Content-Type": "application/json"}
    url = f"http://127.0.0.1:{port}/alerts"
    try:
        async with http.post(url, data=make.body(make.alert()), headers=headers) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


async def _decided(folder: Path) -> str:
    """Wait until an answer was decided on; return who has answered."""

    async def found() -> str | None:
        with closing(sqlite3.connect(folder / "x.db", timeout=5)) as db:
            row = db.execute("SELECT analyzer FROM analyses WHERE decision IS NOT NULL").fetchone()
        return str(row[0]) if row else None

    return await until(found, within=30, what="a decision")


def _has_loaded(pid: int) -> bool:
    return SDK in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"ANTHROPIC_API_KEY": ""},
        pytest.param({"ANTHROPIC_API_KEY": " \t"}, marks=pytest.mark.long),
        {"ANTHROPIC_AUTH_TOKEN": "stray", "ANTHROPIC_PROFILE": "stray"},
    ],
    ids=["no key", "an empty key", "a blank key", "a stray token"],
)
async def test_without_a_key_rules_answer_and_nothing_of_the_sdk_is_loaded(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession, env: dict[str, str]
) -> None:
    async with _running(tmp_path, free_port(), http, {}, **env) as pid:
        assert (await _decided(tmp_path), _has_loaded(pid)) == ("rules", False)


async def test_with_a_key_the_model_of_the_settings_answers(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession, serve: Serve
) -> None:
    url, script = await stand_in(serve)
    strays = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"}
    async with _running(
        tmp_path, free_port(), http, {"url": url}, ANTHROPIC_API_KEY="key", **strays
    ) as pid:
        assert (await _decided(tmp_path), _has_loaded(pid)) == ("claude", True)
    assert len(script.asked) == 1


@pytest.mark.long
async def test_switched_off_nobody_is_asked_also_with_a_key(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    async with _running(
        tmp_path, free_port(), http, {"mode": "off"}, ANTHROPIC_API_KEY="key"
    ) as pid:

        async def escalated() -> bool:
            with closing(sqlite3.connect(tmp_path / "x.db", timeout=5)) as db:
                [row] = db.execute("SELECT count(*) FROM incidents WHERE state = 'escalated'")
            return bool(row[0])

        await until(escalated, within=30, what="an escalation")
        assert not _has_loaded(pid)
