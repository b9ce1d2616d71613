"""An operation: one thing that can be asked over HTTP, by whom, with what, and what comes back.

The tables of operations are the routes, what each role may do, and the description of the API, so
none of the three can say something else than the others.
"""

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Final, TypedDict, TypeVar, Unpack

from aiohttp import web
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from webhook.api.desk import DESK, Desk
from webhook.door import CALLER
from webhook.problem import Problem
from webhook.token import Caller, Role

BODY_LIMIT = 64 * 1024  # bytes of a request of people's; notifications have a limit of their own
BODY_WITHIN = 10.0  # seconds for it to come; who sends slower holds a connection for nothing
JSON: Final = "application/json"
PATTERNS: Final = {"id": r"[0-9]{1,18}", "project": r"[a-z0-9-]{1,63}"}  # what a path may hold
OTHERWISE: Final = r"[A-Za-z0-9_.:-]{1,100}"
LAST: Final = 10**18 - 1  # the greatest id that is asked for; it fits 64 bits


class Answer(BaseModel):
    """What comes back."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Body(BaseModel):
    """What is sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Query(BaseModel):
    """What stands behind the question mark."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _whole(raw: object) -> object:
    if isinstance(raw, str) and not (raw.isascii() and raw.isdigit() and len(raw) <= 18):  # noqa: PLR2004  fits 64 bits
        raise ValueError("not a whole number")
    return raw


def _said(raw: str) -> str:
    if not (said := raw.strip()):
        raise ValueError("has nothing but blanks")
    return said


# The bounds stand before what reads the text, else the description would not have them.
Number = Annotated[int, Field(ge=0, le=LAST), BeforeValidator(_whole)]
Limit = Annotated[int, Field(ge=1, le=500), BeforeValidator(_whole)]
Reason = Annotated[
    str,
    Field(
        min_length=1,
        max_length=500,
        description="why, for those who ask",
        json_schema_extra={"pattern": r"\S"},
    ),
    AfterValidator(_said),
]


class Older(Query):
    """A page of rows, newest first."""

    before: Number | None = Field(default=None, description="rows below this id; `next` has it")
    limit: Limit = 50


class Newer(Query):
    """A page of rows, oldest first."""

    after: Number = Field(default=0, description="rows above this id; `next` has it")
    limit: Limit = 500


Asked = TypeVar("Asked", bound=Query)
Said = TypeVar("Said", bound=Body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: who asks, for what, and what there is to answer with."""

    request: web.Request
    desk: Desk
    query: Query | None
    body: Body | None

    @property
    def caller(self) -> Caller:
        """Who asks."""
        return self.request[CALLER]

    def number(self, name: str = "id") -> int:
        """Return a number that stands in the path."""
        return int(self.request.match_info[name])

    def word(self, name: str) -> str:
        """Return a name that stands in the path."""
        return self.request.match_info[name]

    def asked(self, kind: type[Asked]) -> Asked:
        """Return the query, which is of the operation's own *kind*."""
        assert isinstance(self.query, kind)  # noqa: S101  the table says so
        return self.query

    def said(self, kind: type[Said]) -> Said:
        """Return the body, which is of the operation's own *kind*."""
        assert isinstance(self.body, kind)  # noqa: S101  the table says so
        return self.body


