"""A day of probes in ten minutes: the exporter grows no fatter, and loses no file descriptor."""

import asyncio
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import aiohttp
import pytest

from tests.bench import process
from tests.bench.fleet import host
from tests.bench.process import Program
from tests.conftest import FreePort
from tests.exporter import fleet, pages
from tests.waiting import until

PROBES = 17_280  # a day, one each five seconds
PROJECTS = 20
FASTER = 144.0  # than time: a day in ten minutes
WITHIN = 840.0  # seconds
LOOK_EVERY = 1.0  # seconds
GROWTH, SLACK = 1.03, 2_000_000  # what counts as flat: a ratio, or so many bytes
READS = re.compile(
    r'^project_reads_total\{project="[^"]+",endpoint="health"\} (\S+)$', re.MULTILINE
)

pytestmark = pytest.mark.long


@dataclass(frozen=True, slots=True)
class Look:
    """What the kernel says of the exporter at one moment of its day."""

    done: float  # of the day, 0 to 1
    resident: int  # bytes
    descriptors: int


def _look(exporter: Program, page: str) -> Look:
    counts = [float(count) for count in READS.findall(page)]
    status = Path(f"/proc/{exporter.pid}/status").read_text(encoding="utf-8")
    resident = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert resident
    descriptors = len(os.listdir(f"/proc/{exporter.pid}/fd"))  # noqa: PTH208  a count is enough
    least = min(counts) if len(counts) == PROJECTS else 0.0  # at first not all have been asked
    return Look(least / PROBES, int(resident[1]) * 1024, descriptors)


async def _watched(exporter: Program, http: aiohttp.ClientSession, url: str) -> list[Look]:
    looks: list[Look] = []

    async def is_over() -> bool:
        looks.append(_look(exporter, await pages.page(http, url)))
        await asyncio.sleep(LOOK_EVERY)
        return looks[-1].done >= 1

    await until(is_over, within=WITHIN, what="a day of probes")
    return looks


def _between(looks: list[Look], begin: float, end: float) -> list[Look]:
    return [each for each in looks if begin <= each.done <= end]


def _told(looks: list[Look]) -> None:
    for step in range(20):
        part = _between(looks, step / 20, (step + 1) / 20)
        if part:
            print(  # noqa: T201  figures for whoever runs it with -s
                f"{step * 5:3d} %: {mean(each.resident for each in part) / 1e6:6.2f} MB,"
                f" {min(each.descriptors for each in part)} to"
                f" {max(each.descriptors for each in part)} descriptors"
            )


@pytest.mark.timeout(900)
async def test_a_day_of_probes_costs_no_memory_and_no_file_descriptor(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    targets, port = free_port(), free_port()
    file = tmp_path / "orchestrator.yml"
    urls = [f"http://{host(place)}:{targets}" for place in range(PROJECTS)]
    entries = [f"{{name: project-{n}, url: '{url}'}}" for n, url in enumerate(urls)]
    fleet.write(file, entries)
    python, url = [sys.executable, "-m"], f"http://127.0.0.1:{port}"
    many = [*python, "tests.bench.fleet", "--targets", str(PROJECTS), "--port", str(targets)]
    day = [*python, "tests.e2e.day", "--config", str(file), "--port", str(port)]
    async with (
        process.started("fleet", many, tmp_path) as projects,
        process.started("day", [*day, "--faster", str(FASTER)], tmp_path) as exporter,
    ):
        await process.answering(projects, http, f"{urls[-1]}/health")
        await process.answering(exporter, http, f"{url}/-/healthy")
        looks = await _watched(exporter, http, url)
        page = await pages.page(http, url)
    _told(looks)
    print(re.findall(r"^exporter_probes_.*$", page, re.MULTILINE))  # noqa: T201  figures, too
    early, late = _between(looks, 0.1, 0.2), _between(looks, 0.75, 1.1)
    before, after = (mean(each.resident for each in part) for part in (early, late))
    assert after <= max(before * GROWTH, before + SLACK)
    assert min(each.descriptors for each in late) == min(each.descriptors for each in early)
    assert pages.value(page, "exporter_failures_total") == 0
    assert set(_up(page)) == {1.0}


def _up(page: str) -> list[float]:
    return [value for (name, _), value in pages.series(page).items() if name == "project_up"]
