"""What a hostile project costs: no other project's time, no memory, and no series without end."""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from exporter.board import TOO_MANY, VERSIONS, Board
from exporter.page import Page, Part
from orchestrator.config import decode
from orchestrator.health import Probe, State
from tests.bench.process import Program, answering, started
from tests.conftest import FreePort, Serve
from tests.exporter import fleet, pages
from tests.exporter.hostile import GOOD, Call, Hostile, hostile, http, listening
from tests.waiting import until

WITHIN = 15.0  # seconds; ample, also on a busy machine
TIMES = 6  # that a project is asked
MB = 1024 * 1024
MUCH = 40 * MB  # of memory; less than half of what one answer would fill


@dataclass(frozen=True, kw_only=True)
class Exporter:
    """An exporter in a process of its own, beside hostile projects and a good one."""

    program: Program
    url: str
    projects: dict[str, Hostile]


@asynccontextmanager
async def _watching(
    folder: Path, free_port: FreePort, session: aiohttp.ClientSession, *names: str
) -> AsyncIterator[Exporter]:
    """Watch a good project, and for each of the *names* one that misbehaves on every endpoint."""
    projects = {"good": hostile(free_port())}
    for place, name in enumerate(names):
        made = hostile(free_port(), health=name, metrics=name, status=name)
        projects[fleet.slug(f"{name} {place}")] = made
    entries = [fleet.entry(name, each.url, every="200ms") for name, each in projects.items()]
    file, port = folder / "orchestrator.yml", free_port()
    fleet.write(file, entries)
    command = [sys.executable, "-m", "exporter", "--config", str(file)]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(listening(*projects.values()))
        program = await stack.enter_async_context(
            started("exporter", [*command, "--listen", f"127.0.0.1:{port}"], folder)
        )
        url = f"http://127.0.0.1:{port}"
        await answering(program, session, f"{url}/-/ready")
        yield Exporter(program=program, url=url, projects=projects)


async def _asked(*projects: Hostile, times: int = TIMES) -> None:
    """Wait until each endpoint of each of the *projects* has been asked so many *times* more."""
    wanted = [(each, path, each.asked[path] + times) for each in projects for path in GOOD]

    async def enough() -> bool:
        return all(each.asked[path] >= target for each, path, target in wanted)

    await until(enough, within=WITHIN, what=f"{times} questions for everything")


@pytest.mark.parametrize(
    "names",
    [
        ("hangs", "trickles", "sends 100 MB", "sends 100 MB in chunks", "sends without end"),
        ("sends one header without end", "sends headers without end"),
        ("says 100 Continue without end",),
    ],
    ids=["bodies", "headers", "interim answers"],
)
async def test_a_neighbour_of_hostile_projects_is_asked_and_heard(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession, names: tuple[str, ...]
) -> None:
    async with _watching(tmp_path, free_port, http, *names) as exporter:
        await _asked(exporter.projects["good"])
        told = pages.of_project(await pages.page(http, exporter.url), "good")
    reads = {key: number for key, number in told.items() if key.startswith("project_reads_total")}
    assert min(reads.values()) >= TIMES - 1  # the last may not be on the page yet
    assert len(reads) == 3
    assert [key for key in told if "failures" in key] == []
    assert told["project_probe_duration_seconds"] < 0.5


