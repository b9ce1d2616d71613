"""The demo: start the stack, break a project, tell what happens, end everything."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from orchestrator import clock, duration
from orchestrator.demo import binaries, timeline
from orchestrator.demo.fault import FAULTS
from orchestrator.demo.screen import Screen
from orchestrator.demo.stack import PROGRAMS_NEED, PROJECTS, Stack, write
from orchestrator.demo.timeline import Report, Run, seconds_after, told
from orchestrator.errors import OrchestratorError
from orchestrator.supervisor.leash import leashed

READY_WITHIN = 60.0  # seconds until every program answers; a cold start takes five
END_WITHIN = 8.0  # seconds for the supervisor to end its children, before it is killed
TICK = 0.1

Outcome = TypeVar("Outcome")
ANSWER_WITHIN = aiohttp.ClientTimeout(total=10)


class NoCheckout(OrchestratorError):
    """The demo was started where the programs of the checkout are not."""


class PortTaken(OrchestratorError):
    """A port that the demo needs is in use."""


class SupervisorEnded(OrchestratorError):
    """The supervisor was killed, or failed, while the demo went on."""


class NotReady(OrchestratorError):
    """A program of the stack did not come up."""


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


@asynccontextmanager
async def running(
    stack: Stack,
) -> AsyncIterator[tuple[aiohttp.ClientSession, asyncio.subprocess.Process]]:
    """Run *stack* from ready to ended; yield a client for it, and its supervisor.

    Raises NotReady, with what the programs last said.
    """
    services = write(stack)
    listen = f"127.0.0.1:{stack.ports['supervisor']}"
    command = [sys.executable, "-m", "orchestrator.supervisor", str(services), "--listen", listen]
    with (stack.folder / "supervisor.log").open("wb") as log:
        supervisor = await asyncio.create_subprocess_exec(
            *leashed(command, parent=os.getpid()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us; we end the others in order
        )
    try:
        async with aiohttp.ClientSession(timeout=ANSWER_WITHIN) as session:
            await _until_ready(session, stack, supervisor)
            yield session, supervisor
    finally:
        await asyncio.shield(_end(supervisor))


async def _end(supervisor: asyncio.subprocess.Process) -> None:
    if supervisor.returncode is None:
        supervisor.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(supervisor.wait(), END_WITHIN)
        except TimeoutError:
            supervisor.kill()
            await supervisor.wait()


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
    """Tell the events of the project until the one that ends the story, or until too late."""
    seen: list[dict[str, Any]] = []
    after = 0
    while (passed := clock.now() - began) < stack.pace.give_up_after:
        for event in await _events(session, stack, after):
            after = event["id"]
            if event["project"] != run.project:
                continue
            seen.append(event)
            screen.at(seconds_after(began, event), told(event), name=event["name"])
            if run.is_end(event):
                return seen
        screen.waiting(passed.total_seconds(), _awaited(seen))
        await asyncio.sleep(TICK)
    gave_up = duration.text(stack.pace.give_up_after)
    screen.line(f"nothing more within {gave_up}: giving up")
    return seen


def _awaited(seen: list[dict[str, Any]]) -> str:
    """Say what the next news will be about."""
    if not seen:
        return "two failed probes, a scrape, an evaluation, a notification"
    return {
        "ActionStarted": "the command is on its way",
        "ActionExecuted": "waiting for a good probe",
        "RecoveryObserved": "waiting for Prometheus and Alertmanager to agree",
        "RESTART_FAILED": "deciding what is next",
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


async def _until_ready(
    session: aiohttp.ClientSession, stack: Stack, supervisor: asyncio.subprocess.Process
) -> None:
    missing = "everything"
    with suppress(TimeoutError):
        async with asyncio.timeout(READY_WITHIN):
            while supervisor.returncode is None:
                lacking = await _lacking(session, stack)
                if lacking is None:
                    return
                missing = lacking
                await asyncio.sleep(TICK)
    raise NotReady(f"{missing} did not come up.{_last_words(stack.folder, missing)}")


async def _lacking(session: aiohttp.ClientSession, stack: Stack) -> str | None:
    """Name the first part that is not ready yet; None when a fault would be noticed."""
    ready = {
        "supervisor": "/-/healthy",
        "webhook": "/-/healthy",
        "exporter": "/-/healthy",
        "alertmanager": "/-/ready",
        "prometheus": "/-/ready",
    }
    name = "supervisor"
    try:
        for name, path in ready.items():
            async with session.get(stack.url(name) + path) as response:
                if response.status != HTTPStatus.OK:
                    return name
        api = f"{stack.url('prometheus')}/api/v1"
        async with session.get(f"{api}/query", params={"query": "project_up == 1"}) as response:
            up = (await response.json())["data"]["result"]
        async with session.get(f"{api}/alertmanagers") as response:
            peers = (await response.json())["data"]["activeAlertmanagers"]
    except (aiohttp.ClientError, TimeoutError):
        return name
    return None if len(up) == len(PROJECTS) and peers else "prometheus"


def _last_words(folder: Path, name: str) -> str:
    for path in (folder / "state" / "output" / f"{name}.log", folder / "supervisor.log"):
        if path.exists() and path.stat().st_size:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
            return "\nThe last it said:\n  " + "\n  ".join(lines)
    return ""


def check(checkout: Path, ports: Mapping[str, int]) -> None:
    """Raise NoCheckout or PortTaken when the demo cannot run from *checkout* on *ports*."""
    missing = [name for name in PROGRAMS_NEED if not (checkout / name).is_dir()]
    if missing:
        raise NoCheckout(
            f"the demo runs in a checkout of orchestrator, and {checkout} has no"
            f" {' and no '.join(missing)}; cd to the checkout first"
        )
    chosen = list(ports.values())
    shared = [name for name, port in ports.items() if chosen.count(port) > 1]
    if shared:
        raise PortTaken(f"{' and '.join(shared)} need a port each; choose others with --port")
    taken = [f"{port} ({name})" for name, port in ports.items() if _is_taken(port)]
    if taken:
        raise PortTaken(
            f"taken by another program: port {', port '.join(taken)};"
            " end it, or choose another with --port NAME=PORT"
        )


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
