"""E29 with the real supervisor: what it was asked around the death of the webhook, it did once."""

import os
import signal
from collections.abc import Callable

import aiohttp
import pytest
from aiohttp import web

from tests.cases.lookout import rows, until_told
from tests.conftest import Serve
from tests.e2e.conftest import Json, Live, Start, ports, start
from tests.e2e.people import reconfigure

__all__ = ["ports", "start"]  # fixtures

pytestmark = [pytest.mark.e2e, pytest.mark.long]

UNSENT, UNANSWERED = "email-blast", "chatbot"


class Between:
    """Stands between webhook and supervisor, and kills the webhook at each project's first command.

    Once before the command is handed on, and once when it was carried out and not answered.
    """

    def __init__(self, live: Live) -> None:
        self.asked: list[tuple[str, str]] = []  # project and key, of every request
        self._live = live

    def app(self) -> web.Application:
        """Return the application that the webhook asks."""
        app = web.Application()
        app.router.add_post("/control/{project}", self._take)
        return app

    async def _take(self, request: web.Request) -> web.StreamResponse:
        project = request.match_info["project"]
        first = project not in {each for each, _ in self.asked}
        self.asked.append((project, request.headers["Idempotency-Key"]))
        if first and project == UNSENT:
            return await self._kill(request)
        answer = await self._hand_on(request)
        return await self._kill(request) if first and project == UNANSWERED else answer

    async def _hand_on(self, request: web.Request) -> web.Response:
        headers = {"Idempotency-Key": request.headers["Idempotency-Key"]}
        url = f"{self._live.stack.url('supervisor')}{request.path}"
        async with aiohttp.ClientSession() as session:
            asked = await request.json()
            async with session.post(url, json=asked, headers=headers) as answer:
                return web.json_response(await answer.json(), status=answer.status)

    async def _kill(self, request: web.Request) -> web.StreamResponse:
        pid = await self._live.pid("webhook")
        assert pid
        os.kill(pid, signal.SIGKILL)
        if request.transport:
            request.transport.abort()
        return web.Response()


async def test_e29_the_supervisor_does_once_what_it_was_asked_around_a_kill(
    start: Start, serve: Serve
) -> None:
    async with start() as live:
        between = Between(live)
        await reconfigure(live, _asking(await serve(between.app())))
        for project in (UNSENT, UNANSWERED):
            await live.inject(project, "process_killed")
            await until_told(live, project, "PROBLEM_RESOLVED")
        commands = [(each["project"], each["key"]) for each in await live.commands()]
    assert sorted({*between.asked}) == sorted(commands)
    assert [project for project, _ in between.asked] == [UNSENT] * 2 + [UNANSWERED] * 2
    assert _actions(live) == [(project, key, 1, "completed") for project, key in commands]


def _asking(url: str) -> Callable[[Json], None]:
    def edit(config: Json) -> None:
        for each in config["projects"]:
            each["control"] = {"url": f"{url}/control/{each['name']}"}

    return edit


def _actions(live: Live) -> list[tuple[str, str, int, str]]:
    found = rows(live, "SELECT * FROM actions ORDER BY created_at")
    return [(each["project"], each["key"], each["attempt"], each["state"]) for each in found]