Reply = Callable[[Call], Awaitable[Answer | web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row of a table."""

    tag: str
    method: str
    path: str  # `/api/v1/incidents/{id}`
    roles: frozenset[Role] | None  # None: anybody, without a token
    reply: Reply
    query: type[Query] | None = None
    body: type[Body] | None = None
    answer: type[Answer] | None = None  # None: no JSON
    status: HTTPStatus = HTTPStatus.OK
    produces: str = JSON
    also: Mapping[HTTPStatus, type[Answer]] = field(default_factory=dict)  # with other statuses
    refuses: tuple[int, ...] = ()  # statuses of its own, beside those that all have

    @property
    def name(self) -> str:
        """Its name in the description: that of its function."""
        return getattr(self.reply, "__name__", "")

    @property
    def said(self) -> str:
        """What it does; the first line is the summary."""
        return inspect.getdoc(self.reply) or ""

    @property
    def route(self) -> web.RouteDef:
        """Its route."""
        path = re.sub(r"{(\w+)}", _placed, self.path)
        return web.route(self.method, path, self.answered)

    async def answered(self, request: web.Request) -> web.StreamResponse:
        """Answer a request; raises Problem and web.HTTPException, which the door puts in words."""
        call = Call(
            request=request,
            desk=request.app[DESK],
            query=None if self.query is None else _query(self.query, request),
            body=None if self.body is None else await _body(self.body, request),
        )
        made = await self.reply(call)
        if isinstance(made, web.StreamResponse):
            return made
        return web.Response(
            body=made.model_dump_json(), status=self.status, content_type=self.produces
        )


def _placed(found: re.Match[str]) -> str:
    name = found[1]
    return f"{{{name}:{PATTERNS.get(name, OTHERWISE)}}}"


class _More(TypedDict, total=False):
    query: type[Query]
    body: type[Body]
    answer: type[Answer]
    status: HTTPStatus
    produces: str
    also: Mapping[HTTPStatus, type[Answer]]
    refuses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The operations about one thing, in the order of their writing."""

    tag: str
    operations: list[Operation] = field(default_factory=list)

    def get(
        self, path: str, *, roles: frozenset[Role] | None, **more: Unpack[_More]
    ) -> Callable[[Reply], Reply]:
        """Add what is read; the rest is as Operation has it."""
        return self._add("GET", path, roles, more)

    def post(
        self, path: str, *, roles: frozenset[Role] | None, **more: Unpack[_More]
    ) -> Callable[[Reply], Reply]:
        """Add what is done; the rest is as Operation has it."""
        return self._add("POST", path, roles, more)

    def _add(
        self, method: str, path: str, roles: frozenset[Role] | None, more: _More
    ) -> Callable[[Reply], Reply]:
        def add(reply: Reply) -> Reply:
            made = Operation(
                tag=self.tag,
                method=method,
                path=path,
                roles=roles,
                reply=reply,
                **more,
            )
            self.operations.append(made)
            return reply

        return add


def _query(kind: type[Query], request: web.Request) -> Query:
    twice = sorted({name for name in request.query if len(request.query.getall(name)) > 1})
    if twice:
        raise Problem(HTTPStatus.BAD_REQUEST, f"{', '.join(twice)}: stands twice in the query")
    try:
        return kind.model_validate(dict(request.query))
    except ValidationError as error:
        raise _mistaken("query", error) from None


async def _body(kind: type[Body], request: web.Request) -> Body:
    if request.content_type != JSON:
        said = f"the body is to be JSON; send it with Content-Type: {JSON}"
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, said)
    try:
        return kind.model_validate_json(await _read(request))
    except ValidationError as error:
        raise _mistaken("body", error) from None


async def _read(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_WITHIN):
            return await _received(request)
    except web.RequestPayloadError:
        said = "the body is not encoded as its headers say"
        raise Problem(HTTPStatus.BAD_REQUEST, said) from None
    except TimeoutError:
        said = f"the body did not come within {BODY_WITHIN:.0f} s"
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, said) from None


async def _received(request: web.Request) -> bytes:
    pieces, size = [], 0
    while piece := await request.content.readany():
        size += len(piece)
        if size > BODY_LIMIT:
            said = f"the body is larger than {BODY_LIMIT} bytes"
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said)
        pieces.append(piece)
    return b"".join(pieces)


def _mistaken(part: str, error: ValidationError) -> Problem:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    mistakes = [{"where": _where(part, each), "why": _why(each)} for each in found]
    detail = "; ".join(f"{each['where']}: {each['why']}" for each in mistakes)
    return Problem(HTTPStatus.BAD_REQUEST, detail[:2_000], errors=mistakes[:50])


def _where(part: str, found: ErrorDetails) -> str:
    return ".".join((part, *(str(step)[:100] for step in found["loc"])))


def _why(found: ErrorDetails) -> str:
    said = {"extra_forbidden": "is not known here", "missing": "is missing"}.get(found["type"])
    if said:
        return said
    return found["msg"].removeprefix("Value error, ")[:300]
