"""Servers below HTTP, where a project can misbehave in every way, and the question to them."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import aiohttp

from orchestrator import fetch
from orchestrator.answer import Answer
from orchestrator.project import Auth, Control, Project

Call = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HEALTHY = b'{"status": "healthy"}'
GENEROUS = 5.0  # seconds, on a busy machine
END = b"\r\n\r\n"  # of a head


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """Write a whole answer."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


async def hanging(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Say nothing until the caller has gone."""
    await reader.read()


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Break the connection off, where closing would end it."""
    await reader.readuntil(END)
    _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    at_once = struct.pack("ii", 1, 0)  # linger for 0 s: close sends RST
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)


def saying(said: bytes) -> Call:
    """Answer one question with *said*, and close."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(END)
        writer.write(said)
        await writer.drain()

    return answer


@asynccontextmanager
async def serving(port: int, answer: Call, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve *answer*, a connection each; gives the URL."""
    calls: set[asyncio.Task[None]] = set()

    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        calls.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await answer(reader, writer)  # and the caller may go first
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()

    server = await asyncio.start_server(call, "127.0.0.1", port, ssl=tls)
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{port}"
    finally:
        server.close()
        for task in calls:
            task.cancel()
        await asyncio.gather(*calls)


@dataclass(frozen=True, slots=True)
class Hang:
    """Say nothing to a question for some seconds."""

    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Reset:
    """Break the connection off."""


Step = bytes | Hang | Reset


@dataclass
class Line:
    """A server that plays a script on each connection, a step to each question, and closes."""

    scripts: list[list[Step]]  # the last one is for all that come later, too
    heads: list[list[str]] = field(default_factory=list)  # of questions, for each connection

    @property
    def asked(self) -> list[int]:
        """How many questions came over each connection."""
        return [len(each) for each in self.heads]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Play the script of one connection."""
        self.heads.append(heads := [])
        for step in self.scripts[min(len(self.heads), len(self.scripts)) - 1]:
            heads.append((await reader.readuntil(END)).decode("latin-1"))
            await _play(step, writer)


async def _play(step: Step, writer: asyncio.StreamWriter) -> None:
    if isinstance(step, bytes):
        writer.write(step)
        await writer.drain()
    elif isinstance(step, Hang):
        await asyncio.sleep(step.seconds)
    else:
        _reset(writer)


def project(url: str, *, within: float = 1.0, auth: Auth | None = None) -> Project:
    """Return a project that is asked at *url*, and has some seconds to answer."""
    return Project(
        name="a",
        url=url,
        control=Control(url="http://127.0.0.1:1"),
        timeout=timedelta(seconds=within),
        auth=auth,
    )


async def ask(ways: aiohttp.ClientSession, asked: Project, *, fresh: bool = False) -> Answer:
    """Fetch its health; return the answer without the time it took, which is never long."""
    answer = await fetch.fetch(ways, fetch.question(asked, "/health"), fresh=fresh)
    assert 0 < answer.seconds < GENEROUS
    return replace(answer, seconds=0.0)
