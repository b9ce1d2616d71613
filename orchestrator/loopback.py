"""Listening on loopback: what every server of ours does, unless it can tell who calls."""

import asyncio
import os
import signal
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from orchestrator.errors import OrchestratorError
from orchestrator.host import is_loopback


class NotLoopback(OrchestratorError):
    """A listener was to be opened where strangers can reach it."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"{address}: refusing to listen beyond loopback, because callers are not"
            " authenticated; use 127.0.0.1, [::1] or localhost, or, where the program takes it,"
            " --web-config FILE with basic_auth_users"
        )
        self.address = address


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens: a host, a name or an address, and a port (0: the system chooses)."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address(text: str, *, authenticated: bool = False) -> Address:
    """Read `host:port`, `[::1]:port` or `:port`, which is 127.0.0.1.

    Raise NotLoopback for a host that strangers reach, unless all callers are *authenticated*, and
    OrchestratorError for what is no address.
    """
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "127.0.0.1", parts.port
        host.encode("idna")  # what resolving it begins with
    except ValueError as error:
        raise OrchestratorError(f"{text}: not an address; write 127.0.0.1:4001") from error
    if parts.netloc != text or parts.username is not None:
        raise OrchestratorError(f"{text}: more than an address; write 127.0.0.1:4001")
    if port is None:
        raise OrchestratorError(f"{text}: no port; write 127.0.0.1:4001")
    if not (authenticated or is_loopback(host)):
        raise NotLoopback(text)
    return Address(host, port)


class CannotListen(OrchestratorError):
    """The address is taken, or not ours to take."""

    def __init__(self, where: Address, error: OSError) -> None:
        unresolved = isinstance(error, socket.gaierror)  # its errno is not the system's
        reason = error.strerror if unresolved else os.strerror(error.errno or 0)
        super().__init__(f"{where}: cannot listen: {reason}")
        self.where = where


async def bind(
    runner: web.BaseRunner, where: Address, *, ssl_context: ssl.SSLContext | None = None
) -> None:
    """Listen at *where* for *runner*, by HTTPS when there is a context; raise CannotListen."""
    try:
        await web.TCPSite(runner, where.host, where.port, ssl_context=ssl_context).start()
    except OSError as error:
        raise CannotListen(where, error) from error


def run(app: web.Application, where: Address, *, ssl_context: ssl.SSLContext | None = None) -> None:
    """Serve *app* until SIGTERM or SIGINT; raise CannotListen.

    Requests in flight get a second to end: whoever asked asks again.
    """
    asyncio.run(_run(app, where, ssl_context))


async def _run(app: web.Application, where: Address, ssl_context: ssl.SSLContext | None) -> None:
    told_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_end.set)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await bind(runner, where, ssl_context=ssl_context)
        await told_to_end.wait()
    finally:
        await runner.cleanup()


@web.middleware
async def local_callers_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 403 when the Host or Origin header names another machine.

    A web page elsewhere can make a browser here call a loopback port, by a plain form or by a
    name of its own that resolves to 127.0.0.1; both betray themselves in these two headers.
    """
    named = [f"//{request.headers.get('Host', '')}", *request.headers.getall("Origin", [])]
    if not all(is_loopback(_host(url)) for url in named):
        raise web.HTTPForbidden(text="this listener answers callers on this machine only\n")
    return await handler(request)


@web.middleware
async def own_pages_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 403 when an Origin header names neither the host that is called nor this machine.

    For a listener that authenticates its callers and so may go by any name: a browser sends along
    the password it knows for us, also with a form on a page of strangers.
    """
    called = request.headers.get("Host", "").lower()
    if not all(_is_own(origin, called) for origin in request.headers.getall("Origin", [])):
        raise web.HTTPForbidden(text="this listener answers its own pages only\n")
    return await handler(request)


def _is_own(origin: str, called: str) -> bool:
    host = _host(origin)
    return is_loopback(host) or (host != "" and urlsplit(origin).netloc.lower() == called)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # `[` and the like: no host of ours
        return ""
