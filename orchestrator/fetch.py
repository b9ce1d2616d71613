"""Fetching: one GET to a project, and every way that it can go wrong as a value."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache, partial
from time import perf_counter
from typing import Any, cast

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.resolver import AsyncResolver
from aiohttp.tracing import Trace
from yarl import URL

from orchestrator import tls
from orchestrator.answer import Answer, Reason
from orchestrator.errors import OrchestratorError
from orchestrator.project import Project
from orchestrator.version import VERSION

BODY_LIMIT = 64 * 1024  # bytes of an answer that are read
WIRE_LIMIT = 256 * 1024  # bytes of an answer as it comes, its head and framing included
KEPT_FOR = 75.0  # seconds that a connection waits for its next question
OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
OK = 200
REDIRECTS = range(300, 400)


class OutOfResources(OrchestratorError):
    """We could not ask, for want of means of our own: nothing is known of the project."""


class _Lost(Exception):
    """The connection broke before there was a whole answer's head."""

    @property
    def answer_begun(self) -> bool:
        """Whether bytes of an answer had come: then aiohttp hands out what it understood."""
        return not isinstance(getattr(self.__cause__, "message", ""), str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A GET, with everything that it takes."""

    url: str  # as it goes out, encoded
    headers: Mapping[str, str] = field(repr=False)  # a secret among them
    timeout: aiohttp.ClientTimeout  # in all, from the first packet to the last byte
    trust: ssl.SSLContext | bool = True
    server_name: str | None = None


@asynccontextmanager
async def connections(
    resolver: AbstractResolver | None = None, *, keep: bool = True
) -> AsyncIterator[aiohttp.ClientSession]:
    """Open the way to projects; without *keep*, each question has a connection of its own."""
    # without threads, so that a slow name holds up no other
    names = resolver or AsyncResolver(timeout=1.0, tries=2)
    kept = {"keepalive_timeout": KEPT_FOR} if keep else {"force_close": True}
    session = aiohttp.ClientSession(
        connector=_Connector(limit=0, resolver=names, **kept),
        response_class=_Answer,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"User-Agent": f"orchestrator/{VERSION}"},
        middlewares=[_once],
    )
    try:
        async with session:
            yield session
    finally:
        await names.close()


def question(project: Project, path: str, *, accept: str = "application/json") -> Question:
    """Prepare the GET of *path* below the project's URL; raise tls.BadTls.

    It takes 2 us, and is not kept: it is half a kilobyte, three times a project.
    """
    headers = _headers(accept)
    if project.auth:
        headers = {**headers, project.auth.header: project.auth.value}
    secure = project.url.startswith("https:")
    return Question(
        url=f"{project.url}{path}",
        headers=headers,
        timeout=_timeout(project.timeout.total_seconds()),
        trust=tls.context(project.tls) if secure else True,
        server_name=project.tls.server_name if secure else None,
    )


@cache  # one for all projects that send no secret
def _headers(accept: str) -> Mapping[str, str]:
    # identity: else 64 KiB may unpack to gigabytes
    return {"Accept": accept, "Accept-Encoding": "identity"}


@lru_cache
def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds)


def within(asked: Question, seconds: float) -> Question:
    """Return the same question with *seconds* for its answer, if that is less."""
    total = min(asked.timeout.total or seconds, seconds)
    return replace(asked, timeout=_timeout(total))


async def fetch(session: aiohttp.ClientSession, asked: Question, *, fresh: bool = False) -> Answer:
    """Ask once, over a kept connection or, when *fresh*, over a new one; follow no redirect.

    A kept connection that breaks before an answer says only that the other side had closed it,
    so the question is asked again over a new one, within the same time. Nothing else is tried
    again. Raises OutOfResources when this machine is at the end of its own means.
    """
    began = perf_counter()
    task = asyncio.current_task()
    try:
        if fresh:
            _renewing.add(task)
        return await _asked(session, asked, began)
    except (TimeoutError, _Lost, aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(reason=_reason(error), seconds=perf_counter() - began)
    finally:
        _opened.discard(task)
        _renewing.discard(task)


async def _asked(session: aiohttp.ClientSession, asked: Question, began: float) -> Answer:
    task = asyncio.current_task()
    try:
        return await _ask(session, asked, began)
    except _Lost as lost:
        left = (asked.timeout.total or 0.0) - (perf_counter() - began)
        if task in _opened or lost.answer_begun or left <= 0:
            raise
    _renewing.add(task)
    return await _ask(session, within(asked, left), began)


async def _ask(session: aiohttp.ClientSession, asked: Question, began: float) -> Answer:
    async with session.get(
        URL(asked.url, encoded=True),
        headers=asked.headers,
        timeout=asked.timeout,
        ssl=asked.trust,
        server_hostname=asked.server_name,
        allow_redirects=False,
    ) as response:
        body, reason = await _body(response)
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return Answer(
            reason=reason,
            status=response.status,
            media_type=media_type,
            body=body,
            seconds=perf_counter() - began,
        )


async def _body(response: ClientResponse) -> tuple[bytes, Reason | None]:
    if response.status != OK:
        return b"", Reason.REDIRECT if response.status in REDIRECTS else Reason.STATUS
    try:
        await response.content.readexactly(BODY_LIMIT + 1)
    except asyncio.IncompleteReadError as whole:
        packed = response.headers.get("Content-Encoding", "identity") != "identity"
        return whole.partial, Reason.BODY if packed else None
    return b"", Reason.TOO_LARGE


# Tasks whose question has opened a connection, and those whose question has to. No context
# variables: every connection would keep the context that it was made in.
_opened: set[asyncio.Task[object] | None] = set()
_renewing: set[asyncio.Task[object] | None] = set()


class _Bounded(ResponseHandler):
    """The protocol of one connection, which hears so much for one answer and no more.

    The limit of a body counts what is decoded. Endless blanks in a header, or the extension of a
    chunk, decode to nothing, and a dozen projects that send them would take a core.
    """

    __slots__ = ("_heard",)  # in the dict of its base it would be a kilobyte a connection

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._heard = 0

    def set_response_params(self, **params: Any) -> None:  # noqa: ANN401  aiohttp's
        """Begin an answer."""
        self._heard = 0
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Take in bytes; end the connection when they are too many."""
        self._heard += len(data)
        if self._heard > WIRE_LIMIT and self.transport:
            self.set_exception(aiohttp.ClientPayloadError("more bytes than an answer has"))
            self.transport.abort()
            return
        super().data_received(data)


class _Connector(aiohttp.TCPConnector):
    """Connections, and the knowledge of which question opened one."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  aiohttp's
        super().__init__(**options)
        bounded: Callable[..., ResponseHandler] = _Bounded
        self._factory = partial(bounded, loop=asyncio.get_running_loop())  # aiohttp has no option
        noting = aiohttp.TraceConfig()
        noting.on_connection_create_start.append(_note_opening)
        noting.freeze()
        self._noting = [Trace(cast(aiohttp.ClientSession, None), noting, noting.trace_config_ctx())]

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  aiohttp's signature
    ) -> Connection:
        """Hand out a connection, traced here alone: a session traces all else, too, for 10 %.

        Who needs a new one gets the idle ones closed first: a server that has one worker is
        waiting on them, and would answer nobody else.
        """
        task = asyncio.current_task()
        connection = await super().connect(req, [*traces, *self._noting], timeout)
        while task in _renewing and task not in _opened:
            connection.close()
            connection = await super().connect(req, [*traces, *self._noting], timeout)
        return connection


async def _note_opening(*_: object) -> None:
    _opened.add(asyncio.current_task())


class _Answer(ClientResponse):
    """An answer that nothing comes before: `100 Continue` without end would take a whole core.

    aiohttp reads interim answers for as long as they come, and tells of each by setting this.
    """

    @property
    def _continue(self) -> None:
        raise aiohttp.ClientPayloadError("an interim answer, and none was asked for")

    @_continue.setter
    def _continue(self, _: object) -> None: ...


async def _once(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
    """Keep aiohttp from asking again by itself: it would, over a connection just as old."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError) as error:
        raise _Lost from error


def _reason(error: BaseException) -> Reason:
    """Name what went wrong; raise OutOfResources when it was this machine's own fault."""
    if isinstance(error, _Lost):
        error = error.__cause__ or error
    number = getattr(getattr(error, "os_error", error), "errno", None)
    if number is None and isinstance(error, aiohttp.ClientConnectorError):
        _check_means()  # several addresses failed in several ways, or a name did
    if number in OURS:
        raise OutOfResources(f"cannot ask: {errno.errorcode[number]}") from error
    if isinstance(error, TimeoutError):
        return Reason.TIMEOUT
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Reason.NAME
    if isinstance(error, aiohttp.ClientSSLError) or isinstance(error.__cause__, ssl.SSLError):
        return Reason.TLS
    refused = number == errno.ECONNREFUSED and isinstance(error, aiohttp.ClientConnectorError)
    return Reason.REFUSED if refused else Reason.CONNECTION


def _check_means() -> None:
    """Raise OutOfResources when no socket can be had: the resolver does not say why it failed."""
    try:
        socket.socket().close()
    except OSError as error:
        raise OutOfResources(f"cannot ask: {errno.errorcode[error.errno or 0]}") from error
