"""A fleet as orchestrator.yml has it, and an exporter that watches it."""

import re
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import trustme
from aiohttp import web

from exporter import app
from orchestrator.source import Source

PROJECT = (
    "{{name: {name}, url: '{url}', health_interval: {every}, metrics_interval: {every},"
    " timeout: 1s, slow_after: 1h, metrics: {{rate: business.rate}}, {more}}}"
)


def slug(text: str) -> str:
    """Make a text the name of a project."""
    return re.sub("[^a-z0-9]+", "-", text.lower())


def entry(name: str, url: str, more: str = "", every: str = "1s") -> str:
    """Write a project of the fleet, with one figure of its own."""
    return PROJECT.format(name=name, url=url, more=more, every=every)


def write(file: Path, entries: Iterable[str]) -> None:
    """Write orchestrator.yml."""
    lines = [f"  - {each}\n" for each in entries]
    file.write_text("projects:\n" + "".join(lines) if lines else "")


def application(file: Path, entries: Iterable[str]) -> web.Application:
    """Build an exporter of *entries*, which are written to *file*."""
    write(file, entries)
    source = Source(path=file)
    return app.make(source, source.load(), version="1.2.3")


@asynccontextmanager
async def served(file: Path, entries: Iterable[str], port: int) -> AsyncIterator[str]:
    """Serve an exporter of *entries* until the block ends; gives its URL."""
    runner = web.AppRunner(application(file, entries), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def tls(folder: Path, name: str) -> ssl.SSLContext:
    """Trust an authority by the file `<name>.pem`, and show a certificate with a flaw.

    It is *name* that tells which: `nobody` knows its authority, it is of another `host`, or it
    `ended`.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / f"{name}.pem")
    signer = trustme.CA() if "nobody" in name else authority
    host = "127.0.0.2" if "host" in name else "127.0.0.1"
    ended = datetime(2020, 1, 1, tzinfo=UTC) if "ended" in name else None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    signer.issue_cert(host, not_after=ended).configure_cert(context)
    return context
