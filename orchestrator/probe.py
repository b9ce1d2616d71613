"""Probing: one question to one project's `/health`, asked again before it counts as down."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import perf_counter

import aiohttp

from orchestrator.health import Probe, Reason, State, judge
from orchestrator.project import Project

BODY_LIMIT = 64 * 1024  # bytes of an answer that are read; a health answer has about a hundred
CONFIRM_AFTER = 0.5  # seconds from a failed or unanswered probe to the one that confirms it


async def ask(session: aiohttp.ClientSession, project: Project) -> Probe:
    """Ask *project* how it is; a project that fails in any way is a Probe, never an exception."""
    began = perf_counter()
    try:
        async with session.get(
            f"{project.url}/health", timeout=_total(project.timeout), allow_redirects=False
        ) as response:
            state, reason = judge(response.status, await _bounded(response))
    except TimeoutError:
        state, reason = State.DOWN, Reason.TIMEOUT
    except aiohttp.ClientConnectorError as error:
        refused = isinstance(error.os_error, ConnectionRefusedError)
        state, reason = State.DOWN, Reason.REFUSED if refused else Reason.CONNECTION
    except (aiohttp.ClientError, OSError, ValueError):  # ValueError: a URL or header beyond HTTP
        state, reason = State.DOWN, Reason.CONNECTION
    return Probe(state=state, reason=reason, seconds=perf_counter() - began)


async def confirmed(ask_once: Callable[[], Awaitable[Probe]]) -> tuple[Probe, ...]:
    """Ask once; when that fails, or stays unanswered, ask a second time. Return each probe made.

    One good answer among them is up, so the loss of a single packet restarts nothing, although
    ProjectDown fires at once. A question that hangs gets its confirmation beside it, not after:
    so being sure costs half a second, and not another timeout.
    """
    first = asyncio.ensure_future(ask_once())
    try:
        done, _ = await asyncio.wait({first}, timeout=CONFIRM_AFTER)
        if not done:
            return tuple(await asyncio.gather(first, ask_once()))
        if first.result().up:
            return (first.result(),)
        await asyncio.sleep(CONFIRM_AFTER)
        return first.result(), await ask_once()
    finally:
        first.cancel()


def _total(timeout: timedelta) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=timeout.total_seconds())


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    try:
        return await response.content.readexactly(BODY_LIMIT)
    except asyncio.IncompleteReadError as whole:
        return whole.partial
