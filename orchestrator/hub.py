"""The hub as others see it: one question to the webhook's API, and what it says to that."""

import asyncio
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp
from pydantic_core import from_json
from yarl import URL

from orchestrator.errors import OrchestratorError
from orchestrator.version import VERSION

WITHIN = 30.0  # seconds for an answer
BODY_LIMIT = 64 * 1024 * 1024  # bytes of an answer, so that a wrong address cannot fill the memory

Json = dict[str, Any]


class Unreachable(OrchestratorError):
    """Nobody answered as the webhook would."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"{url}: {why}. Is the webhook up? Its address is --url or ORCHESTRATOR_URL"
        )
        self.url = url


class Refused(OrchestratorError):
    """The webhook answered, and said no; `problem` has all that it said."""

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__(str(problem.get("detail") or f"the webhook answered {status}"))
        self.status, self.problem = status, problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the webhook is, and as whom it is asked."""

    url: str
    token: str | None = field(default=None, repr=False)
    trust: ssl.SSLContext | bool = True

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every question; the token is among them."""
        shown = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        return {"User-Agent": f"orchestrator/{VERSION}", "Accept": "application/json"} | shown


async def ask(
    session: aiohttp.ClientSession,
    address: Address,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    body: Json | None = None,
) -> Json:
    """Ask once, and return what is said; raises Unreachable and Refused.

    A redirect is not followed: it would take the token elsewhere.
    """
    url = URL(address.url.rstrip("/") + path, encoded=False).update_query(query or {})
    try:
        async with session.request(
            method,
            url,
            json=body,
            headers=address.headers,
            ssl=address.trust,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=WITHIN),
        ) as response:
            return _read(response, await _body(response, address.url), address.url)
    except TimeoutError as error:
        raise Unreachable(address.url, f"no answer within {WITHIN:.0f} s") from error
    except aiohttp.ClientError as error:
        raise Unreachable(address.url, _why(error)) from error


def asked(
    address: Address,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    body: Json | None = None,
) -> Json:
    """Ask once, from a program that has no event loop; raises Unreachable and Refused."""

    async def once() -> Json:
        async with aiohttp.ClientSession() as session:
            return await ask(session, address, method, path, query=query, body=body)

    return asyncio.run(once())


async def _body(response: aiohttp.ClientResponse, url: str) -> bytes:
    pieces, size = [], 0
    async for piece in response.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > BODY_LIMIT:
            raise Unreachable(url, f"its answer has more than {BODY_LIMIT} bytes")
    return b"".join(pieces)


def _read(response: aiohttp.ClientResponse, raw: bytes, url: str) -> Json:
    try:
        said = from_json(raw)
    except ValueError:
        said = None
    redirects = HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST
    if redirects or not isinstance(said, dict):  # a page to log in at is no answer, nor a deed
        raise Unreachable(url, f"it answers {response.status}, and not as the webhook would")
    if response.ok:
        return said
    raise Refused(response.status, said)


def _why(error: aiohttp.ClientError) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return unconnected(error.os_error)
    return str(error) or type(error).__name__


def unconnected(error: OSError) -> str:
    """Say why there is no connection: in the system's words, or in those of TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):  # its errno is not the system's, nor is that of a name
        return f"no TLS with it: {error.reason or 'it does not speak it'}"
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error) or "no answer"
    return os.strerror(error.errno)
