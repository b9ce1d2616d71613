"""Only this machine is listened to, and only callers who name it are answered."""

import asyncio
import signal
import subprocess
import sys

import pytest
from aiohttp import web

from orchestrator import loopback
from orchestrator.errors import OrchestratorError
from orchestrator.loopback import Address, NotLoopback
from tests.conftest import FreePort, Serve


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:4001", Address("127.0.0.1", 4001)),
        ("127.1.2.3:4001", Address("127.1.2.3", 4001)),
        (":4001", Address("127.0.0.1", 4001)),
        ("localhost:4001", Address("localhost", 4001)),
        ("LOCALHOST:4001", Address("localhost", 4001)),
        ("[::1]:4001", Address("::1", 4001)),
        ("127.0.0.1:0", Address("127.0.0.1", 0)),
        ("127.0.0.1:65535", Address("127.0.0.1", 65535)),
    ],
)
def test_an_address_of_this_machine_is_read(text: str, address: Address) -> None:
    assert loopback.address(text) == address


@pytest.mark.parametrize("text", ["127.0.0.1:4001", "[::1]:4001", "localhost:0"])
def test_an_address_is_written_as_it_is_read(text: str) -> None:
    assert str(loopback.address(text)) == text


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0:4001", "[::]:4001", "192.0.2.1:4001", "example.org:4001", "256.0.0.1:4001"],
)
def test_an_address_that_strangers_reach_is_refused(text: str) -> None:
    said = (
        f"{text}: refusing to listen beyond loopback, because callers are not authenticated;"
        " use 127.0.0.1, [::1] or localhost"
    )
    with pytest.raises(NotLoopback) as refused:
        loopback.address(text)
    assert (refused.value.address, str(refused.value)) == (text, said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no port"),
        ("127.0.0.1", "no port"),
        ("127.0.0.1:", "no port"),
        ("4001", "no port"),
        ("127.0.0.1:65536", "not an address"),
        ("127.0.0.1:-1", "not an address"),
        ("127.0.0.1:http", "not an address"),
        ("[::1:4001", "not an address"),
        ("http://127.0.0.1:4001", "more than an address"),
        ("127.0.0.1:4001/metrics", "more than an address"),
        ("127.0.0.1:4001?a", "more than an address"),
        ("me@127.0.0.1:4001", "more than an address"),
    ],
)
def test_what_is_no_address_is_told_the_form(text: str, said: str) -> None:
    with pytest.raises(OrchestratorError) as refused:
        loopback.address(text)
    assert str(refused.value) == f"{text}: {said}; write 127.0.0.1:4001"


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("localhost", True),
        ("", False),
        ("0.0.0.0", False),  # noqa: S104  a host to refuse
        ("::", False),
        ("192.0.2.1", False),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org", False),
        ("127.1", False),
    ],
)
def test_a_host_is_local_only_when_it_can_mean_nothing_else(host: str, *, local: bool) -> None:
    assert loopback.is_loopback(host) is local


async def _status(url: str, *headers: str) -> int:
    """Send a GET with exactly *headers*, also such as no client of ours would send."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = ["GET / HTTP/1.1", "Connection: close", *headers, "", ""]
    writer.write("\r\n".join(lines).encode())
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    return int(answer.split()[1])


async def _answer(_: web.Request) -> web.Response:
    return web.Response(text="well")


def _guarded() -> web.Application:
    app = web.Application(middlewares=[loopback.local_callers_only])
    app.router.add_get("/", _answer)
    return app


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["Host: 127.0.0.1:4010"], 200),
        (["Host: localhost"], 200),
        (["Host: LocalHost:1"], 200),
        (["Host: [::1]:4010"], 200),
        (["Host: localhost", "Origin: http://localhost:3000"], 200),
        (["Host: localhost", "Origin: http://[::1]"], 200),
        (["Host: example.org"], 403),
        (["Host: 127.0.0.1.example.org"], 403),
        (["Host: 192.0.2.1:4010"], 403),
        (["Host: "], 403),
        (["Host: ["], 403),
        (["Host: \u2100"], 403),
        (["Host: localhost", "Origin: null"], 403),
        (["Host: localhost", "Origin: "], 403),
        (["Host: localhost", "Origin: http://["], 403),
        (["Host: localhost", "Origin: https://example.org"], 403),
        (["Host: localhost", "Origin: https://localhost.example.org"], 403),
    ],
    ids=str,
)
async def test_only_callers_who_name_this_machine_are_answered(
    serve: Serve, headers: list[str], status: int
) -> None:
    assert await _status(await serve(_guarded()), *headers) == status


PROGRAM = """
import sys
from aiohttp import web
from orchestrator import loopback

async def say(_):
    print("serving", flush=True)

app = web.Application()
app.on_startup.append(say)
try:
    loopback.run(app, loopback.address(sys.argv[1]))
except loopback.OrchestratorError as error:
    sys.exit(f"error: {error}")
"""


def _program(port: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603  a program of ours, no shell
        [sys.executable, "-c", PROGRAM, f"127.0.0.1:{port}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_end_ends_well(free_port: FreePort, told: signal.Signals) -> None:
    with _program(free_port()) as server:
        assert server.stdout is not None
        server.stdout.readline()
        server.send_signal(told)
        said = server.communicate(timeout=10)
    assert (server.returncode, *said) == (0, "", "")


async def test_a_port_that_is_taken_is_named(serve: Serve) -> None:
    taken = (await serve(web.Application())).removeprefix("http://")
    with _program(int(taken.split(":")[1])) as server:
        _, said = server.communicate(timeout=10)
    assert (server.returncode, said) == (
        1,
        f"error: {taken}: cannot listen: Address already in use\n",
    )