async def test_no_crowd_of_hostile_projects_makes_a_verdict_void(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    async with _watching(tmp_path, free_port, http, *["says 100 Continue without end"] * 10) as it:
        await _asked(it.projects["good"])
        text = await pages.page(http, it.url)
    void = {
        labels: many
        for (name, labels), many in pages.series(text).items()
        if name == "exporter_probes_void_total"
    }
    assert void == {(("reason", "late"),): 0, (("reason", "resources"),): 0}


async def test_a_project_that_sends_100_mb_fills_no_memory(
    tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    async with _watching(tmp_path, free_port, http, "sends 100 MB", "sends without end") as it:
        await _asked(it.projects["good"], times=1)
        before = it.program.peak_bytes()
        await _asked(*it.projects.values())
        assert it.program.peak_bytes() - before < MUCH


class Releases:
    """A project with another version in each answer."""

    def __init__(self) -> None:
        self.given: list[str] = []

    async def __call__(self, call: Call) -> None:
        """Give the next version."""
        self.given.append(f"1.0.{len(self.given)}")
        await call.send(http(f'{{"status": "healthy", "version": "{self.given[-1]}"}}'.encode()))


async def _versions(url: str, session: aiohttp.ClientSession) -> list[str]:
    page = await pages.page(session, url)
    return [
        dict(labels)["version"] for name, labels in pages.series(page) if name == "project_info"
    ]


async def test_a_version_that_changes_with_each_answer_ends_as_one_series(
    tmp_path: Path, free_port: FreePort, serve: Serve, http: aiohttp.ClientSession
) -> None:
    project = Hostile(free_port(), {"/health": Releases()})
    entries = [fleet.entry("restless", project.url, every="200ms")]
    seen: list[str] = []
    async with listening(project):
        url = await serve(fleet.application(tmp_path / "orchestrator.yml", entries))

        async def given_up() -> bool:
            seen.extend(await _versions(url, http))
            return seen[-1] == TOO_MANY

        await until(given_up, within=WITHIN, what="too many versions")
        await _asked(project, times=3)
        assert await _versions(url, http) == [TOO_MANY]
    assert len(set(seen) - {"", TOO_MANY}) <= VERSIONS


def _infos(page: Page) -> list[str]:
    text = b"".join(page.chunks([Part.RESOURCES], openmetrics=False)).decode()
    return [
        dict(labels)["version"] for name, labels in pages.series(text) if name == "project_info"
    ]


def _probe(version: str, state: State = State.HEALTHY) -> tuple[Probe]:
    return (Probe(state=state, reason=None, seconds=0.1, version=version),)


def test_a_thousand_versions_are_as_many_series_as_the_limit_and_one() -> None:
    page = Page()
    board = Board(page)
    board.take(
        decode("projects: [{name: a, url: 'http://127.0.0.1:1'}]", source="t").projects.values()
    )
    seen = set()
    for number in range(1000):
        board.probed("a", _probe(str(number)))
        (version,) = _infos(page)
        seen.add(version)
        board.probed("a", _probe("", State.DOWN))
    assert seen == {*(str(number) for number in range(VERSIONS)), TOO_MANY}


def test_a_project_with_few_versions_is_told_of_for_ever() -> None:
    page = Page()
    board = Board(page)
    board.take(
        decode("projects: [{name: a, url: 'http://127.0.0.1:1'}]", source="t").projects.values()
    )
    for number in range(1000):
        board.probed("a", _probe(str(number % VERSIONS)))
    assert _infos(page) == [str(999 % VERSIONS)]


@pytest.mark.parametrize("module", ["health", "metrics", "status"])
@pytest.mark.parametrize("name", ["labels JSON with bytes", "labels JSON with escapes"])
async def test_a_hostile_label_is_explained_in_printable_characters(
    tmp_path: Path,
    free_port: FreePort,
    serve: Serve,
    http: aiohttp.ClientSession,
    name: str,
    module: str,
) -> None:
    project = hostile(free_port(), **{module: name})
    entries = [fleet.entry("a", project.url, every="1h")]
    async with listening(project):
        url = await serve(fleet.application(tmp_path / "orchestrator.yml", entries))
        async with http.get(f"{url}/probe?target=a&module={module}&debug=true") as response:
            said = await response.text()
    unprintable = [each for each in said if not each.isprintable() and each != "\n"]
    assert (response.status, unprintable) == (200, [])


@pytest.mark.parametrize("name", ["has a sample with NUL", "has 1,000 samples", "has broken text"])
async def test_a_single_probe_of_hostile_text_is_a_page(
    tmp_path: Path, free_port: FreePort, serve: Serve, http: aiohttp.ClientSession, name: str
) -> None:
    project = hostile(free_port(), metrics=name, status=name)
    entries = [fleet.entry("a", project.url, every="1h")]
    found = []
    async with listening(project):
        url = await serve(fleet.application(tmp_path / "orchestrator.yml", entries))
        for module in ("metrics", "status"):
            async with http.get(f"{url}/probe?target=a&module={module}") as response:
                found.append((response.status, set(pages.families(await response.text()))))
    always = {"probe_success", "probe_duration_seconds", "probe_http_status_code"}
    assert found == [(200, always)] * 2
