"""Each fault of a demo project: what shows, and what ends it."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from orchestrator.clock import written
from orchestrator.demo import disk, fault
from orchestrator.demo.endpoint import application
from orchestrator.demo.fault import (
    FAULTS,
    BadLength,
    BadPercentage,
    By,
    Outcome,
    length,
    percentage,
)
from orchestrator.demo.instance import Instance
from tests.conftest import Serve
from tests.orchestrator.test_demo_project import NOON, Demo, demo

__all__ = ["demo"]  # a fixture

OWN = [name for name, each in FAULTS.items() if each.by is By.PROJECT]
FULL = {"status": "down", "detail": "database full: database or disk is full"}
HEALTHY = {"status": "healthy", "version": "1.4.2"}
HUNG: dict[str, Any] = {}


async def health(demo: Demo) -> dict[str, Any]:
    """Return the answer of `/health`, or HUNG."""
    try:
        async with asyncio.timeout(0.2):
            said: dict[str, Any] = await demo.get("/health")
            return said
    except TimeoutError:
        return HUNG


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("hang", HUNG),
        ("slow", HUNG),
        ("db_lost", {"status": "down", "detail": "database connection lost"}),
        ("disk_full", FULL),
        ("memory_leak", HEALTHY),
        ("cpu_load", HEALTHY),
        ("error_burst", {"status": "degraded", "version": "1.5.0"}),
    ],
)
async def test_a_fault_shows_at_once_and_ends_by_command_or_by_itself(
    demo: Demo, name: str, shown: dict[str, Any]
) -> None:
    seen = []
    began = await demo.ask("POST", f"/faults/{name}")
    seen.append(await health(demo))
    ended = await demo.ask("DELETE", f"/faults/{name}")
    seen.append(await health(demo))
    await demo.ask("POST", f"/faults/{name}?for=10s")
    demo.wait(seconds=9.9)
    seen.append(await health(demo))
    demo.wait(seconds=0.1)
    seen.append(await health(demo))
    done = (200, {"project": "chatbot", "fault": name, "at": written(NOON)})
    assert (began, ended, seen) == (done, done, [shown, HEALTHY, shown, HEALTHY])


async def test_health_is_down_with_503_and_degraded_with_200(demo: Demo) -> None:
    await demo.ask("POST", "/faults/db_lost")
    down = (await demo.ask("GET", "/health"))[0]
    await demo.ask("DELETE", "/faults/db_lost")
    await demo.ask("POST", "/faults/error_burst")
    assert (down, (await demo.ask("GET", "/health"))[0]) == (503, 200)


async def test_a_slow_project_answers_after_one_and_a_half_seconds(demo: Demo) -> None:
    await demo.ask("POST", "/faults/slow")
    began = asyncio.get_running_loop().time()
    said = await demo.get("/health")
    assert said == {"status": "degraded", "version": "1.4.2"}
    assert 1.4 < asyncio.get_running_loop().time() - began < 2.0


@pytest.mark.parametrize("path", ["/health", "/metrics", "/status", "/logs", "/control", "/none"])
async def test_a_hanging_project_answers_nothing_but_faults(demo: Demo, path: str) -> None:
    await demo.ask("POST", "/faults/hang")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await demo.ask("POST" if path == "/control" else "GET", path)


async def test_a_load_is_reported_and_pausing_relieves_it(demo: Demo) -> None:
    await demo.ask("POST", "/faults/cpu_load")
    loaded = (await demo.get("/metrics"))["cpu_percent"]
    await demo.control("pause_service")
    paused = (await demo.get("/metrics"))["cpu_percent"]
    assert (loaded > 80, paused < 5) == (True, True)


async def test_a_leak_is_reported_and_a_clear_cache_ends_it(demo: Demo) -> None:
    await demo.ask("POST", "/faults/memory_leak")
    seen = []
    for action in ["", "clear_cache", ""]:
        demo.wait(seconds=0 if action else 30)
        if action:
            await demo.control(action)
        seen.append((await demo.get("/metrics"))["memory_percent"] > 85)
    assert seen == [True, False, False]


async def test_errors_come_with_a_release_and_go_with_its_rollback(demo: Demo) -> None:
    demo.wait(hours=1)
    await demo.ask("POST", "/faults/error_burst")
    burst = (await demo.get("/metrics"))["error_percent"]
    deployed_at = (await demo.get("/status"))["deployed_at"]
    _, rolled_back = await demo.control("rollback_deployment")
    after = (await demo.get("/metrics"))["error_percent"]
    assert (deployed_at, rolled_back, burst > 5, after < 5, await health(demo)) == (
        written(NOON + timedelta(hours=1)),
        {"state": "completed", "detail": "rolled back to 1.4.2"},
        True,
        True,
        HEALTHY,
    )


async def test_a_repeated_fault_changes_its_end_and_nothing_else(demo: Demo) -> None:
    await demo.ask("POST", "/faults/error_burst?for=10s")
    await demo.ask("POST", "/faults/error_burst?for=20s")
    demo.wait(seconds=15)
    during = await health(demo)
    demo.wait(seconds=5)
    assert (during["version"], await health(demo)) == ("1.5.0", HEALTHY)


@pytest.mark.parametrize("percent", [5, 5.01, 10, 11, 100])
async def test_errors_of_a_percentage_are_exactly_so_many_and_it_says_nothing_else(
    demo: Demo, percent: float
) -> None:
    await demo.ask("POST", f"/faults/error_burst?percent={percent}")
    seen = set()
    for _ in range(20):
        demo.wait(seconds=7)
        seen.add((await demo.get("/metrics"))["error_percent"])
    assert (seen, await health(demo)) == ({percent}, {"status": "healthy", "version": "1.5.0"})


async def test_a_percentage_can_be_changed_and_ends_with_the_fault(demo: Demo) -> None:
    seen = []
    for query in ["?percent=10", "?percent=11", ""]:
        await demo.ask("POST", f"/faults/error_burst{query}")
        said = await demo.get("/metrics")
        seen.append((said["error_percent"] in (10, 11), (await health(demo))["status"]))
    await demo.ask("DELETE", "/faults/error_burst")
    after = (await demo.get("/metrics"))["error_percent"]
    assert seen == [(True, "healthy"), (True, "healthy"), (False, "degraded")]
    assert (after < 5, await health(demo)) == (True, HEALTHY)


async def test_every_write_to_a_full_disk_is_logged(demo: Demo) -> None:
    await demo.ask("POST", "/faults/disk_full")
    lines = await demo.get("/logs")
    assert lines[-1] == {"ts": written(NOON), "level": "error", "message": FULL["detail"]}


@pytest.mark.parametrize("old_rows", [0, disk.KEPT + 200])
def test_a_full_disk_stays_full_however_many_old_rows_made_room(
    tmp_path: Path, old_rows: int
) -> None:
    problems = []
    with disk.opened(tmp_path, at=NOON) as opened:
        for _ in range(old_rows):
            opened.write(NOON)
        opened.fill(NOON, until=None)
        for _ in range(100):
            opened.write(NOON)
            problems.append(opened.problem)
    assert set(problems) == {"database full: database or disk is full"}


@pytest.mark.parametrize(
    ("marker", "until"), [("", None), ("scribble", None), ("2026-01-01T12:00:10Z", 10)]
)
async def test_a_full_disk_survives_a_restart_and_ends_when_it_was_to_end(
    tmp_path: Path, serve: Serve, http: aiohttp.ClientSession, marker: str, until: int | None
) -> None:
    (tmp_path / disk.MARKER).write_text(marker)
    it = Demo(http)
    with disk.opened(tmp_path, at=NOON) as opened:
        it.url = await serve(application(Instance("chatbot", opened, at=NOON), it.clock))
        restarted = await health(it)
        it.wait(seconds=10)
        assert (restarted, await health(it)) == (FULL, HEALTHY if until else FULL)


def test_a_full_disk_is_free_after_the_marker_is_removed_and_a_restart(tmp_path: Path) -> None:
    with disk.opened(tmp_path, at=NOON) as opened:
        opened.fill(NOON, until=None)
    (tmp_path / disk.MARKER).unlink()
    with disk.opened(tmp_path, at=NOON) as opened:
        assert (opened.full, opened.problem) == (False, None)


def test_a_database_that_was_taken_away_is_told_as_it_is(tmp_path: Path) -> None:
    with disk.opened(tmp_path, at=NOON) as opened:
        opened._db.execute("DROP TABLE beats")
        opened.write(NOON)
        assert opened.problem == "database unusable: no such table: beats"


async def test_an_unknown_fault_is_told_the_known_ones(demo: Demo) -> None:
    error = f"no such fault; known: {', '.join(FAULTS)}"
    seen = [await demo.ask(method, "/faults/fire") for method in ("POST", "DELETE")]
    assert seen == [(404, {"error": error})] * 2


async def test_the_supervisors_fault_is_not_the_projects(demo: Demo) -> None:
    error = "process_killed is done by the supervisor; ask it there"
    assert await demo.ask("POST", "/faults/process_killed") == (409, {"error": error})


async def test_a_fault_that_is_not_on_can_be_ended(demo: Demo) -> None:
    assert (await demo.ask("DELETE", "/faults/hang"))[0] == 200


@pytest.mark.parametrize("text", ["", "0s", "soon", "-1s", "25h", "9999999999999d", "9" * 5000])
async def test_an_unusable_length_is_refused_and_nothing_begins(demo: Demo, text: str) -> None:
    status, _ = await demo.ask("POST", "/faults/hang", params={"for": text})
    assert (status, await health(demo)) == (400, HEALTHY)


@pytest.mark.parametrize(
    "text", ["", "0", "0.0", "-1", "101", "100.1", "11%", " 11", "1e1", "nan", "inf", "٣", "9" * 99]
)
async def test_an_unusable_percentage_is_refused_and_nothing_begins(demo: Demo, text: str) -> None:
    said = await demo.ask("POST", "/faults/error_burst", params={"percent": text})
    error = f"percent={text[:40]}: above 0 and at most 100, please, like 11 or 5.5"
    assert (said, await health(demo)) == ((400, {"error": error}), HEALTHY)


async def test_a_percentage_of_another_fault_is_refused_and_nothing_begins(demo: Demo) -> None:
    said = await demo.ask("POST", "/faults/cpu_load?percent=90")
    error = "percent=90: cpu_load has none, error_burst has"
    busy = (await demo.get("/metrics"))["cpu_percent"]
    assert (said, busy < 80) == ((400, {"error": error}), True)


def test_a_percentage_is_read_or_says_its_form() -> None:
    assert (percentage("hang", None), percentage("error_burst", "5.5")) == (None, 5.5)
    with pytest.raises(BadPercentage, match=r"^percent=x: above 0 and at most 100, please"):
        percentage("error_burst", "x")


def test_a_length_is_read_or_says_its_form() -> None:
    assert (length(None), length("1m30s")) == (None, timedelta(seconds=90))
    with pytest.raises(BadLength, match=r"^for=x: not a duration; write it like 500ms"):
        length("x")


def test_the_table_says_what_is_to_come_of_each_fault() -> None:
    assert {name: each.outcome for name, each in FAULTS.items()} == {
        "process_killed": Outcome.HEALS,
        "hang": Outcome.HEALS,
        "db_lost": Outcome.HEALS,
        "disk_full": Outcome.ESCALATES,
        "memory_leak": Outcome.HEALS,
        "cpu_load": Outcome.MITIGATES,
        "error_burst": Outcome.HEALS,
        "slow": Outcome.NO_PLAYBOOK_YET,
    }


def test_the_table_says_which_alerts_each_fault_makes() -> None:
    assert {name: each.alerts for name, each in FAULTS.items()} == {
        "process_killed": ("ProjectDown",),
        "hang": ("ProjectDown",),
        "db_lost": ("ProjectDown",),
        "disk_full": ("ProjectDown",),
        "memory_leak": ("ProjectHighMemory",),
        "cpu_load": ("ProjectHighCPU",),
        "error_burst": ("ProjectHighErrorRate", "ProjectDegraded"),
        "slow": ("ProjectSlow", "ProjectDegraded"),
    }


def test_only_a_full_disk_survives_a_restart_and_only_the_kill_is_the_supervisors() -> None:
    assert [name for name, each in FAULTS.items() if each.survives_restart] == ["disk_full"]
    assert [name for name in FAULTS if name not in OWN] == ["process_killed"]


@pytest.mark.parametrize("each", FAULTS.values())
def test_a_fault_is_told_in_one_sentence(each: fault.Fault) -> None:
    assert (each.sentence.count(". "), each.sentence[-1]) == (0, ".")
