"""The door of the demo fleet: lets the other containers in, and each no further than it may.

    exporter, webhook ─── GET ───────────────► the projects     on loopback,
    webhook ───────────── POST with a token ─► the supervisor   in one container

The fleet listens on loopback only, because it does not ask who calls, and so do we leave it. What
is open can be read and not changed; what is guarded asks for a token, whatever is done.
"""

import asyncio
import hmac
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import click
from aiohttp import web
from multidict import CIMultiDictProxy
from yarl import URL

from orchestrator import log, loopback, secret
from orchestrator.errors import OrchestratorError
from orchestrator.loopback import Address

READING = ("GET", "HEAD")
# What a caller and the fleet tell each other beside the body; the Host has to be the fleet's own.
ASKED = ("Accept", "Content-Type", "Idempotency-Key")
ANSWERED = ("Content-Type", "Idempotency-Replayed")
GOODBYE = 0.1  # seconds for answers on their way


class Unreadable(OrchestratorError):
    """The token cannot be read, so nobody could be let in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where we listen, whom we ask in turn, and the token without which we do not; None: open."""

    listen: Address
    target: Address
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Doorway:
    """One way, as its handler needs it."""

    way: Way
    http: aiohttp.ClientSession


DOORWAY = web.AppKey("doorway", Doorway)


def application(way: Way, http: aiohttp.ClientSession) -> web.Application:
    """Return what listens at one end of *way*; *http* asks at the other."""
    app = web.Application()
    app[DOORWAY] = Doorway(way, http)
    app.router.add_route("*", "/{path:.*}", _through)
    return app


async def _through(request: web.Request) -> web.Response:
    doorway = request.app[DOORWAY]
    _admit(request, doorway.way.token)
    url = URL(f"http://{doorway.way.target}{request.raw_path}", encoded=True)  # as it came
    try:
        async with doorway.http.request(
            request.method,
            url,
            data=await request.read(),
            headers=_kept(request.headers, ASKED),
            allow_redirects=False,
        ) as answer:
            body = await answer.read()
            headers = _kept(answer.headers, ANSWERED)
            return web.Response(status=answer.status, body=body, headers=headers)
    except aiohttp.ClientError:
        # Cut off, as the caller would have been without us: an answer of ours would say that
        # something there is alive.
        if request.transport:
            request.transport.abort()
        raise web.HTTPBadGateway from None


def _admit(request: web.Request, token: str | None) -> None:
    if token is None:
        if request.method not in READING:
            raise web.HTTPMethodNotAllowed(request.method, READING)
        return
    shown = request.headers.get("Authorization", "")
    if not hmac.compare_digest(shown.encode(), f"Bearer {token}".encode()):
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})


def _kept(headers: CIMultiDictProxy[str], names: Sequence[str]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}


@asynccontextmanager
async def standing(ways: Sequence[Way]) -> AsyncIterator[None]:
    """Stand at every one of *ways* for the length of the block; raise CannotListen.

    Each request has a connection of its own, as one kept leads to a process that was restarted.
    Nothing ends it but its caller: how long to wait is the caller's to say.
    """
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True),
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,
            )
        )
        for way in ways:
            runner = web.AppRunner(
                application(way, http), shutdown_timeout=GOODBYE, handler_cancellation=True
            )
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await loopback.bind(runner, way.listen)
        yield


async def _stand(ways: Sequence[Way]) -> None:
    told_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_end.set)
    async with standing(ways):
        await told_to_end.wait()


def _way(listen: str, target: str, token: str | None) -> Way:
    there = loopback.address(target)
    return Way(listen=loopback.address(listen, authenticated=True), target=there, token=token)


def _token(path: Path) -> str:
    try:
        return secret.from_file(path)
    except ValueError as error:
        raise Unreadable(str(error)) from error


@click.command()
@click.option("--open", "opened", nargs=2, multiple=True, help="Where to listen, and who is asked.")
@click.option("--guarded", nargs=2, multiple=True, help="The same, for those who have the token.")
@click.option(
    "--token-file", required=True, type=click.Path(path_type=Path), help="Holds that token."
)
@log.level_option
def main(
    opened: Sequence[tuple[str, str]],
    guarded: Sequence[tuple[str, str]],
    token_file: Path,
    log_level: str,
) -> None:
    """Let other containers read from loopback, and those with the token do all."""
    log.to_stderr(log_level)
    try:
        token = _token(token_file)
        ways = [
            *(_way(*each, None) for each in opened),
            *(_way(*each, token) for each in guarded),
        ]
        asyncio.run(_stand(ways))
    except OrchestratorError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main(prog_name="python -m deploy.door")
