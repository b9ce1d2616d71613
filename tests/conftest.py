"""What every test may ask for: a free port, a served application, an HTTP session."""

import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count

import aiohttp
import pytest
from aiohttp import web

FIRST, LAST = 20_000, 31_999  # below the kernel's own range, so no client socket takes them
SPAN = 2_000  # ports per worker of pytest-xdist, so two workers never race for one

FreePort = Callable[[], int]
Serve = Callable[[web.Application], Awaitable[str]]


@pytest.fixture(scope="session")
def free_port() -> FreePort:
    """Hand out loopback ports that nothing listens on, each once."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])  # noqa: TID251  xdist says it so
    begin = FIRST + worker * SPAN % (LAST - FIRST)
    ports = (
        begin + offset % SPAN for offset in count(os.getpid())
    )  # another session begins elsewhere

    def take() -> int:
        return next(port for port in ports if _is_free(port))

    return take


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Open an HTTP client for the test."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def serve(free_port: FreePort) -> AsyncIterator[Serve]:
    """Serve an application on a real socket until the test ends; returns its URL."""
    runners: list[web.AppRunner] = []

    async def start(app: web.Application) -> str:
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return f"http://127.0.0.1:{port}"

    yield start
    for runner in runners:
        await runner.cleanup()
