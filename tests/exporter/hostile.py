"""A server below HTTP that misbehaves by name, on one endpoint of a project or on several."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

GOOD = {
    "/health": b'{"status": "healthy", "version": "1.4.2"}',
    "/metrics": b'{"cpu_percent": 25, "requests_per_second": 5, "business": {"rate": 0.5}}',
    "/status": b'{"queue_length": 3, "cache_bytes": 1024}',
}
MB = 1_000_000  # bytes
DEEP = 10_000  # brackets
TLS_HELLO = b"\x16"  # the first byte of a caller who wants TLS
TEXT = "text/plain; version=0.0.4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One question to the server: who asks, for what, and what a good project would say."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    port: int
    path: str

    @property
    def good(self) -> bytes:
        """The body of a good answer."""
        return GOOD[self.path]

    async def send(self, raw: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(raw)
        await self.writer.drain()


Behaviour = Callable[[Call], Awaitable[None]]


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Write a whole answer."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body


def says(
    body: bytes, *headers: str, status: str = "200 OK", kind: str = "application/json"
) -> Behaviour:
    """Answer with *body*."""
    return sends(http(body, f"Content-Type: {kind}", *headers, status=status))


def sends(raw: bytes) -> Behaviour:
    """Answer with *raw* bytes, HTTP or not."""

    async def behave(call: Call) -> None:
        await call.send(raw)

    return behave


def says_instead(
    change: Callable[[bytes], bytes], *headers: str, kind: str = "application/json"
) -> Behaviour:
    """Answer with what *change* makes of the good body."""

    async def behave(call: Call) -> None:
        await call.send(http(change(call.good), f"Content-Type: {kind}", *headers))

    return behave


def adds(member: bytes) -> Behaviour:
    """Answer with the good object and one more *member*."""
    return says_instead(lambda good: good.removesuffix(b"}") + b", " + member + b"}")


def repeats(start: bytes, again: bytes, *, times: int | None = None) -> Behaviour:
    """Send *start*, and then *again* for so many *times*, or for ever."""

    async def behave(call: Call) -> None:
        await call.send(start)
        sent = 0
        while times is None or sent < times:
            await call.send(again)
            sent += 1
            await asyncio.sleep(0)

    return behave


async def well(call: Call) -> None:
    """Answer as a good project does."""
    await call.send(http(call.good, "Content-Type: application/json"))


async def hangs(call: Call) -> None:
    """Answer nothing until the caller has gone."""
    await call.reader.read()


async def trickles(call: Call) -> None:
    """Send the good answer at one byte a second."""
    for byte in http(call.good):
        await call.send(bytes([byte]))
        await asyncio.sleep(1)


async def resets(call: Call) -> None:
    """End the connection with RST."""
    at_once = struct.pack("ii", 1, 0)  # linger for 0 s
    call.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)


async def circles(call: Call) -> None:
    """Redirect to the same place."""
    await call.send(http(call.good, f"Location: {call.path}", status="302 Found"))


async def sends_elsewhere(call: Call) -> None:
    """Redirect to another host, where a caller that follows is seen as a stray."""
    where = f"Location: http://localhost:{call.port}/elsewhere"
    await call.send(http(call.good, where, status="307 Temporary Redirect"))


async def halves(call: Call) -> None:
    """Break off inside the body."""
    await call.send(http(call.good)[:-1])


_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"

BEHAVIOURS: Mapping[str, Behaviour] = {
    "well": well,
    "resets": resets,
    "hangs": hangs,
    "trickles": trickles,
    "breaks off": halves,
    "redirects in a circle": circles,
    "redirects to another host": sends_elsewhere,
    "sends 100 MB": repeats(
        _OK + f"Content-Length: {100 * MB}\r\n\r\n".encode(), b" " * MB, times=100
    ),
    "sends 100 MB in chunks": repeats(
        _CHUNKED, f"{MB:x}\r\n".encode() + b" " * MB + b"\r\n", times=100
    ),
    "sends without end": repeats(_OK + b"\r\n", b" " * 65_536),
    "sends one header without end": repeats(_OK + b"X: ", b"x" * 4096),
    "sends headers without end": repeats(_OK, b"X: x\r\n" * 512),
    "says 100 Continue without end": repeats(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 64),
    "speaks no HTTP": sends(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "sends every byte": sends(bytes(range(256))),
    "says nothing": sends(b""),
    "is packed": says(b"\x1f\x8b", "Content-Encoding: gzip"),
    "sends HTML": says(b"<html>Welcome to nginx!</html>", kind="text/html"),
    "sends HTML as JSON": says(b"<html>Welcome to nginx!</html>"),
    "sends broken JSON": says_instead(lambda good: good.removesuffix(b"}")),
    "sends an empty body": says(b""),
    "sends a list": says_instead(lambda good: b"[" + good + b"]"),
    "sends bytes that are not UTF-8": adds(b'"a": "\xff"'),
    "sends NaN": adds(b'"a": NaN'),
    "sends infinity": adds(b'"a": -Infinity'),
    "sends a key twice": adds(b'"a": 1, "a": 1'),
    "nests 10,000 deep": says(b"[" * DEEP + b"]" * DEEP),
    "leaves 10,000 open": says(b'{"a":' * DEEP),
    "says 204": sends(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "says 503": says(b'{"status": "down"}', status="503 Service Unavailable"),
    "says 404": says(b"", status="404 Not Found"),
    "mislabels JSON": says_instead(bytes, kind="text/html; charset=utf-8"),
    "labels JSON with bytes": says_instead(bytes, kind="text/\udcff\udc80"),
    "labels JSON with escapes": says_instead(bytes, kind="text/\x1b[2J\x7f"),
    # of /health
    "says down with 200": says(b'{"status": "down"}'),
    "says an unknown word": says(b'{"status": "splendid"}'),
    "says a list of states": says(b'{"status": ["healthy"]}'),
    "has a version with quotes": says(b'{"status": "healthy", "version": "1\\"} 1"}'),
    "has a version with a newline": says(b'{"status": "healthy", "version": "1\\nproject_up 1"}'),
    "has a version with NUL": says(b'{"status": "healthy", "version": "1\\u0000"}'),
    "has a version of 10 kB": says(b'{"status": "healthy", "version": "' + b"1" * 10_000 + b'"}'),
    "has a version that is no text": says(b'{"status": "healthy", "version": {"a": [1]}}'),
    # of /metrics and /status
    "reports negative figures": says(b'{"cpu_percent": -1, "queue_length": -1}'),
    "reports absurd figures": says(b'{"cpu_percent": 100.1, "queue_length": 1e13}'),
    "reports figures beyond floats": says(
        b'{"cpu_percent": 1e999, "queue_length": 1' + b"0" * 400 + b"}"
    ),
    "reports figures as text": says(b'{"cpu_percent": "25", "queue_length": "3"}'),
    "reports a figure with 10,000 digits": says(
        b'{"cpu_percent": 1' + b"0" * 10_000 + b', "queue_length": 3}'
    ),
    # of /metrics
    "has 1,000 samples": says(
        b"".join(b'cpu_percent{a="%d"} 1\nmore_%d 1\n' % (each, each) for each in range(1000)),
        kind=TEXT,
    ),
    "has a sample twice": says(b"cpu_percent 25\ncpu_percent 25\n", kind=TEXT),
    "has a sample with quotes": says(b'a{b="\\"} 1"} 1\n', kind=TEXT),
    "has a sample with a newline": says(b'a{b="\\nproject_up 1"} 1\n', kind=TEXT),
    "has a sample with NUL": says(b'a{b="\x00"} 1\n', kind=TEXT),
    "has a sample of 10 kB": says(b'a{b="' + b"x" * 10_000 + b'"} 1\n', kind=TEXT),
    "has broken text": says(b'a{b="c} 1\n', kind=TEXT),
    "has text without its end": says(b"a 1\n", kind="application/openmetrics-text"),
    "has text of NaN": says(b"cpu_percent NaN\n", kind=TEXT),
}


@dataclass(slots=True)
class Hostile:
    """A project that misbehaves; `behaviours` may change while it is asked."""

    port: int
    behaviours: dict[str, Behaviour]
    tls: ssl.SSLContext | None = None
    asked: Counter[str] = field(default_factory=Counter)  # by path, strays included

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one call."""
        if await reader.readexactly(1) == TLS_HELLO:
            writer.write(http(b"plain HTTP is spoken here", status="400 Bad Request"))
            return
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split()[1].decode()
        self.asked[path] += 1
        if path in GOOD:
            behave = self.behaviours.get(path, well)
            await behave(Call(reader=reader, writer=writer, port=self.port, path=path))


def hostile(port: int, **named: str) -> Hostile:
    """Make a project that misbehaves as *named*: `health="hangs"`. It is good at the rest."""
    return Hostile(port, {f"/{path}": BEHAVIOURS[name] for path, name in named.items()})


@asynccontextmanager
async def listening(*projects: Hostile) -> AsyncIterator[None]:
    """Let *projects* answer until the block ends."""
    calls: set[asyncio.Task[None]] = set()
    servers = [await _listen(each, calls) for each in projects]
    try:
        yield
    finally:
        for server in servers:
            server.close()
        for task in calls:
            task.cancel()
        await asyncio.gather(*calls)


async def _listen(project: Hostile, calls: set[asyncio.Task[None]]) -> asyncio.Server:
    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        calls.add(task)
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):  # the caller may go
            await project.answer(reader, writer)
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()
        calls.discard(task)

    return await asyncio.start_server(call, "127.0.0.1", project.port, ssl=project.tls)
