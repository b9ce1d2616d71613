"""A question over TLS: whom it trusts, what it shows, and what a bad certificate comes to."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
import trustme

from orchestrator import fetch
from orchestrator.answer import Reason
from orchestrator.project import Control, Project, Tls
from tests.conftest import FreePort
from tests.orchestrator.lines import HEALTHY, Call, Line, hanging, http, saying, serving

OK = http(HEALTHY)


@pytest.fixture
async def ways() -> AsyncIterator[aiohttp.ClientSession]:
    """Open both ways to ask."""
    async with fetch.connections() as opened:
        yield opened


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """Found an authority; the folder gets its certificate, and that of a client and its key."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    client = made.issue_cert("monitor.example.org")
    client.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
    client.private_key_pem.write_to_path(tmp_path / "client.key")
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    return made


def _served(authority: trustme.CA, name: str, *, most: str = "TLSv1_3") -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.maximum_version = ssl.TLSVersion[most]
    authority.issue_cert(name).configure_cert(made)
    authority.configure_trust(made)
    return made


def _question(url: str, folder: Path, **said: object) -> fetch.Question:
    files = {key: folder / str(said[key]) for key in said if key.endswith("_file")}
    project = Project(
        name="a",
        url=url,
        control=Control(url="http://127.0.0.1:1"),
        timeout=timedelta(seconds=2),
        tls=Tls(**{**said, **files}),  # type: ignore[arg-type]  # the table has the right ones
    )
    return fetch.question(project, "/health")


TRUST: dict[str, tuple[str, dict[str, object], Reason | None]] = {
    "an authority of its own": ("127.0.0.1", {"ca_file": "ca.pem"}, None),
    "nobody that is known": ("127.0.0.1", {}, Reason.TLS),
    "another authority": ("127.0.0.1", {"ca_file": "other.pem"}, Reason.TLS),
    "not verified": ("127.0.0.1", {"verify": False}, None),
    "the name of another": ("crm.example.org", {"ca_file": "ca.pem"}, Reason.TLS),
    "the name that is expected": (
        "crm.example.org",
        {"ca_file": "ca.pem", "server_name": "crm.example.org"},
        None,
    ),
    "not the name that is expected": (
        "127.0.0.1",
        {"ca_file": "ca.pem", "server_name": "crm.example.org"},
        Reason.TLS,
    ),
    "another name, not verified": (
        "127.0.0.1",
        {"verify": False, "server_name": "crm.example.org"},
        None,
    ),
}


@pytest.mark.parametrize("fresh", [False, True], ids=["kept", "fresh"])
@pytest.mark.parametrize(("name", "said", "reason"), TRUST.values(), ids=TRUST)
async def test_a_certificate_is_checked_as_the_project_says(
    *,
    tmp_path: Path,
    free_port: FreePort,
    ways: aiohttp.ClientSession,
    authority: trustme.CA,
    name: str,
    said: dict[str, object],
    reason: Reason | None,
    fresh: bool,
) -> None:
    async with serving(free_port(), Line([[OK]]).answer, _served(authority, name)) as url:
        answer = await fetch.fetch(ways, _question(url, tmp_path, **said), fresh=fresh)
    assert (answer.reason, answer.body) == (reason, b"" if reason else HEALTHY)


async def test_a_connection_over_tls_is_kept(
    tmp_path: Path, free_port: FreePort, ways: aiohttp.ClientSession, authority: trustme.CA
) -> None:
    line = Line([[OK, OK]])
    async with serving(free_port(), line.answer, _served(authority, "127.0.0.1")) as url:
        for _ in range(2):
            await fetch.fetch(ways, _question(url, tmp_path, ca_file="ca.pem"))
    assert line.asked == [2]


async def test_two_projects_at_one_address_keep_their_own_trust(
    tmp_path: Path, free_port: FreePort, ways: aiohttp.ClientSession, authority: trustme.CA
) -> None:
    async with serving(
        free_port(), Line([[OK] * 2]).answer, _served(authority, "127.0.0.1")
    ) as url:
        answers = [
            await fetch.fetch(ways, _question(url, tmp_path, ca_file=name))
            for name in ("ca.pem", "other.pem", "ca.pem")
        ]
    assert [each.reason for each in answers] == [None, Reason.TLS, None]


async def test_the_certificate_of_a_client_is_shown(
    tmp_path: Path, free_port: FreePort, ways: aiohttp.ClientSession, authority: trustme.CA
) -> None:
    shown: list[bytes | None] = []
    tls = _served(authority, "127.0.0.1")
    tls.verify_mode = ssl.CERT_REQUIRED

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
        shown.append(connection.getpeercert(binary_form=True))
        await saying(OK)(reader, writer)

    said = {"ca_file": "ca.pem", "cert_file": "client.pem", "key_file": "client.key"}
    async with serving(free_port(), answer, tls) as url:
        found = await fetch.fetch(ways, _question(url, tmp_path, **said))
    certificate = (tmp_path / "client.pem").read_text(encoding="ascii")
    assert (found.reason, shown) == (None, [ssl.PEM_cert_to_DER_cert(certificate)])


def _refusing(tls: ssl.SSLContext) -> Call:
    """Shake hands as OpenSSL's servers do: say why not, where asyncio only hangs up."""

    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        connection = tls.wrap_bio(incoming, outgoing, server_side=True)
        refused = False
        while not refused and (data := await reader.read(64 * 1024)):
            incoming.write(data)
            try:
                connection.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                refused = True
            writer.write(outgoing.read())
        await reader.read()  # until the caller has gone

    return call


@pytest.mark.parametrize("fresh", [False, True], ids=["kept", "fresh"])
@pytest.mark.parametrize("most", ["TLSv1_2", "TLSv1_3"])
async def test_who_shows_no_certificate_where_one_is_required_is_told_so(
    *,
    tmp_path: Path,
    free_port: FreePort,
    ways: aiohttp.ClientSession,
    authority: trustme.CA,
    most: str,
    fresh: bool,
) -> None:
    tls = _served(authority, "127.0.0.1", most=most)
    tls.verify_mode = ssl.CERT_REQUIRED
    async with serving(free_port(), _refusing(tls)) as url:
        asked = _question(url.replace("http:", "https:"), tmp_path, ca_file="ca.pem")
        answer = await fetch.fetch(ways, asked, fresh=fresh)
    assert answer.reason is Reason.TLS


async def test_a_server_that_speaks_no_tls_is_told_so(
    tmp_path: Path, free_port: FreePort, ways: aiohttp.ClientSession
) -> None:
    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(http(b"", "400 Bad Request"))

    async with serving(free_port(), call) as url:
        asked = _question(url.replace("http:", "https:"), tmp_path, verify=False)
        answer = await fetch.fetch(ways, asked)
    assert answer.reason is Reason.TLS


async def test_a_handshake_that_hangs_is_a_timeout(
    tmp_path: Path, free_port: FreePort, ways: aiohttp.ClientSession
) -> None:
    async with serving(free_port(), hanging) as url:
        asked = _question(url.replace("http:", "https:"), tmp_path, verify=False)
        answer = await fetch.fetch(ways, asked)
    assert answer.reason is Reason.TIMEOUT
