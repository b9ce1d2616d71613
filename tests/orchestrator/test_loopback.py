"""Only this machine is listened to, and only callers who name it are answered."""

import asyncio
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from orchestrator import loopback
from orchestrator.errors import OrchestratorError
from orchestrator.loopback import Address, NotLoopback
from tests.conftest import FreePort, Serve
from tests.waiting import until


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
        " use 127.0.0.1, [::1] or localhost, or, where the program takes it, --web-config FILE"
        " with basic_auth_users"
    )
    with pytest.raises(NotLoopback) as refused:
        loopback.address(text)
    assert (refused.value.address, str(refused.value)) == (text, said)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0.0.0.0:4010", Address("0.0.0.0", 4010)),  # noqa: S104  strangers are welcome to try
        ("[::]:4010", Address("::", 4010)),
        ("192.0.2.1:4010", Address("192.0.2.1", 4010)),
        ("Fleet.example.org:4010", Address("fleet.example.org", 4010)),
        ("127.0.0.1:4010", Address("127.0.0.1", 4010)),
        (":4010", Address("127.0.0.1", 4010)),
    ],
)
def test_strangers_may_reach_an_address_where_all_callers_are_authenticated(
    text: str, address: Address
) -> None:
    assert loopback.address(text, authenticated=True) == address


@pytest.mark.parametrize("authenticated", [False, True])
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
        ("a..b:4001", "not an address"),
        (f"{'a' * 64}.example.org:4001", "not an address"),
        ("http://127.0.0.1:4001", "more than an address"),
        ("127.0.0.1:4001/metrics", "more than an address"),
        ("127.0.0.1:4001?a", "more than an address"),
        ("me@127.0.0.1:4001", "more than an address"),
    ],
)
def test_what_is_no_address_is_told_the_form(text: str, said: str, *, authenticated: bool) -> None:
    with pytest.raises(OrchestratorError) as refused:
        loopback.address(text, authenticated=authenticated)
    assert str(refused.value) == f"{text}: {said}; write 127.0.0.1:4001"


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


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["Host: 127.0.0.1:4010"], 200),
        (["Host: fleet.example.org:4010"], 200),
        (["Host: "], 200),
        (["Host: fleet.example.org:4010", "Origin: https://fleet.example.org:4010"], 200),
        (["Host: Fleet.example.org", "Origin: https://fleet.EXAMPLE.org"], 200),
        (["Host: [2001:db8::1]:4010", "Origin: http://[2001:db8::1]:4010"], 200),
        (["Host: fleet.example.org", "Origin: http://localhost:3000"], 200),
        (["Host: fleet.example.org", "Origin: http://127.0.0.1"], 200),
        (["Host: fleet.example.org:4010", "Origin: https://fleet.example.org"], 403),
        (["Host: fleet.example.org:4010", "Origin: https://fleet.example.org:4011"], 403),
        (["Host: fleet.example.org", "Origin: https://example.org"], 403),
        (["Host: fleet.example.org", "Origin: https://fleet.example.org.example.com"], 403),
        (["Host: fleet.example.org", "Origin: null"], 403),
        (["Host: fleet.example.org", "Origin: "], 403),
        (["Host: fleet.example.org", "Origin: fleet.example.org"], 403),
        (["Host: fleet.example.org", "Origin: http://["], 403),
        (["Host: ", "Origin: "], 403),
        (["Host: ", "Origin: null"], 403),
        (
            [
                "Host: fleet.example.org",
                "Origin: https://fleet.example.org",
                "Origin: https://example.org",
            ],
            403,
        ),
    ],
    ids=str,
)
async def test_only_own_pages_are_answered_where_callers_are_authenticated(
    serve: Serve, headers: list[str], status: int
) -> None:
    app = web.Application(middlewares=[loopback.own_pages_only])
    app.router.add_get("/", _answer)
    assert await _status(await serve(app), *headers) == status


PROGRAM = """
import ssl
import sys
from aiohttp import web
from orchestrator import loopback

async def say(_):
    print("serving", flush=True)

app = web.Application()
app.on_startup.append(say)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if sys.argv[2:] else None
for pem in sys.argv[2:]:
    tls.load_cert_chain(pem)
try:
    loopback.run(app, loopback.address(sys.argv[1]), ssl_context=tls)
except loopback.OrchestratorError as error:
    sys.exit(f"error: {error}")
"""


def _program(port: int, *pem: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603  a program of ours, no shell
        [sys.executable, "-c", PROGRAM, f"127.0.0.1:{port}", *pem],
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


async def test_a_server_runs_with_tls(free_port: FreePort, tmp_path: Path) -> None:
    authority, trusting, port = trustme.CA(), ssl.create_default_context(), free_port()
    authority.configure_trust(trusting)
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")

    async def version() -> str | None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
        except ConnectionRefusedError:  # not yet
            return None
        connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
        writer.close()
        await writer.wait_closed()
        return connection.version()

    with _program(port, str(tmp_path / "server.pem")) as server:
        spoken = await until(version, within=10.0, what="a TLS connection")
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=10)
    assert spoken == "TLSv1.3"


async def test_a_port_that_is_taken_is_named(serve: Serve) -> None:
    taken = (await serve(web.Application())).removeprefix("http://")
    with _program(int(taken.split(":")[1])) as server:
        _, said = server.communicate(timeout=10)
    assert (server.returncode, said) == (
        1,
        f"error: {taken}: cannot listen: Address already in use\n",
    )


async def test_a_host_that_cannot_be_resolved_is_named() -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    with pytest.raises(loopback.CannotListen) as refused:
        await loopback.bind(runner, Address("1:2:3", 0))
    await runner.cleanup()
    assert str(refused.value) == "[1:2:3]:0: cannot listen: Name or service not known"
