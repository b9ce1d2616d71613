"""The door: who may call which route, and as whom."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict

from orchestrator import strict
from orchestrator.errors import OrchestratorError
from orchestrator.loopback import local_callers_only, own_pages_only
from orchestrator.stamp import stamp
from webhook import token
from webhook.token import BadTokens, Caller, Line, Role

logger = logging.getLogger(__name__)

ANYBODY: Final = None  # is not even asked who it is
READERS = frozenset({Role.VIEWER, Role.OPERATOR, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})

ROUTES: Mapping[str, frozenset[Role] | None] = {  # what is not here is for admins
    "POST /alerts": frozenset({Role.ALERTMANAGER, Role.OPERATOR, Role.ADMIN}),
    "GET /api/v1/events": READERS,
    "GET /api/v1/incidents": READERS,
    "GET /metrics": frozenset(Role),
    "GET /-/healthy": ANYBODY,
    "GET /-/ready": ANYBODY,
}

LOCAL = Caller(name="local", role=Role.OPERATOR)  # everyone, where there are no tokens
CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)  # not there where ANYBODY may

SHOW = CIMultiDict(  # two headers, because some clients read one challenge of a header only
    [
        ("WWW-Authenticate", 'Bearer realm="orchestrator"'),
        ("WWW-Authenticate", 'Basic realm="orchestrator"'),
    ]
)
TOLD = 200  # characters of an answer in the log


class BadTokenFile(OrchestratorError):
    """The token file cannot be used; every mistake is listed, and nothing that stands in it."""

    def __init__(self, path: Path, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(f"{path}: {mistake}" for mistake in mistakes))
        self.path = path


class Roll:
    """The token file; a changed one counts from the next request.

    A change with a mistake is logged once, and the former tokens stay in force.
    """

    def __init__(self, path: Path) -> None:
        """Read *path*; raise BadTokenFile."""
        self._path = path
        self._stamp = stamp(path)
        self._lines = _read(path)
        self._good = True
        self._tell: Callable[[bool], object] = bool  # nobody listens yet

    def tell(self, listener: Callable[[bool], object]) -> None:
        """Call *listener* now and after each reading, with whether the file could be used."""
        self._tell = listener
        listener(self._good)

    def caller(self, request: web.Request) -> Caller:
        """Return who calls; raise HTTPUnauthorized when that cannot be told."""
        written = request.headers.getall("Authorization", [])
        credentials = token.shown(written[0]) if len(written) == 1 else None
        known = credentials and token.caller(self._in_force(), credentials)
        if not known:
            said = "no token that counts here; send Authorization: Bearer TOKEN\n"
            raise web.HTTPUnauthorized(headers=SHOW, text=said)
        return known

    def _in_force(self) -> Sequence[Line]:
        now = stamp(self._path)
        if now != self._stamp:
            self._stamp = now  # before it is read: what is written meanwhile is another change
            self._read_again()
        return self._lines

    def _read_again(self) -> None:
        try:
            self._lines = _read(self._path)
        except BadTokenFile as error:
            self._good = False
            logger.error("tokens refused, the former stay", extra={"why": str(error)})  # noqa: TRY400  a traceback would tell the operator nothing
        else:
            self._good = True
            logger.info("tokens read again", extra={"tokens": len(self._lines)})
        self._tell(self._good)


def _read(path: Path) -> tuple[Line, ...]:
    try:
        return token.parse(strict.text(path))
    except (strict.Mistaken, BadTokens) as error:
        raise BadTokenFile(path, error.mistakes) from None  # the cause may quote the file


def admitting(roll: Roll | None, *between: Middleware) -> Sequence[Middleware]:
    """Return what a request goes through: the log, *between*, where it is from, and who calls.

    Without a roll every caller is on this machine, and an operator.
    """
    origin = own_pages_only if roll else local_callers_only
    return (answered, *between, origin, door(roll.caller if roll else _local))


def _local(_: web.Request) -> Caller:
    return LOCAL


def door(who: Callable[[web.Request], Caller]) -> Middleware:
    """Return a middleware that answers 403 to whom the route is not for; *who* may answer 401."""

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        route = _route(request)
        allowed = ROUTES.get(route, ADMINS)
        if allowed is not ANYBODY:
            caller = request[CALLER] = who(request)
            if caller.role not in allowed:
                raise web.HTTPForbidden(text=f"{caller.role}: this is not among what you may ask\n")
        return await handler(request)

    return admit


def _route(request: web.Request) -> str:
    """Name the route as ROUTES does; what no route takes has a name that is not there."""
    method = "GET" if request.method == "HEAD" else request.method
    resource = request.match_info.route.resource
    return f"{method} {resource.canonical if resource else ''}"


@web.middleware
async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log what is refused, without credentials or query, and leave no body to be unpacked."""
    answer: web.StreamResponse
    try:
        answer = await handler(request)
    except web.HTTPException as refusal:
        _log(request, refusal)
        if not _leaves_trouble(request):
            raise
        answer = refusal
    if _leaves_trouble(request):
        await _part(request, answer)
    return answer


def _log(request: web.Request, refusal: web.HTTPException) -> None:
    known = request.get(CALLER)
    details = {
        "status": refusal.status,
        "method": request.method,
        "path": request.path,
        "remote": request.remote,
        "caller": known.name if known else "",
        "why": (refusal.text or "").strip()[:TOLD],
    }
    severe = refusal.status >= HTTPStatus.BAD_REQUEST
    logger.log(logging.WARNING if severe else logging.INFO, "request refused", extra=details)


def _leaves_trouble(request: web.Request) -> bool:
    """Tell whether the rest of the body is packed, or cannot be read.

    After its answer aiohttp reads on for 10 s, so that the caller can hear it. It would unpack all
    that: 4 MB of zeros, packed, from a caller without a token held up everyone for seconds.
    """
    rest = request.content
    packed = "Content-Encoding" in request.headers and not rest.is_eof()
    return packed or rest.exception() is not None


async def _part(request: web.Request, answer: web.StreamResponse) -> None:
    """Answer, and close the connection at once."""
    answer.force_close()
    with suppress(ConnectionError):
        await answer.prepare(request)
        await answer.write_eof()
    request.protocol.force_close()


LOOPBACK = admitting(None)
