"""A demo project: its endpoints, its commands, and the process itself."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from orchestrator.demo import control, disk
from orchestrator.demo.business import BUSINESS, metrics
from orchestrator.demo.endpoint import application
from orchestrator.demo.fault import FAULTS
from orchestrator.demo.instance import Instance
from tests.conftest import Serve
from tests.waiting import until

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CONTRACT = Path(__file__).parents[2] / "docs" / "endpoint-contract.md"


@dataclass
class Demo:
    """A demo project in this process, whose time a test sets."""

    http: aiohttp.ClientSession
    at: datetime = NOON
    url: str = ""
    keys: int = 0

    def clock(self) -> datetime:
        """Tell the time."""
        return self.at

    def wait(self, **length: float) -> None:
        """Let time pass."""
        self.at += timedelta(**length)

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:  # noqa: ANN401  aiohttp's arguments, and any JSON
        """Send a request; return its status and its JSON."""
        async with self.http.request(method, self.url + path, **more) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> Any:  # noqa: ANN401  any JSON
        """Return what a GET says."""
        return (await self.ask("GET", path))[1]

    async def control(self, action: str, *, key: str = "") -> tuple[int, Any]:
        """Send a command, under a new key unless one is given."""
        self.keys += 1
        headers = {"Idempotency-Key": key or str(self.keys)}
        return await self.ask("POST", "/control", json={"action": action}, headers=headers)


@pytest.fixture
async def demo(tmp_path: Path, serve: Serve, http: aiohttp.ClientSession) -> AsyncIterator[Demo]:
    """Serve a chatbot since noon."""
    it = Demo(http)
    with disk.opened(tmp_path / "data", at=NOON) as opened:
        it.url = await serve(application(Instance("chatbot", opened, at=NOON), it.clock))
        yield it


async def test_a_sound_project_is_healthy(demo: Demo) -> None:
    assert await demo.ask("GET", "/health") == (200, {"status": "healthy", "version": "1.4.2"})


async def test_metrics_are_those_of_the_instant(demo: Demo) -> None:
    demo.wait(minutes=5)
    assert await demo.get("/metrics") == metrics("chatbot", 300.0, {}, paused=False)


async def test_status_tells_what_the_project_holds(demo: Demo) -> None:
    demo.wait(seconds=2)
    assert await demo.get("/status") == {
        "queue_length": 33,
        "deployed_at": "2025-01-14T09:00:00.000000Z",
        "cache_bytes": 131_072,
    }


async def test_the_log_tells_what_happened(demo: Demo) -> None:
    demo.wait(seconds=1)
    await demo.control("pause_service")
    assert await demo.get("/logs") == [
        {
            "ts": "2026-01-01T12:00:00.000000Z",
            "level": "info",
            "message": "chatbot 1.4.2 started",
        },
        {
            "ts": "2026-01-01T12:00:01.000000Z",
            "level": "info",
            "message": "pause_service: completed, paused",
        },
    ]


async def test_the_log_keeps_the_last_200_lines(demo: Demo) -> None:
    for _ in range(101):
        await demo.control("pause_service")
        await demo.control("resume_service")
    lines = await demo.get("/logs")
    assert (len(lines), lines[-1]["message"]) == (200, "resume_service: completed, resumed")


async def test_pause_and_resume_are_told_by_health(demo: Demo) -> None:
    seen = []
    for action in ["pause_service", "pause_service", "resume_service", "resume_service"]:
        _, answer = await demo.control(action)
        seen.append((answer["detail"], *await demo.ask("GET", "/health")))
    paused = (200, {"status": "paused", "version": "1.4.2"})
    healthy = (200, {"status": "healthy", "version": "1.4.2"})
    assert seen == [
        ("paused", *paused),
        ("paused already; nothing was to be done", *paused),
        ("resumed", *healthy),
        ("not paused; nothing was to be done", *healthy),
    ]


async def test_clearing_drops_the_cache(demo: Demo) -> None:
    demo.wait(seconds=3)
    cleared = await demo.control("clear_cache")
    assert (cleared, (await demo.get("/status"))["cache_bytes"]) == (
        (200, {"state": "completed", "detail": "dropped 196608 bytes"}),
        0,
    )


async def test_a_rollback_goes_back_release_by_release(demo: Demo) -> None:
    seen = [await demo.control("rollback_deployment") for _ in range(2)]
    deployed_at = (await demo.get("/status"))["deployed_at"]
    assert (seen, deployed_at, (await demo.get("/health"))["version"]) == (
        [
            (200, {"state": "completed", "detail": "rolled back to 1.4.1"}),
            (200, {"state": "failed", "detail": "there is no earlier release"}),
        ],
        "2025-01-07T09:00:00.000000Z",
        "1.4.1",
    )


@pytest.mark.parametrize("action", ["restart_service", "start_service", "stop_service"])
async def test_what_a_process_cannot_do_to_itself_has_failed(demo: Demo, action: str) -> None:
    detail = "a process cannot do that to itself; ask its supervisor"
    assert await demo.control(action) == (200, {"state": "failed", "detail": detail})


async def test_a_key_is_carried_out_once(demo: Demo) -> None:
    seen = [await demo.control("rollback_deployment", key="k") for _ in range(2)]
    assert seen == [(200, {"state": "completed", "detail": "rolled back to 1.4.1"})] * 2


async def test_a_key_belongs_to_its_first_action(demo: Demo) -> None:
    await demo.control("pause_service", key="k")
    error = "this key belongs to pause_service; use a new one"
    assert await demo.control("resume_service", key="k") == (422, {"error": error})


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"action": "pause_service"}', {}, 400),
        (b'{"action": "pause_service"}', {"Idempotency-Key": "x" * 201}, 400),
        (b"{", {"Idempotency-Key": "k"}, 400),
        (b"[" * 60_000, {"Idempotency-Key": "k"}, 400),
        (b'["pause_service"]', {"Idempotency-Key": "k"}, 400),
        (b'{"action": "explode"}', {"Idempotency-Key": "k"}, 400),
        (b" " * 70_000, {"Idempotency-Key": "k"}, 413),
        (b'{"action": "pause_service"}', {"Idempotency-Key": "k", "Host": "evil.example"}, 403),
    ],
)
async def test_hostile_commands_are_refused_and_change_nothing(
    demo: Demo, body: bytes, headers: dict[str, str], status: int
) -> None:
    async with demo.http.post(f"{demo.url}/control", data=body, headers=headers) as response:
        refused = response.status
    assert (refused, (await demo.get("/health"))["status"]) == (status, "healthy")


async def test_the_database_is_written_to_each_second(demo: Demo, tmp_path: Path) -> None:
    async def look() -> bool:
        with closing(sqlite3.connect(tmp_path / "data" / "project.db")) as db:
            (rows,) = db.execute("SELECT count(*) FROM beats").fetchone()
            return bool(rows >= 2)

    await until(look, within=5, what="a second row")
    assert (await demo.get("/health"))["status"] == "healthy"


def test_the_database_stays_small(tmp_path: Path) -> None:
    with disk.opened(tmp_path, at=NOON) as opened:
        for _ in range(disk.KEPT + 50):
            opened.write(NOON)
    with closing(sqlite3.connect(tmp_path / "project.db")) as db:
        assert db.execute("SELECT count(*) FROM beats").fetchone() == (disk.KEPT,)


@pytest.mark.parametrize("path", ["/health", "/metrics", "/status", "/logs"])
async def test_the_contract_shows_answers_like_ours(demo: Demo, path: str) -> None:
    said = await demo.get(path)
    shown = _example(f"GET {path}")
    ours, theirs = (each[0] if path == "/logs" else each for each in (said, shown))
    assert {key: type(value) for key, value in ours.items()} == {
        key: type(value) for key, value in theirs.items()
    }


async def test_the_contract_shows_a_commands_answer_like_ours(demo: Demo) -> None:
    demo.wait(seconds=2)
    assert (await demo.control("clear_cache"))[1] == _example("POST /control")


@pytest.mark.parametrize(
    "name", [*control.ACTIONS, *FAULTS, *(key for each in BUSINESS.values() for key in each)]
)
def test_the_contract_explains_every_name(name: str) -> None:
    assert f"`{name}`" in CONTRACT.read_text(encoding="utf-8")


def _example(heading: str) -> Any:  # noqa: ANN401  any JSON
    """Return the first JSON example below *heading*."""
    section = CONTRACT.read_text(encoding="utf-8").split(f"\n## `{heading}`\n")[1]
    return json.loads(section.split("```json\n")[1].split("```")[0])
