"""The way of a command from the webhook to the supervisor, with an eye on what it rests on."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import aiohttp
from aiohttp import web

from orchestrator import clock
from tests.chaos.prey import Prey
from tests.chaos.site import Site
from tests.chaos.story import Moment

ANSWER_WITHIN = aiohttp.ClientTimeout(total=60)


@dataclass(frozen=True, slots=True)
class Sent:
    """A command on its way to the supervisor and back."""

    key: str
    service: str
    began: datetime
    ended: datetime


class Gateway:
    """Forwards commands; at each it sees whether its intent is stored, as it has to be."""

    def __init__(self, site: Site, prey: Prey, http: aiohttp.ClientSession) -> None:
        self.sent: list[Sent] = []
        self.complaints: list[str] = []
        self._site, self._prey, self._http = site, prey, http

    def app(self) -> web.Application:
        """Return the application that takes the commands of all projects."""
        app = web.Application()
        app.router.add_post("/{service}/control", self._take)
        return app

    async def _take(self, request: web.Request) -> web.Response:
        service, key = request.match_info["service"], request.headers["Idempotency-Key"]
        body = await request.read()
        self._see_intent(key)
        kill = await self._prey.at(Moment.INTENDED)
        if kill and kill.lost:
            return web.Response(status=500)  # which nobody is there to read
        began = clock.now()
        forwarding = asyncio.create_task(self._forward(service, key, body))
        await self._prey.at(Moment.EXECUTING)
        answer = await forwarding
        self.sent.append(Sent(key, service, began, clock.now()))
        await self._prey.at(Moment.EXECUTED)
        return answer

    async def _forward(self, service: str, key: str, body: bytes) -> web.Response:
        url = f"{self._site.url}/control/{service}"
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        async with self._http.post(
            url, data=body, headers=headers, timeout=ANSWER_WITHIN
        ) as answer:
            return web.Response(
                status=answer.status, body=await answer.read(), content_type=answer.content_type
            )

    def _see_intent(self, key: str) -> None:
        stored = [
            row["state"] for row in self._prey.rows("SELECT * FROM actions WHERE key = ?", key)
        ]
        if stored != ["executing"]:
            self.complaints.append(f"command {key} came out, and its intent stands as {stored}")
