"""The connection to Anthropic: the SDK's client, held to what we mean to send and to take.

The SDK takes two seconds and 80 MB to import, so that happens inside of functions: without a key
nothing of it is wanted.
"""

import json
import logging
import ssl
import warnings
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Final

from orchestrator.lifecycle import ENDS

API_VERSION: Final = "2026-10-21"  # what our requests are written for
BODY_LIMIT: Final = 1024 * 1024  # bytes of an answer
CONNECT_WITHIN: Final = 5.0  # seconds
OK: Final = 200
READ: Final = frozenset(
    {b"request-id", b"retry-after-ms", b"retry-after"}
)  # of the headers of an answer
A_KEY: Final = 8  # characters; a shorter one, for a stand-in, is found in words that are none
OURS: Final = "[our key]"  # stands where an answer repeats our key

logger = logging.getLogger(__name__)


class TooLarge(ValueError):
    """An answer that is larger than any message, or packed, so that nobody knows its size."""


class Lost(Exception):
    """No answer, or only a part of one; `sent` says whether the model may have seen the request."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__("the connection was lost" if sent else "no connection")
        self.sent = sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An answer over HTTP, whatever it says."""

    status: int
    body: bytes  # empty where an error was too large, or packed
    headers: Mapping[str, str] = field(default_factory=dict)  # those that we read


Send = Callable[[Mapping[str, Any], float], Awaitable[Received]]


@dataclass(frozen=True, slots=True)
class Connection:
    """An open client.

    *send* takes the arguments of `messages.create` and for how many seconds an answer may be
    silent. It asks once; raises Lost, TooLarge, and TimeoutError.
    """

    send: Send
    close: Callable[[], Awaitable[None]]


def opened(key: str, url: str) -> Connection:
    """Return a connection that takes everything from here and nothing from the environment."""
    import anthropic  # noqa: PLC0415  only with a key
    import anthropic.resources.messages  # noqa: PLC0415  else the first call would wait for it
    import httpx2  # noqa: PLC0415

    for name in ("anthropic", "httpx2", "httpcore2"):  # at DEBUG they tell of headers and bodies
        logging.getLogger(name).setLevel(logging.WARNING)
    # The SDK warns at every call; `warn_of_ends` does once.
    warnings.filterwarnings("ignore", "The model '", DeprecationWarning)
    client = anthropic.AsyncAnthropic(
        api_key=key,
        base_url=url,
        max_retries=0,
        open_telemetry=False,
        http_client=httpx2.AsyncClient(
            verify=_trusted(),
            trust_env=False,
            follow_redirects=False,
            event_hooks={"request": [_only_ours(key)], "response": [_bounded()]},
        ),
    )
    return Connection(partial(_send, client, key), client.close)


async def _send(
    client: Any,  # noqa: ANN401  the SDK's
    key: str,
    body: Mapping[str, Any],
    within: float,
) -> Received:
    import anthropic  # noqa: PLC0415
    import httpx2  # noqa: PLC0415

    timeout = httpx2.Timeout(within, connect=min(within, CONNECT_WITHIN))
    try:
        raw = await client.messages.with_raw_response.create(**body, timeout=timeout)
    except anthropic.APIStatusError as error:
        return _received(error.response, key)
    except anthropic.APIConnectionError as error:
        raise _lost(error) from None  # what it says may hold the key
    except Exception:  # noqa: BLE001  whatever it falls over, a call that was paid for has its end
        raise Lost(sent=True) from None
    return _received(raw.http_response, key)


@cache
def _trusted() -> ssl.SSLContext:
    """Read whom to trust, once: it takes a tenth of a second."""
    import httpx2  # noqa: PLC0415

    return httpx2.create_ssl_context(trust_env=False)


def warn_of_ends(models: Sequence[str]) -> None:
    """Log which of *models* are deprecated, as far as this release knows."""
    for model in models:
        if model in ENDS:
            logger.warning("model is deprecated", extra={"model": model, "ends": str(ENDS[model])})


def _received(response: Any, key: str) -> Received:  # noqa: ANN401  httpx2's
    """Return what we keep of an answer; a proxy that is set up badly repeats what it was sent."""
    body, headers = response.content, dict(response.headers.items())
    if len(key) >= A_KEY:
        for spelling in {key, json.dumps(key)[1:-1]}:
            body = body.replace(spelling.encode(), OURS.encode())
        headers = {name: value.replace(key, OURS) for name, value in headers.items()}
    return Received(status=response.status_code, body=body, headers=headers)


def _lost(error: Exception) -> Exception:
    """Say what is behind an error of the SDK's."""
    import httpx2  # noqa: PLC0415

    match error.__cause__:
        case TooLarge() as cause:
            return cause
        case httpx2.ConnectError() | httpx2.ConnectTimeout() | httpx2.LocalProtocolError():
            return Lost(sent=False)
        case RuntimeError() as cause if "client has been closed" in str(cause):
            return Lost(sent=False)
        case httpx2.TimeoutException():
            return TimeoutError()
        case _:
            return Lost(sent=True)


def _only_ours(key: str) -> Callable[[Any], Awaitable[None]]:
    """Return a hook that leaves a request with our headers: the environment may name others."""
    import httpx2  # noqa: PLC0415

    async def hook(request: Any) -> None:  # noqa: ANN401  httpx2's
        request.headers = httpx2.Headers(
            {
                "host": request.url.netloc.decode(),
                "connection": "keep-alive",
                "user-agent": "orchestrator",
                "accept": "application/json",
                "accept-encoding": "identity",
                "anthropic-version": API_VERSION,
                "authorization": f"Bearer {key}",
                "content-type": "application/json",
                "content-length": str(len(request.content)),
                "x-stainless-raw-response": "raw",  # so the SDK leaves the answer to us
            }
        )

    return hook


async def _taken(stream: AsyncIterable[bytes], limit: int) -> bytes | None:
    """Return all of *stream*, None when it is more than *limit* bytes."""
    taken = bytearray()
    async for chunk in stream:
        taken += chunk
        if len(taken) > limit:
            return None
    return bytes(taken)


def _bounded() -> Callable[[Any], Awaitable[None]]:
    """Return a hook that has an answer read so far and no further, and as the bytes that come.

    Of an error that is too large, or packed, nothing is read: its status says enough. By the other
    headers the SDK would choose how to decode it, and fall over what it does not know.
    """
    import httpx2  # noqa: PLC0415

    class Bounded(httpx2.AsyncByteStream):
        def __init__(self, stream: httpx2.AsyncByteStream, limit: int, *, whole: bool) -> None:
            self._stream, self._limit, self._whole = stream, limit, whole

        async def __aiter__(self) -> AsyncIterator[bytes]:
            taken = await _taken(self._stream, self._limit)
            if taken is None and self._whole:
                raise TooLarge(f"more than {self._limit} bytes")
            yield taken or b""

        async def aclose(self) -> None:
            await self._stream.aclose()

    async def hook(response: Any) -> None:  # noqa: ANN401  httpx2's
        whole = response.status_code == OK
        packed = response.headers.get("content-encoding", "identity") != "identity"
        if packed and whole:
            raise TooLarge("the answer is packed")
        limit = 0 if packed else BODY_LIMIT
        response.stream = Bounded(response.stream, limit, whole=whole)
        told = [each for each in response.headers.raw if each[0].lower() in READ]
        response.headers = httpx2.Headers(told)

    return hook
