"""The way from Alertmanager to the webhook, which can be blocked, slow, lossy or doubled."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

Json = dict[str, Any]
Forward = Callable[[], Awaitable[web.Response]]  # hands the message on; may be called twice
Way = Callable[[Json, Forward], Awaitable[web.StreamResponse]]


class AnswerLost(Exception):
    """The message went through, and the connection broke before its answer did."""


async def passing(_: Json, forward: Forward) -> web.StreamResponse:
    """Hand on the message and the answer."""
    return await forward()


async def twice_at_once(_: Json, forward: Forward) -> web.StreamResponse:
    """Hand on the message twice within the same millisecond."""
    first, _second = await asyncio.gather(forward(), forward())
    return first


def answering(status: int, **headers: str) -> Way:
    """Answer *status* in place of the webhook, which learns nothing."""

    async def way(_: Json, _forward: Forward) -> web.StreamResponse:
        return web.Response(status=status, headers=headers)

    return way


def losing_answers(count: int) -> Way:
    """Hand on every message, and lose the first *count* answers."""
    left = count

    async def way(_: Json, forward: Forward) -> web.StreamResponse:
        nonlocal left
        answer = await forward()
        if left:
            left -= 1
            raise AnswerLost
        return answer

    return way


def answering_after(wait: asyncio.Event) -> Way:
    """Hand on every message at once, and the answer only after *wait* is set."""

    async def way(_: Json, forward: Forward) -> web.StreamResponse:
        answer = await forward()
        await wait.wait()
        return answer

    return way


@dataclass(frozen=True, slots=True)
class Parked:
    """Messages that wait at the door until the test lets each in."""

    waiting: list[tuple[Json, asyncio.Event]] = field(default_factory=list)

    async def way(self, told: Json, forward: Forward) -> web.StreamResponse:
        """Let the message wait."""
        let_in = asyncio.Event()
        self.waiting.append((told, let_in))
        await let_in.wait()
        return await forward()


class Doorway:
    """A recording proxy; it knows only the messages *about* the case at hand."""

    def __init__(self, port: int, webhook: str, about: Callable[[Json], bool]) -> None:
        self.way: Way = passing
        self.arrived: list[Json] = []  # what Alertmanager sent
        self.stored: list[Json] = []  # what the webhook answered with 200
        self._port, self._webhook, self._about = port, webhook, about
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where Alertmanager finds it."""
        return f"http://127.0.0.1:{self._port}/alerts"

    def open_way(self) -> None:
        """Let everything pass from now on."""
        self.way = passing

    async def open(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/alerts", self._take)
        app.router.add_get("/login", self._login)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def shut(self) -> None:
        """Refuse connections, as when the webhook is down."""
        if self._runner:
            await self._runner.cleanup()
        self._runner = None

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        told: Json = await request.json()
        if not self._about(told):  # of a case before this one, which is over
            return web.Response()
        self.arrived.append(told)

        async def forward() -> web.Response:
            return await self._forward(request, body, told)

        try:
            answer = await self.way(told, forward)
        except AnswerLost:
            if request.transport:
                request.transport.abort()
            return web.Response()
        answer.force_close()  # a kept connection would get round a doorway that is shut
        return answer

    async def _forward(self, request: web.Request, body: bytes, told: Json) -> web.Response:
        kept = ("Authorization", "Content-Type", "User-Agent")
        headers = {name: request.headers[name] for name in kept if name in request.headers}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._webhook, data=io.BytesIO(body), headers=headers) as answer,
        ):
            if answer.status == web.HTTPOk.status_code:
                self.stored.append(told)
            return web.Response(status=answer.status, body=await answer.read())

    async def _login(self, _: web.Request) -> web.Response:
        return web.Response(text="log in, please")
