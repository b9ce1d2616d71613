"""The fleet changes while everything runs: seen with a real Prometheus and the rules we ship."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from orchestrator.demo import binaries
from tests.bench import process
from tests.conftest import FreePort
from tests.e2e.conftest import CHECKOUT
from tests.exporter import fleet, pages
from tests.exporter.hostile import Hostile, hostile, listening
from tests.waiting import until

pytestmark = pytest.mark.e2e

WITHIN = 20  # seconds for what takes two
EVERY = "500ms"
OURS = ("exporter-health", "exporter-resources")  # the jobs of rules/prometheus.yml
THREE = ("a", "b", "c")
FIGURES = {
    "project_cpu_usage_ratio": 0.25,
    "project_requests_per_second": 5.0,
    "project_queue_length": 3.0,
    "project_cache_bytes": 1024.0,
    "project_rate": 0.5,
}


@dataclass(frozen=True, slots=True)
class Stack:
    """Exporters and a Prometheus that run, and the questions that tests ask them."""

    file: Path
    projects: Mapping[str, Hostile]
    exporter: str
    prometheus: str
    http: aiohttp.ClientSession

    def write(self, names: Iterable[str]) -> None:
        """Let orchestrator.yml have these projects, in one step."""
        new = self.file.with_suffix(".new")
        fleet.write(new, [fleet.entry(n, self.projects[n].url, every=EVERY) for n in names])
        new.replace(self.file)

    def spoil(self) -> None:
        """Let orchestrator.yml be broken, in one step."""
        new = self.file.with_suffix(".new")
        new.write_text("projects: [", encoding="utf-8")
        new.replace(self.file)

    async def reload(self) -> int:
        """Ask the exporter to read it now; return the status of the answer."""
        async with self.http.post(f"{self.exporter}/-/reload") as response:
            return response.status

    async def get(self, path: str, **parameters: str) -> Any:  # noqa: ANN401  what JSON holds
        """Return the data that Prometheus' API has at *path*."""
        url = f"{self.prometheus}/api/v1/{path}"
        async with self.http.get(url, params=parameters) as response:
            response.raise_for_status()
            return (await response.json())["data"]

    async def by(self, label: str, expression: str) -> dict[str, float]:
        """Return the values of an expression by one of its labels."""
        found = (await self.get("query", query=expression))["result"]
        values = [(each["metric"].get(label, ""), float(each["value"][1])) for each in found]
        assert len(dict(values)) == len(values), found
        return dict(values)

    async def until(self, expression: str, expected: Mapping[str, float], by: str) -> None:
        """Wait until an expression has exactly these values."""

        async def seen() -> bool:
            return await self.by(by, expression) == expected

        await until(seen, within=WITHIN, what=f"{expression} = {expected}")

    async def interruptions(self) -> dict[str, float]:
        """Return how often the counters of two that stay, or the exporter itself, began anew."""
        began = 'changes(process_start_time_seconds{job="exporter-resources"}[5m])'
        reads = 'resets(project_reads_total{project=~"a|b",endpoint="health"}[5m])'
        return {**await self.by("job", began), **await self.by("project", reads)}

    async def firing(self) -> list[tuple[str, str]]:
        """Return every alert that fires, as name and project."""
        alerts = (await self.get("alerts"))["alerts"]
        labels = [each["labels"] for each in alerts if each["state"] == "firing"]
        return [(each["alertname"], each["project"]) for each in labels]


SUCCESSFUL = "exporter_config_last_reload_successful"
NONE = {"exporter-resources": 0.0, "a": 0.0, "b": 0.0}
Start = Callable[..., AbstractAsyncContextManager[Stack]]


