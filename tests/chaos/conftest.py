"""The rig of the chaos: one site for all the runs of a worker."""

import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path

import aiohttp
import pytest

from orchestrator.demo import binaries
from tests.cases import mesh
from tests.cases.mesh import Peer
from tests.chaos.cast import on_stage
from tests.chaos.run import Report, play
from tests.chaos.site import Site
from tests.chaos.story import PROJECTS, story
from tests.conftest import FreePort, Serve
from tests.e2e.conftest import ports, start

__all__ = ["ports", "start"]  # fixtures of the real stack, for test_stack.py

logger = logging.getLogger(__name__)

Runs = Callable[[Iterable[int]], Awaitable[list[str]]]


@pytest.fixture(scope="session")
def site(free_port: FreePort, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run a site for all the runs of this worker."""
    tools = binaries.find(os.environ, mesh.ROOT / ".tools")  # noqa: TID251  as the demo does
    made = Site(
        folder=tmp_path_factory.mktemp("site"),
        peer=Peer(tools.alertmanager, tmp_path_factory.mktemp("peer"), free_port()),
        door=free_port(),
        port=free_port(),
        projects={f"service-{number}": free_port() for number in range(PROJECTS)},
    )
    made.start()
    yield made
    made.end()


@pytest.fixture
async def runs(
    site: Site, tmp_path: Path, free_port: FreePort, serve: Serve
) -> AsyncIterator[Runs]:
    """Play the stories of some seeds, one after another; return all complaints."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:

        async def one(seed: int) -> Report:
            folder = tmp_path / str(seed)
            folder.mkdir()
            told = story(seed)
            async with on_stage(told, site, http, folder, serve=serve, free_port=free_port) as cast:
                report = await play(cast)
            logger.info("seed %s: %s", seed, report)
            return report

        async def some(seeds: Iterable[int]) -> list[str]:
            reports = [await one(seed) for seed in seeds]
            return [each for report in reports for each in report.complaints]

        yield some
