"""A certificate: how long it still holds."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

from orchestrator.doctor.finding import Finding, fail, ok, warn

SOON = timedelta(days=14)
WITHIN = 5.0  # seconds
EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL


async def examine(
    about: str,
    where: tuple[str, int],
    trust: ssl.SSLContext | bool,  # noqa: FBT001  as aiohttp has it
    now: datetime,
    *,
    server_name: str | None = None,
) -> list[Finding]:
    """Look at the certificate of a server; of one that we do not check, nothing is known."""
    context = trust if isinstance(trust, ssl.SSLContext) else ssl.create_default_context()
    host, port = where
    try:
        async with asyncio.timeout(WITHIN):
            _, writer = await asyncio.open_connection(
                host, port, ssl=context, server_hostname=server_name or host
            )
            shown = writer.get_extra_info("peercert")
            writer.transport.abort()
    except ssl.SSLCertVerificationError as error:
        over = error.verify_code == EXPIRED
        return [_ended(about, f"{host}:{port}")] if over else []
    except (OSError, TimeoutError, ValueError):  # who asks it otherwise says what is wrong
        return []
    ends = (shown or {}).get("notAfter")
    return [judge(about, f"{host}:{port}", _read(ends), now)] if ends else []


def judge(about: str, who: str, ends: datetime, now: datetime) -> Finding:
    """Say whether it holds for long enough."""
    left = ends - now
    said = f"the certificate of {who} holds until {ends:%Y-%m-%d}"
    if left <= timedelta(0):
        return _ended(about, who)
    if left < SOON:
        return warn(about, f"{said}, {left.days} days from now", "renew it")
    return ok(about, said)


def _ended(about: str, who: str) -> Finding:
    return fail(about, f"the certificate of {who} has ended", "renew it")


def _read(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), tz=UTC)
