"""Which certificates pass a gate and which it shows, also after a change."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from tests.conftest import FreePort
from tests.orchestrator.site import (
    ALICE,
    OTHER,
    PASSWORD,
    REQUIRED,
    TLS,
    Open,
    Site,
    certify,
    client_tls,
    found,
    listening,
    severities,
)


@pytest.fixture
async def site(tmp_path: Path, free_port: FreePort) -> AsyncIterator[Open]:
    """Open a listener whose web.yml says what is given."""
    async with listening(tmp_path, free_port()) as start:
        yield start


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """Found an authority whose certificates the folder holds."""
    return found(tmp_path)


async def test_tls_does_not_end_while_running(site: Open, authority: trustme.CA) -> None:
    opened = await site(f"{ALICE}tls_server_config: {{{TLS}}}")
    opened.write(ALICE)
    assert await opened.status("alice", PASSWORD, tls=client_tls(authority)) == 200


async def _certificate(opened: Site, tls: ssl.SSLContext) -> bytes | None:
    host, port = opened.url.removeprefix("https://").split(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=tls)
    connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
    shown = connection.getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return shown


def _shown(opened: Site) -> bytes:
    return ssl.PEM_cert_to_DER_cert((opened.folder / "server.pem").read_text())


async def test_a_new_certificate_is_shown_from_the_next_connection(
    site: Open, authority: trustme.CA
) -> None:
    opened, tls = await site(f"tls_server_config: {{{TLS}}}"), client_tls(authority)
    shown = [await _certificate(opened, tls) == _shown(opened)]
    certify(authority, opened.folder)
    shown.append(await _certificate(opened, tls) == _shown(opened))
    assert shown == [True, True]


async def test_an_open_connection_survives_a_new_certificate(
    site: Open, authority: trustme.CA
) -> None:
    opened = await site(f"tls_server_config: {{{REQUIRED}}}")
    client = opened.client(client_tls(authority, "prometheus"))
    ports = []
    for _ in range(2):
        async with client.get("/") as answer:
            ports.append((answer.status, await answer.text()))
        certify(authority, opened.folder)
    assert (ports[0], ports[0][0]) == (ports[1], 200)


async def test_a_certificate_counts_once_its_key_is_there_too(
    site: Open, authority: trustme.CA, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    opened, tls = await site(f"tls_server_config: {{{TLS}}}"), client_tls(authority)
    former = _shown(opened)
    fresh = authority.issue_cert("127.0.0.1")
    fresh.cert_chain_pems[0].write_to_path(opened.folder / "server.pem")
    half = await _certificate(opened, tls)
    fresh.private_key_pem.write_to_path(opened.folder / "server.key")
    whole = await _certificate(opened, tls)
    assert (half, whole) == (former, _shown(opened))
    assert severities(caplog) == ["ERROR", "INFO"]


@pytest.mark.parametrize(
    ("policy", "statuses"),
    [("RequireAndVerifyClientCert", [0, 200, 0]), ("VerifyClientCertIfGiven", [200, 200, 0])],
)
async def test_client_certificates_are_verified(
    site: Open, authority: trustme.CA, policy: str, statuses: list[int]
) -> None:
    written = REQUIRED.replace("RequireAndVerifyClientCert", policy)
    opened, stranger = await site(f"tls_server_config: {{{written}}}"), trustme.CA()
    callers = [
        client_tls(authority),
        client_tls(authority, "prometheus"),
        client_tls(authority, "prometheus", of=stranger),
    ]
    assert [await opened.status(tls=each) for each in callers] == statuses


async def test_an_authority_below_another_is_enough(
    site: Open, authority: trustme.CA, tmp_path: Path
) -> None:
    department = authority.create_child_ca()
    department.cert_pem.write_to_path(tmp_path / "ca.pem")
    opened = await site(f"tls_server_config: {{{REQUIRED}}}")
    callers = [client_tls(authority, "prometheus", of=each) for each in (department, authority)]
    assert [await opened.status(tls=each) for each in callers] == [200, 0]


async def test_a_certificate_and_a_password_are_both_asked_for(
    site: Open, authority: trustme.CA
) -> None:
    opened = await site(f"{ALICE}tls_server_config: {{{REQUIRED}}}")
    tls = client_tls(authority, "prometheus")
    logins = (("alice", PASSWORD), ("alice", OTHER))
    assert [await opened.status(*login, tls=tls) for login in logins] == [200, 401]


async def test_an_open_connection_ends_when_its_authority_no_longer_counts(
    site: Open, authority: trustme.CA
) -> None:
    opened, successor = await site(f"tls_server_config: {{{REQUIRED}}}"), trustme.CA()
    former = client_tls(authority, "prometheus")
    client, told = opened.client(former), []
    async with client.get("/") as answer:
        told.append((answer.status, answer.headers.get("Connection")))
    successor.cert_pem.write_to_path(opened.folder / "ca.pem")
    async with client.get("/") as answer:
        told.append((answer.status, answer.headers.get("Connection")))
    fresh = client_tls(authority, "prometheus", of=successor)
    assert told == [(200, None), (421, "close")]
    assert [await opened.status(tls=each) for each in (former, fresh)] == [0, 200]


async def test_an_open_connection_ends_when_certificates_become_required(
    site: Open, authority: trustme.CA
) -> None:
    optional = REQUIRED.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven")
    opened = await site(f"tls_server_config: {{{optional}}}")
    client, statuses = opened.client(client_tls(authority)), []
    async with client.get("/") as answer:
        statuses.append(answer.status)
    opened.write(f"tls_server_config: {{{REQUIRED}}}")
    async with client.get("/") as answer:
        statuses.append(answer.status)
    assert statuses == [200, 421]


@pytest.mark.parametrize(
    ("name", "allowed", "status"),
    [
        ("prometheus.example.org", "prometheus.example.org", 200),
        ("prometheus.example.org", "a, prometheus.example.org", 200),
        ("192.0.2.1", "192.0.2.1", 200),
        ("2001:db8::1", "2001:db8::1", 200),
        ("me@example.org", "me@example.org", 200),
        ("prometheus.example.org", "example.org", 403),
        ("prometheus.example.org", "'*.example.org'", 403),
        ("*.example.org", "prometheus.example.org", 403),
        ("192.0.2.1", "192.0.2.2", 403),
    ],
)
async def test_only_certificates_with_an_allowed_name_pass(
    site: Open, authority: trustme.CA, name: str, allowed: str, status: int
) -> None:
    opened = await site(f"tls_server_config: {{{REQUIRED}, client_allowed_sans: [{allowed}]}}")
    assert await opened.status(tls=client_tls(authority, name)) == status


async def test_a_name_that_is_no_longer_allowed_ends_an_open_connection(
    site: Open, authority: trustme.CA
) -> None:
    opened = await site(f"tls_server_config: {{{REQUIRED}, client_allowed_sans: [a]}}")
    client, told = opened.client(client_tls(authority, "a")), []
    async with client.get("/") as answer:
        told.append((answer.status, answer.headers.get("Connection")))
    opened.write(f"tls_server_config: {{{REQUIRED}, client_allowed_sans: [b]}}")
    async with client.get("/") as answer:
        told.append((answer.status, answer.headers.get("Connection")))
    assert told == [(200, None), (403, "close")]


async def test_the_least_version_counts_from_the_next_connection(
    site: Open, authority: trustme.CA
) -> None:
    opened = await site(f"tls_server_config: {{{TLS}}}")
    old = client_tls(authority, most="TLSv1_2")
    before = await opened.status(tls=old)
    opened.write(f"tls_server_config: {{{TLS}, min_version: TLS13}}")
    after = [await opened.status(tls=each) for each in (old, client_tls(authority))]
    assert (before, after) == (200, [0, 200])
