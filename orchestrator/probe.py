"""Probing: one question to one project's `/health`, asked again before it counts as down."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp

from orchestrator import fetch
from orchestrator.health import Probe, judge
from orchestrator.project import Project

LOOK_AGAIN = 0.02  # seconds
CONFIRM_AFTER = 0.5  # seconds from a failed or unanswered probe to the one that confirms it


async def ask(session: aiohttp.ClientSession, project: Project) -> Probe:
    """Ask *project* how it is, over a connection of its own.

    A project that fails in any way is a Probe; raises fetch.OutOfResources when we failed.
    """
    asked = fetch.question(project, project.paths.health)
    answer = await fetch.fetch(session, asked, fresh=True)
    return judge(answer, slow_after=project.slow_after.total_seconds())


async def confirmed(ask_once: Callable[[], Awaitable[Probe]]) -> tuple[Probe, ...]:
    """Ask once; when that fails, or stays unanswered, ask a second time. Return each probe made.

    One good answer among them is up, so the loss of a single packet restarts nothing, although
    ProjectDown fires at once. A question that hangs gets its confirmation beside it, not after:
    so being sure costs half a second, and not another timeout.
    """
    beside = _Beside(ask_once)
    try:
        first = await ask_once()
        if beside.second:
            return first, await beside.second
        beside.cancel()
        if first.up:
            return (first,)
        await asyncio.sleep(CONFIRM_AFTER)
        return first, await ask_once()
    finally:
        beside.cancel()


class _Beside:
    """A second question that begins when the first stays unanswered.

    It looks twice before it begins. Where our own loop is late, answers that have arrived are
    read between the two looks; else lateness would double the questions, and so feed itself.
    """

    def __init__(self, ask_once: Callable[[], Awaitable[Probe]]) -> None:
        self.second: asyncio.Future[Probe] | None = None
        self._ask_once = ask_once
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(CONFIRM_AFTER - LOOK_AGAIN, self._look_again)

    def _look_again(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_AGAIN, self._begin)

    def _begin(self) -> None:
        self.second = asyncio.ensure_future(self._ask_once())

    def cancel(self) -> None:
        self._timer.cancel()
        if self.second:
            self.second.cancel()