def _jobs(ports: list[int]) -> list[dict[str, Any]]:
    """Return the jobs that we ship, at the pace of a test."""
    shipped = yaml.safe_load((CHECKOUT / "rules/prometheus.yml").read_text(encoding="utf-8"))
    jobs = [each for each in shipped["scrape_configs"] if each["job_name"] in OURS]
    assert [each["job_name"] for each in jobs] == list(OURS)
    for job in jobs:
        job["scrape_interval"] = job["scrape_timeout"] = EVERY
        job["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
    return jobs


def _discovered(port: int) -> dict[str, Any]:
    """Return a job that finds the projects by itself, and has them asked at its scrapes."""
    return {
        "job_name": "projects",
        "metrics_path": "/probe",
        "params": {"module": ["health"]},
        "scrape_interval": EVERY,
        "scrape_timeout": EVERY,
        "http_sd_configs": [{"url": f"http://127.0.0.1:{port}/sd", "refresh_interval": "1s"}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": f"127.0.0.1:{port}"},
        ],
    }


@pytest.fixture
def start(tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession) -> Start:
    """Start exporters, one a shard, and the Prometheus of them; all end with the block."""

    @asynccontextmanager
    async def started(
        projects: Iterable[Hostile],
        *,
        names: Iterable[str] = THREE,
        shards: int = 1,
        discovering: bool = False,
    ) -> AsyncIterator[Stack]:
        ports, port = [free_port() for _ in range(shards)], free_port()
        stack = Stack(
            tmp_path / "orchestrator.yml",
            dict(zip("abcdefghijkl", projects, strict=False)),
            f"http://127.0.0.1:{ports[0]}",
            f"http://127.0.0.1:{port}",
            http,
        )
        stack.write(names)
        config = {
            "rule_files": [str(CHECKOUT / "rules/availability.yml")],
            "scrape_configs": [*_jobs(ports), *[_discovered(ports[0])] * discovering],
        }
        (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        async with AsyncExitStack() as opened:
            for n, one in enumerate(ports, 1):
                command = _exporter(stack.file, one, f"{n}/{shards}")
                name = f"exporter-{n}"
                program = await opened.enter_async_context(process.started(name, command, tmp_path))
                await process.answering(program, http, f"http://127.0.0.1:{one}/-/healthy")
            command = _prometheus(tmp_path, port)
            program = await opened.enter_async_context(
                process.started("prometheus", command, tmp_path)
            )
            await process.answering(program, http, f"{stack.prometheus}/-/ready")
            yield stack

    return started


def _exporter(file: Path, port: int, shard: str) -> list[str]:
    program = [sys.executable, "-m", "exporter", "--config", str(file)]
    return [*program, "--listen", f":{port}", "--shard", shard]


def _prometheus(folder: Path, port: int) -> list[str]:
    return [
        str(binaries.find(os.environ, CHECKOUT / ".tools").prometheus),  # noqa: TID251  as the demo does
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]


async def test_the_fleet_changes_while_everything_runs_and_nobody_else_notices(
    start: Start, free_port: FreePort
) -> None:
    *three, fourth = projects = [hostile(free_port()) for _ in range(4)]
    async with listening(*three), start(projects, discovering=True) as stack:
        await _all_are_up_and_found(stack, THREE)
        await _a_broken_file_changes_nothing_and_is_told(stack)
        async with listening(fourth):
            await _a_fourth_project_is_one_entry(stack)
        await _its_end_is_an_alert(stack)
        await _the_series_of_removed_projects_vanish(stack)
        assert await stack.interruptions() == NONE


async def _all_are_up_and_found(stack: Stack, names: Iterable[str]) -> None:
    """See each by the exporter's own probes, and by those that Prometheus has done at a scrape."""
    for series in ("project_up", "probe_success"):
        await stack.until(series, dict.fromkeys(names, 1.0), "project")


async def _a_broken_file_changes_nothing_and_is_told(stack: Stack) -> None:
    await stack.until(SUCCESSFUL, {"exporter-resources": 1.0}, "job")
    stack.spoil()
    await stack.until(SUCCESSFUL, {"exporter-resources": 0.0}, "job")
    seen = await stack.reload(), await stack.by("project", "project_up")
    assert seen == (500, dict.fromkeys(THREE, 1.0))


async def _a_fourth_project_is_one_entry(stack: Stack) -> None:
    stack.write([*THREE, "d"])
    await stack.until(SUCCESSFUL, {"exporter-resources": 1.0}, "job")
    await _all_are_up_and_found(stack, [*THREE, "d"])
    limits = {"cpu": 0.8, "memory": 0.85, "errors": 0.05}
    await stack.until('project_threshold_ratio{project="d"}', limits, "resource")
    names = "|".join(FIGURES)
    await stack.until(f'{{__name__=~"{names}",project="d"}}', FIGURES, "__name__")
    assert await stack.firing() == []


async def _its_end_is_an_alert(stack: Stack) -> None:
    async def fires() -> list[tuple[str, str]]:
        return await stack.firing()

    assert await until(fires, within=WITHIN, what="an alert") == [("ProjectDown", "d")]
    await stack.until("probe_success", {**dict.fromkeys(THREE, 1.0), "d": 0.0}, "project")


async def _the_series_of_removed_projects_vanish(stack: Stack) -> None:
    stack.write(["a", "b"])
    status = await stack.reload()
    page = await pages.page(stack.http, stack.exporter)
    left = pages.of_project(page, "c") | pages.of_project(page, "d")
    assert (status, left) == (200, {})
    await stack.until('count({__name__=~"project_.+",project=~"c|d"})', {}, "project")
    await stack.until("project_up", {"a": 1.0, "b": 1.0}, "project")


@pytest.mark.long
async def test_two_shards_have_each_project_once(start: Start, free_port: FreePort) -> None:
    projects = [hostile(free_port()) for _ in range(12)]
    names = "abcdefghijkl"
    async with listening(*projects), start(projects, names=names, shards=2) as stack:
        series = 'count by (project) (project_up{job="exporter-health"})'
        await stack.until(series, dict.fromkeys(names, 1.0), "project")
        await stack.until("sum(exporter_projects)", {"": 12.0}, "instance")
        shares = await stack.by("instance", "exporter_projects")
    assert (len(shares), min(shares.values()) > 0) == (2, True)
