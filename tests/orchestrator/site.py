"""A listener behind a gate, with its web.yml, its certificates and its callers."""

import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import bcrypt
import pytest
import trustme
from aiohttp import web

from orchestrator import gate, loopback
from orchestrator.gate import Gate
from orchestrator.loopback import Address

PASSWORD, OTHER = "open sesame", "open barley"
SALT = b"$2b$04$" + b"a" * 21 + b"u"  # the least cost there is
HASH = bcrypt.hashpw(PASSWORD.encode(), SALT).decode()
OTHER_HASH = bcrypt.hashpw(OTHER.encode(), SALT).decode()
ALICE = f"basic_auth_users: {{alice: {HASH}}}\n"
TLS = "cert_file: server.pem, key_file: server.key"
REQUIRED = f"{TLS}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A listener behind a gate, the folder with its files, and clients to call it with."""

    gate: Gate
    url: str
    folder: Path
    clients: list[aiohttp.ClientSession] = field(default_factory=list)

    def write(self, text: str) -> None:
        """Replace web.yml, as an editor does."""
        write(self.folder, text)

    def client(self, tls: ssl.SSLContext | None = None) -> aiohttp.ClientSession:
        """Open a client that keeps its connection."""
        connector = aiohttp.TCPConnector(ssl=tls or True)
        self.clients.append(aiohttp.ClientSession(self.url, connector=connector))
        return self.clients[-1]

    async def status(
        self, user: str = "", password: str = "", *, tls: ssl.SSLContext | None = None
    ) -> int:
        """Ask on a new connection; 0 is one that was not to be had."""
        try:
            async with self.client(tls).get("/", headers=basic(f"{user}:{password}")) as answer:
                return answer.status
        except aiohttp.ClientError:
            return 0


Open = Callable[[str], Awaitable[Site]]


@asynccontextmanager
async def listening(folder: Path, port: int) -> AsyncIterator[Open]:
    """Give what opens a listener, whose web.yml says what is given, until the test ends."""
    sites: list[Site] = []
    runners: list[web.AppRunner] = []

    async def start(text: str) -> Site:
        write(folder, text)
        entry = Gate(folder / "web.yml")
        app = web.Application(middlewares=[entry.middleware])
        app.router.add_get("/", _caller)
        runners.append(web.AppRunner(app, shutdown_timeout=0.1))
        await runners[-1].setup()
        where, tls = Address("127.0.0.1", port), entry.ssl_context()
        await loopback.bind(runners[-1], where, ssl_context=tls)
        url = f"{'https' if tls else 'http'}://{where}"
        sites.append(Site(gate=entry, url=url, folder=folder))
        return sites[-1]

    yield start
    for each in sites:
        for client in each.clients:
            await client.close()
    for runner in runners:
        await runner.cleanup()


def write(folder: Path, text: str) -> None:
    """Put web.yml into *folder* in one step."""
    fresh = folder / "web.yml.new"
    fresh.write_text(text)
    fresh.rename(folder / "web.yml")


def basic(login: str) -> dict[str, str]:
    """Return the header that a browser sends for user:password."""
    return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


async def _caller(request: web.Request) -> web.Response:
    """Tell the connection by its port."""
    headers = {"X-Frame-Options": "sameorigin"} if "own" in request.query else {}
    return web.Response(text=str(request.get_extra_info("peername")[1]), headers=headers)


def found(folder: Path) -> trustme.CA:
    """Found an authority; *folder* gets its certificate, and a pair for a server."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certify(authority, folder)
    return authority


def certify(authority: trustme.CA, folder: Path) -> None:
    """Put a fresh pair of certificate and key into *folder*."""
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(folder / "server.pem")
    issued.private_key_pem.write_to_path(folder / "server.key")


def client_tls(
    server: trustme.CA, *names: str, of: trustme.CA | None = None, most: str = "TLSv1_3"
) -> ssl.SSLContext:
    """Trust *server*, and show a certificate for *names* of an authority, when there are any."""
    context = ssl.create_default_context()
    context.maximum_version = ssl.TLSVersion[most]
    server.configure_trust(context)
    if names:
        (of or server).issue_cert(*names).configure_cert(context)
    return context


def severities(caplog: pytest.LogCaptureFixture) -> list[str]:
    """List how severe the lines of the gate were."""
    return [each.levelname for each in caplog.records if each.name == gate.__name__]
