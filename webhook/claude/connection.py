"""The connection to Anthropic: the SDK's client, held to what we mean to send and to take.

The SDK takes two seconds and 80 MB to import, so that happens inside of functions: without a key
nothing of it is wanted.
"""

import logging
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Final

API_VERSION: Final = "2026-10-21"  # what our requests are written for
BODY_LIMIT: Final = 1024 * 1024  # bytes of an answer
CONNECT_WITHIN: Final = 5.0  # seconds
# Of HTTP itself, and the one by which the SDK knows that it is not to read the answer.
OWN: Final = frozenset(
    {"host", "connection", "content-length", "user-agent", "x-stainless-raw-response"}
)

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
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)  # names in small letters


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
    return Connection(partial(_send, client), client.close)


async def _send(
    client: Any,  # noqa: ANN401  the SDK's
    body: Mapping[str, Any],
    within: float,
) -> Received:
    import anthropic  # noqa: PLC0415
    import httpx2  # noqa: PLC0415

    timeout = httpx2.Timeout(within, connect=min(within, CONNECT_WITHIN))
    try:
        raw = await client.messages.with_raw_response.create(**body, timeout=timeout)
    except anthropic.APIStatusError as error:
        return _received(error.response)
    except anthropic.APIConnectionError as error:
        raise _lost(error) from None  # what it says may hold the key
    return _received(raw.http_response)


@cache
def _trusted() -> ssl.SSLContext:
    """Read whom to trust, once: it takes a tenth of a second."""
    import httpx2  # noqa: PLC0415

    return httpx2.create_ssl_context(trust_env=False)


def warn_of_ends(models: Sequence[str]) -> None:
    """Log which of *models* are deprecated, as far as the SDK knows."""
    from anthropic.resources.messages.messages import DEPRECATED_MODELS  # noqa: PLC0415

    for model in models:
        if model in DEPRECATED_MODELS:
            ends = DEPRECATED_MODELS[model]
            logger.warning("model is deprecated", extra={"model": model, "ends": ends})


def _received(response: Any) -> Received:  # noqa: ANN401  httpx2's
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Received(status=response.status_code, body=response.content, headers=headers)


def _lost(error: Exception) -> Exception:
    """Say what is behind an error of the SDK's."""
    import httpx2  # noqa: PLC0415

    match error.__cause__:
        case TooLarge() as cause:
            return cause
        case httpx2.ConnectError() | httpx2.ConnectTimeout() | httpx2.LocalProtocolError():
            return Lost(sent=False)
        case httpx2.TimeoutException():
            return TimeoutError()
        case _:
            return Lost(sent=True)


def _only_ours(key: str) -> Callable[[Any], Awaitable[None]]:
    """Return a hook that leaves a request with our headers: the environment may name others."""
    ours = {
        "accept": "application/json",
        "accept-encoding": "identity",
        "anthropic-version": API_VERSION,
        "authorization": f"Bearer {key}",
        "content-type": "application/json",
    }

    async def hook(request: Any) -> None:  # noqa: ANN401  httpx2's
        for name in list(request.headers):
            if name.lower() not in OWN:
                del request.headers[name]
        request.headers.update(ours)

    return hook


def _bounded() -> Callable[[Any], Awaitable[None]]:
    """Return a hook that has an answer read so far and no further."""
    import httpx2  # noqa: PLC0415

    class Bounded(httpx2.AsyncByteStream):
        def __init__(self, stream: httpx2.AsyncByteStream) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            taken = 0
            async for chunk in self._stream:
                taken += len(chunk)
                if taken > BODY_LIMIT:
                    raise TooLarge(f"more than {BODY_LIMIT} bytes")
                yield chunk

        async def aclose(self) -> None:
            await self._stream.aclose()

    async def hook(response: Any) -> None:  # noqa: ANN401  httpx2's
        if response.headers.get("content-encoding", "identity") != "identity":
            raise TooLarge("the answer is packed")
        response.stream = Bounded(response.stream)

    return hook
