"""The demo: break a project of a running stack, and tell what happens until it is over."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

import aiohttp

from orchestrator import clock, duration
from orchestrator.demo import binaries, timeline
from orchestrator.demo.fault import FAULTS
from orchestrator.demo.launch import check, running
from orchestrator.demo.screen import Screen
from orchestrator.demo.stack import PROJECTS, Stack
from orchestrator.demo.timeline import Report, Run, seconds_after, told
from orchestrator.errors import OrchestratorError

TICK = 0.1

Outcome = TypeVar("Outcome")


class SupervisorEnded(OrchestratorError):
    """The supervisor was killed, or failed, while the demo went on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a run, and whether it is what should have."""

    report: Report
    as_expected: bool


async def play(
    stack: Stack, run: Run, screen: Screen, then: Callable[[Result], Awaitable[None]]
) -> Result:
    """Start *stack*, break the project of *run*, and follow it to the end.

    *then* is told the result while everything still runs; whatever happens, nothing that was
    started lives on. Raises NoCheckout, PortTaken, NotReady.
    """
    check(stack.checkout, stack.ports)
    versions = {
        "prometheus": binaries.version(stack.binaries.prometheus),
        "alertmanager": binaries.version(stack.binaries.alertmanager),
    }
    screen.line(
        f"starting {len(PROJECTS)} projects, exporter, webhook,"
        f" Prometheus {versions['prometheus']} and Alertmanager {versions['alertmanager']} ..."
    )
    if stack.stand_in:
        screen.line("no ANTHROPIC_API_KEY: a stand-in answers for Claude, by simple rules")
    async with running(stack) as (session, supervisor):
        story = asyncio.create_task(_story(session, stack, run, screen, versions))
        result = await _while_alive(supervisor, story)
        await _while_alive(supervisor, asyncio.ensure_future(then(result)))
    return result


async def _story(
    session: aiohttp.ClientSession,
    stack: Stack,
    run: Run,
    screen: Screen,
    versions: Mapping[str, str],
) -> Result:
    began = await inject(session, stack, run)
    screen.at(0.0, f"{run.project} is broken: {run.fault}. {FAULTS[run.fault].sentence}")
    events = await _follow(session, stack, run, began, screen)
    report = timeline.report(
        run,
        injected_at=began,
        events=events,
        incident=await _incident(session, stack, run),
        versions=versions,
    )
    right = bool(events) and events[-1]["name"] in run.expected
    return Result(report=report, as_expected=right)


async def _while_alive(
    supervisor: asyncio.subprocess.Process, work: asyncio.Future[Outcome]
) -> Outcome:
    """Return what *work* returns; raise SupervisorEnded when there is nothing left to watch."""
    ended = asyncio.ensure_future(supervisor.wait())
    either: set[asyncio.Future[Any]] = {work, ended}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        raise SupervisorEnded("the supervisor ended, and with it everything that it ran")
    finally:
        work.cancel()
        ended.cancel()


async def inject(session: aiohttp.ClientSession, stack: Stack, run: Run) -> datetime:
    """Break the project of *run*; return the instant of it."""
    url = f"{stack.url('supervisor')}/faults/{run.project}/{run.fault}"
    query = {"for": duration.text(run.length)} if run.length else {}
    async with session.post(url, params=query) as response:
        if response.status != HTTPStatus.OK:
            raise OrchestratorError(f"{run.fault}: {(await response.text()).strip()}")
        return clock.read((await response.json())["at"])


async def _follow(
    session: aiohttp.ClientSession, stack: Stack, run: Run, began: datetime, screen: Screen
) -> list[dict[str, Any]]:
    """Tell the events of the project until the one that ends the story, or until none come."""
    seen: list[dict[str, Any]] = []
    after, latest = 0, began
    while (now := clock.now()) - latest < stack.pace.give_up_after:
        for event in await _events(session, stack, after):
            after = event["id"]
            if event["project"] != run.project:
                continue
            seen.append(event)
            latest = now
            screen.at(seconds_after(began, event), told(event), name=event["name"])
            if run.is_end(event):
                return seen
        screen.waiting((now - began).total_seconds(), _awaited(seen))
        await asyncio.sleep(TICK)
    gave_up = duration.text(stack.pace.give_up_after)
    screen.line(f"nothing more within {gave_up}: giving up")
    return seen


def _awaited(seen: list[dict[str, Any]]) -> str:
    """Say what the next news will be about."""
    if not seen:
        return "bad probes or figures, a scrape, an evaluation, a notification"
    return {
        "ActionStarted": "the command is on its way",
        "ActionExecuted": "waiting for a good probe",
        "RecoveryObserved": "waiting for Prometheus and Alertmanager to agree",
        "RESTART_FAILED": "deciding what is next",
        "Mitigated": "waiting until it has been calm for long enough",
    }.get(seen[-1]["name"], "looking closer")


async def _events(session: aiohttp.ClientSession, stack: Stack, after: int) -> list[dict[str, Any]]:
    url = f"{stack.url('webhook')}/api/v1/events"
    with suppress(aiohttp.ClientError, TimeoutError):  # it may be on its way up again
        async with session.get(url, params={"after": after}) as response:
            if response.status == HTTPStatus.OK:
                found: list[dict[str, Any]] = (await response.json())["events"]
                return found
    return []


async def _incident(
    session: aiohttp.ClientSession, stack: Stack, run: Run
) -> dict[str, Any] | None:
    async with session.get(f"{stack.url('webhook')}/api/v1/incidents") as response:
        found = (await response.json())["incidents"]
    return next((each for each in found if each["project"] == run.project), None)
