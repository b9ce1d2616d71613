"""What every test may ask for: a free port, a served application, an HTTP session."""

import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from itertools import count

import aiohttp
import pytest
import trustme
from aiohttp import web

FIRST, LAST = 20_000, 31_999  # below the kernel's own range, so no client socket takes them
SPAN = 2_000  # ports per worker of pytest-xdist, so two workers never race for one

# No test asks the real Claude, whoever runs it: a key around would, and would pay.
for name in [each for each in os.environ if each.startswith("ANTHROPIC_")]:  # noqa: TID251  this is the edge
    del os.environ[name]  # noqa: TID251  as above

FreePort = Callable[[], int]
Serve = Callable[[web.Application], Awaitable[str]]
Tls = Callable[..., Awaitable[tuple[str, ssl.SSLContext]]]


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


@pytest.fixture
async def tls(free_port: FreePort) -> AsyncIterator[Tls]:
    """Serve by HTTPS, with a certificate of an authority of its own that holds until *ends*.

    Returns the URL, and the setting that trusts this authority.
    """
    runners: list[web.AppRunner] = []

    async def start(
        app: web.Application, *, ends: datetime | None = None
    ) -> tuple[str, ssl.SSLContext]:
        authority, own = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        begins = datetime(2001, 1, 1, tzinfo=UTC)
        issued = authority.issue_cert("127.0.0.1", not_before=begins, not_after=ends)
        issued.configure_cert(own)
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=own).start()
        return f"https://127.0.0.1:{port}", trusting

    yield start
    for runner in runners:
        await runner.cleanup()
