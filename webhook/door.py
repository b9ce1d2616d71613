"""The door: who may call which route, and as whom."""

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict

from orchestrator import strict
from orchestrator.errors import OrchestratorError
from orchestrator.loopback import local_callers_only, own_pages_only
from orchestrator.stamp import stamp
from webhook import problem, token
from webhook.problem import Problem
from webhook.token import ADMINS, ANYBODY, BadTokens, Caller, Line, Role

logger = logging.getLogger(__name__)

LOCAL = Caller(name="local", role=Role.OPERATOR)  # everyone, where there are no tokens
# What each route is for, as `GET /metrics`; what is not here is for admins.
ROLES: web.AppKey[Mapping[str, frozenset[Role] | None]] = web.AppKey("roles", Mapping)
CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)  # not there where ANYBODY may
# Looks once more whether the caller may, and raises as the door does; for what lasts for hours.
STILL: web.RequestKey[Callable[[], None]] = web.RequestKey("still")

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
    """Return what a request goes through: *between*, the log, where it is from, and who calls.

    Without a roll every caller is on this machine, and an operator. What *between* puts on answers
    is on refusals, too, so it has them as answers.
    """
    origin = own_pages_only if roll else local_callers_only
    return (answered, *between, worded, origin, door(roll.caller if roll else _local))


def _local(_: web.Request) -> Caller:
    return LOCAL


def door(who: Callable[[web.Request], Caller]) -> Middleware:
    """Return a middleware that answers 403 to whom the route is not for; *who* may answer 401."""

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        route = _route(request)
        allowed = request.app.get(ROLES, {}).get(route, ADMINS)
        if allowed is not ANYBODY:
            _let_in(who, allowed, request)
            still: Callable[[], None] = partial(_let_in, who, allowed, request)
            request[STILL] = still
        return await handler(request)

    return admit


def _let_in(
    who: Callable[[web.Request], Caller], allowed: frozenset[Role], request: web.Request
) -> None:
    caller = request[CALLER] = who(request)
    if caller.role not in allowed:
        raise web.HTTPForbidden(text=f"{caller.role}: this is not among what you may ask\n")


def _route(request: web.Request) -> str:
    """Name the route as ROLES does; what no route takes has a name that is not there."""
    method = "GET" if request.method == "HEAD" else request.method
    resource = request.match_info.route.resource
    return f"{method} {resource.canonical if resource else ''}"


@web.middleware
async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Leave no body over that would have to be unpacked."""
    answer = await worded(request, handler)
    if _leaves_trouble(request):
        await _part(request, answer)
    return answer


@web.middleware
async def worded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Put every refusal in words, and log it, without credentials or query."""
    try:
        return await handler(request)
    except (web.HTTPException, Problem, sqlite3.Error) as error:
        answer = problem.response(error)
        _log(request, answer.status, error)
    except Exception as error:  # the last to hear of it: nothing of it may reach the caller
        logger.exception("request failed", extra={"path": request.path})
        answer = problem.response(error)
    return answer


def _log(request: web.Request, status: int, error: Exception) -> None:
    known = request.get(CALLER)
    why = error.text if isinstance(error, web.HTTPException) else str(error)
    details = {
        "status": status,
        "method": request.method,
        "path": request.path,
        "remote": request.remote,
        "caller": known.name if known else "",
        "why": (why or "").strip()[:TOLD],
    }
    severe = status >= HTTPStatus.BAD_REQUEST
    ours = error if isinstance(error, sqlite3.Error) else None  # its traceback tells the operator
    level = logging.WARNING if severe else logging.INFO
    logger.log(level, "request refused", extra=details, exc_info=ours)


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
