"""Targets for a benchmark: many small services in one process, each on its own loopback address."""

import asyncio
import gc
import json
import resource
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial

import click

from orchestrator.errors import OrchestratorError

PER_BLOCK = 250  # of the last byte; the byte before it counts the blocks
MOST = 250 * PER_BLOCK
SPARE = 256  # file descriptors for everything that is no target

FIGURES = {
    "cpu_percent": 27.4,
    "memory_percent": 41.8,
    "error_percent": 0.61,
    "requests_per_second": 38.2,
}
BUSINESS = {"response_rate": 0.034, "delivery_rate": 0.972, "cost_per_lead_usd": 4.2}


class TooManyTargets(OrchestratorError):
    """The system does not let one process open so many sockets."""


def host(place: int) -> str:
    """Return the address of the target that is number *place*, counted from 0."""
    block, rest = divmod(place, PER_BLOCK)
    return f"127.1.{block}.{rest + 1}"


def _answer(status: str, content_type: str, body: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n{body}".encode("ascii")


def _figures_as_text() -> str:
    flat = {**FIGURES, **{f"business_{name}": value for name, value in BUSINESS.items()}}
    return "".join(
        f"# HELP app_{name} One figure.\n# TYPE app_{name} gauge\napp_{name} {value}\n"
        for name, value in flat.items()
    )


_JSON = "application/json"
_STATUS = {"queue_length": 24, "deployed_at": "2026-01-01T12:00:00.000000Z", "cache_bytes": 131072}
ANSWERS = {
    b"/health": _answer("200 OK", _JSON, '{"status":"healthy","version":"1.4.2"}'),
    b"/metrics": _answer("200 OK", _JSON, json.dumps({**FIGURES, "business": BUSINESS})),
    b"/status": _answer("200 OK", _JSON, json.dumps(_STATUS)),
    b"/prometheus": _answer("200 OK", "text/plain; version=0.0.4", _figures_as_text()),
}
# What the benchmark itself asks: one answer that counts as nobody's work, and the counts.
SAMPLE, COUNTS = b"/sample", b"/counts"
ANSWERS[SAMPLE] = ANSWERS[b"/health"]

_NOT_FOUND = _answer("404 Not Found", _JSON, '{"error":"no such page"}')
_END = b"\r\n\r\n"


class Target(asyncio.Protocol):
    """One connection. Knows just enough of HTTP/1.1: GET, keep-alive and `Connection: close`."""

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._transport: asyncio.WriteTransport | None = None
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the *transport* to answer on."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete by now."""
        assert self._transport is not None
        *requests, self._unread = (self._unread + data).split(_END)
        for request in requests:
            self._transport.write(self._answer(request.split(b" ", 2)[1]))
            if b"connection: close" in request.lower():
                self._transport.close()
                return

    def _answer(self, path: bytes) -> bytes:
        if path == COUNTS:
            return _answer("200 OK", _JSON, json.dumps(self._counts))
        self._counts[path.decode("ascii", "replace")] += 1
        return ANSWERS.get(path, _NOT_FOUND)


async def serve(targets: int, port: int, opened: AsyncExitStack) -> None:
    """Listen for *targets* services on *port* until *opened* is closed."""
    loop = asyncio.get_running_loop()
    target = partial(Target, Counter())  # one count for all of them
    for place in range(targets):
        server = await loop.create_server(target, host(place), port, backlog=16)
        opened.callback(server.close)


def allow_sockets(count: int) -> None:
    """Raise this process's own limit so that *count* can be open; raise TooManyTargets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + SPARE
    if hard not in (-1, resource.RLIM_INFINITY) and wanted > hard:
        raise TooManyTargets(f"{count} sockets need `ulimit -Hn` {wanted}; here it is {hard}")
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _run(targets: int, port: int) -> None:
    async with AsyncExitStack() as opened:
        await serve(targets, port, opened)
        gc.collect()
        gc.freeze()
        click.echo("serving")
        await asyncio.Event().wait()


@click.command()
@click.option("--targets", type=click.IntRange(1, MOST), required=True)
@click.option("--port", type=int, required=True)
def main(targets: int, port: int) -> None:
    """Serve many targets at 127.1.0.1 and onwards, until killed."""
    try:
        allow_sockets(3 * targets)  # one that listens, and one for each of two who keep it open
    except TooManyTargets as error:
        raise click.ClickException(str(error)) from error
    asyncio.run(_run(targets, port))


if __name__ == "__main__":
    main()
