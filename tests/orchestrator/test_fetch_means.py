"""What is not the project's fault: our own shortage, and a name server that is slow."""

import asyncio
import errno
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
from aiohttp.resolver import AsyncResolver

from orchestrator import fetch
from orchestrator.answer import Answer, Reason
from tests.conftest import FreePort
from tests.orchestrator.lines import GENEROUS, HEALTHY, Line, ask, http, project, serving

ROOT = Path(__file__).parent.parent.parent
OK = http(HEALTHY)
WELL = Answer(reason=None, status=200, body=HEALTHY)

SCRIPT = """
import asyncio, os, resource, sys
from datetime import timedelta
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import AsyncResolver
from orchestrator import fetch
from orchestrator.project import Control, Project

async def main(url, fresh):
    project = Project(name="a", url=url, control=Control(url=url), timeout=timedelta(seconds=2))
    names = AsyncResolver(nameservers=["127.0.0.1:1"], timeout=0.5, tries=1)
    async with fetch.connections(names) as ways:
        first_free = os.dup(0)
        os.close(first_free)
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (first_free, most))
        try:
            answer = await fetch.fetch(ways, fetch.question(project, "/health"), fresh=fresh)
        except fetch.OutOfResources as error:
            print(error, end="")
        else:
            print(answer.reason, end="")

asyncio.run(main(sys.argv[1], sys.argv[2] == "fresh"))
"""


@pytest.mark.parametrize("way", ["kept", "fresh"])
@pytest.mark.parametrize("host", ["127.0.0.1", "nobody.example"])
async def test_no_file_left_for_a_connection_says_nothing_of_the_project(
    free_port: FreePort, host: str, way: str
) -> None:
    url = f"http://{host}:{free_port()}"
    script = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SCRIPT, url, way), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await script.communicate()
    assert (said, script.returncode) == (b"cannot ask: EMFILE", 0)


@pytest.mark.parametrize("number", sorted(fetch.OURS), ids=errno.errorcode.get)
async def test_no_means_left_within_a_connection_says_nothing_of_the_project(number: int) -> None:
    async def short(_: ClientRequest, __: ClientHandlerType) -> ClientResponse:
        raise aiohttp.ClientOSError(number, "short of means")

    async with aiohttp.ClientSession(middlewares=[fetch._once, short]) as session:
        with pytest.raises(fetch.OutOfResources):
            await ask(session, project("http://127.0.0.1:1"))


@pytest.fixture
def name_server(free_port: FreePort) -> Iterator[socket.socket]:
    """Bind the socket of a name server, which answers nothing by itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.settimeout(0)  # asyncio waits for it
        server.bind(("127.0.0.1", free_port()))
        yield server


def _resolver(server: socket.socket, *, gives_up_after: float) -> AsyncResolver:
    host, port = server.getsockname()
    return AsyncResolver(nameservers=[f"{host}:{port}"], timeout=gives_up_after, tries=1)


@pytest.mark.parametrize(("gives_up_after", "reason"), [(0.4, Reason.NAME), (60.0, Reason.TIMEOUT)])
async def test_a_silent_name_server_holds_up_no_other_question(
    free_port: FreePort, name_server: socket.socket, gives_up_after: float, reason: Reason
) -> None:
    resolver, line = _resolver(name_server, gives_up_after=gives_up_after), Line([[OK]])
    async with fetch.connections(resolver) as ways, serving(free_port(), line.answer) as url:
        unknown = [project(f"http://host-{each}.example:1") for each in range(50)]
        slow = [asyncio.create_task(ask(ways, each)) for each in unknown]
        async with asyncio.timeout(GENEROUS):
            await asyncio.get_running_loop().sock_recv(name_server, 512)
        well = [await ask(ways, project(url), fresh=True) for _ in range(3)]
        assert (well, [each.done() for each in slow]) == ([WELL] * 3, [False] * 50)
        assert await asyncio.gather(*slow) == [Answer(reason=reason)] * 50


async def _deny(server: socket.socket) -> None:
    """Answer NXDOMAIN to every query."""
    loop = asyncio.get_running_loop()
    while True:
        query, caller = await loop.sock_recvfrom(server, 512)
        await loop.sock_sendto(server, query[:2] + b"\x81\x83" + query[4:], caller)


async def test_a_name_that_does_not_exist_is_told_at_once(name_server: socket.socket) -> None:
    resolver = _resolver(name_server, gives_up_after=60.0)
    async with fetch.connections(resolver) as ways, asyncio.TaskGroup() as beside:
        denying = beside.create_task(_deny(name_server))
        answer = await ask(ways, project("http://nobody.example:1"))
        denying.cancel()
    assert answer == Answer(reason=Reason.NAME)


async def test_a_host_that_refuses_at_all_its_addresses_refuses(
    free_port: FreePort,
) -> None:
    async with fetch.connections() as ways:
        answer = await ask(ways, project(f"http://localhost:{free_port()}"))
    assert answer == Answer(reason=Reason.REFUSED)
