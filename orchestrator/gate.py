"""The way in to a listener of ours: web.yml as it is now decides who passes."""

import asyncio
import base64
import binascii
import hmac
import ipaddress
import logging
import secrets
import ssl
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bcrypt
from aiohttp import web
from aiohttp.typedefs import Handler

from orchestrator.webconfig import BadWebConfig, Context, Tls, WebConfig, load, stamp

logger = logging.getLogger(__name__)

REMEMBERED = 100  # logins, right and wrong ones each
AT_ONCE = 2  # bcrypt checks, each of which takes a processor
WAITING = 50  # logins, those at work included; further ones are told to come again
LONGEST = 72  # bytes of a password; bcrypt takes no more


class Gate:
    """Let in whom *path* lets in; a changed file counts from the next connection and request.

    What it must not lose while running is TLS and that every caller is known: a change that drops
    either is refused like one with a mistake, and the former configuration stays in force.
    """

    def __init__(self, path: Path, *, users: bool = True) -> None:
        """Read *path*; raise BadWebConfig. Without *users* a change must not bring any."""
        self._path = path
        self._users = users
        self._config = load(path)
        self._files = self._config.files
        self._logins = _Logins()

    @property
    def authenticates(self) -> bool:
        """Tell whether every caller is known; once it is true it stays true."""
        return self._in_force().authenticates

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return a context for a server that serves each connection as the files are then."""
        if self._config.tls is None:
            return None
        context = _Current(ssl.PROTOCOL_TLS_SERVER)
        context.gate = self
        return context

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer 401, 403, 421 or 503 who may not pass; put the headers of web.yml on answers."""
        config = self._in_force()
        try:
            await self._admit(request, config)
            response = await handler(request)
        except web.HTTPException as answer:
            _add(config.headers, answer)
            raise
        _add(config.headers, response)
        return response

    async def _admit(self, request: web.Request, config: WebConfig) -> None:
        if config.tls is not None and config.tls.client_required:
            _check_certificate(request, config.tls)
        if config.users:
            login = _login(request.headers.get("Authorization", ""))
            if login is None or not await self._logins.right(login, config.users):
                raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Basic"})

    def tls(self) -> Context:
        """Return the context for a connection that begins now."""
        tls = self._in_force().tls
        assert tls is not None  # noqa: S101  _successor sees to it
        return tls.context

    def _in_force(self) -> WebConfig:
        if any(stamp(file) != was for file, was in self._files.items()):
            self._read_again()
        return self._config

    def _read_again(self) -> None:
        try:
            fresh = load(self._path)
            self._files = fresh.files
            self._config = _successor(self._config, fresh, self._path, users=self._users)
        except BadWebConfig as error:
            self._files = error.files
            logger.error("web config refused, the former stays", extra={"why": str(error)})  # noqa: TRY400  a traceback would tell the operator nothing
        else:
            logger.info("web config read again", extra={"path": str(self._path)})


class _Current(ssl.SSLContext):
    """Begin each connection with the context that is in force then."""

    gate: Gate

    def wrap_bio(self, *args: Any, **keywords: Any) -> ssl.SSLObject:  # noqa: ANN401  as ssl has it
        return self.gate.tls().wrap_bio(*args, **keywords)


def _successor(former: WebConfig, fresh: WebConfig, path: Path, *, users: bool) -> WebConfig:
    if fresh.users and not users:
        said = "basic_auth_users: callers are known by other means here"
    elif (former.tls is None) != (fresh.tls is None):
        said = "tls_server_config: cannot come or go while we run; restart to change that"
    elif former.authenticates and not fresh.authenticates:
        said = "basic_auth_users: nobody would be authenticated any more; restart to allow that"
    else:
        return fresh
    raise BadWebConfig(path, [said], fresh.files)


def _add(headers: Mapping[str, str], response: web.StreamResponse) -> None:
    for name, value in headers.items():
        response.headers.setdefault(name, value)


def _check_certificate(request: web.Request, tls: Tls) -> None:
    connection = request.get_extra_info("ssl_object")
    answer: web.HTTPException
    if connection is None or connection.context.trust != tls.context.trust:
        answer = web.HTTPMisdirectedRequest(text="other client certificates count now\n")
    elif tls.client_sans and not tls.client_sans & _sans(connection.getpeercert()):
        answer = web.HTTPForbidden(text="no name in the client certificate is allowed\n")
    else:
        return
    answer.force_close()
    raise answer


def _sans(certificate: Mapping[str, Any]) -> frozenset[str]:
    names = certificate.get("subjectAltName", ())
    return frozenset(
        str(ipaddress.ip_address(name.strip())) if kind == "IP Address" else name
        for kind, name in names
        if kind in {"DNS", "email", "IP Address", "URI"}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Login:
    user: str
    password: bytes = field(repr=False)


def _login(authorization: str) -> _Login | None:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(credentials, validate=True).partition(b":")
        return _Login(user=user.decode(), password=password) if colon else None
    except (binascii.Error, ValueError):
        return None


class _Recent:
    """Remember the digests used last."""

    def __init__(self) -> None:
        self._digests: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, digest: bytes) -> bool:
        known = digest in self._digests
        if known:
            self._digests.move_to_end(digest)
        return known

    def add(self, digest: bytes) -> None:
        self._digests[digest] = None
        if len(self._digests) > REMEMBERED:
            self._digests.popitem(last=False)


class _Logins:
    """Check passwords beside the event loop, and remember the verdicts by a keyed digest."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._right, self._wrong = _Recent(), _Recent()  # two, else guesses drive out the right one
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def right(self, login: _Login, users: Mapping[str, str]) -> bool:
        """Tell whether *login* fits; raise HTTPServiceUnavailable when too many ask at once."""
        digest = self._digest(login, users.get(login.user, ""))
        if digest in self._right:
            return True
        if digest in self._wrong or len(login.password) > LONGEST:
            return False
        if self._waiting == WAITING:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"})
        self._waiting += 1
        try:
            right = await self._check(login, users)
        finally:
            self._waiting -= 1
        (self._right if right else self._wrong).add(digest)
        return right

    async def _check(self, login: _Login, users: Mapping[str, str]) -> bool:
        hashed = users.get(login.user) or self._stand_in(login, list(users.values()))
        async with self._turn:
            fits = await asyncio.to_thread(bcrypt.checkpw, login.password, hashed.encode())
        return fits and login.user in users

    def _stand_in(self, login: _Login, hashes: list[str]) -> str:
        """Choose whose hash an unknown user is checked against, so that it takes as long."""
        return hashes[hmac.digest(self._key, login.user.encode(), "sha256")[0] % len(hashes)]

    def _digest(self, login: _Login, hashed: str) -> bytes:
        parts = (login.user.encode(), hashed.encode(), login.password)
        message = b"".join(len(part).to_bytes(8) + part for part in parts)
        return hmac.digest(self._key, message, "sha256")
