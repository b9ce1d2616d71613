"""Faults: what a demo project is made to suffer. All but one it does to itself."""

from dataclasses import asdict, dataclass

import aiohttp

from orchestrator.clock import Clock, written
from orchestrator.supervisor import forward
from orchestrator.supervisor.command import State
from orchestrator.supervisor.control import start
from orchestrator.supervisor.forward import Answer
from orchestrator.supervisor.process import Child

KILLED = "process_killed"

_OK, _BAD_REQUEST, _CONFLICT = 200, 400, 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """A fault that began or ended. `at` is the instant just before."""

    project: str
    fault: str
    at: str


async def begin(child: Child, name: str, *, query: str, http: aiohttp.ClientSession) -> Answer:
    """Begin the fault *name*; the answer comes once it shows."""
    if name != KILLED:
        return await _by_the_project(child, "POST", f"{name}?{query}" if query else name, http)
    if query:
        return _refusal(_BAD_REQUEST, f"{KILLED} does not end by itself; DELETE it, or restart")
    at = await child.kill()
    if at is None:
        return _not_running(child)
    return _done(child, name, written(at))


async def end(child: Child, name: str, *, http: aiohttp.ClientSession, clock: Clock) -> Answer:
    """End the fault *name*, also when it never began."""
    if name != KILLED:
        return await _by_the_project(child, "DELETE", name, http)
    at = written(clock())
    outcome = await start(child, http)
    if outcome.state is State.FAILED:
        return _refusal(_CONFLICT, outcome.detail)
    return _done(child, name, at)


async def _by_the_project(
    child: Child, method: str, path: str, http: aiohttp.ClientSession
) -> Answer:
    if not child.running:
        return _not_running(child)
    answer = await forward.fault(http, method, f"{child.service.url}/faults/{path}")
    return answer or _refusal(_CONFLICT, f"{child.service.name} runs, but does not answer")


def _done(child: Child, name: str, at: str) -> Answer:
    return Answer(_OK, asdict(Injected(project=child.service.name, fault=name, at=at)))


def _not_running(child: Child) -> Answer:
    return _refusal(_CONFLICT, f"{child.service.name} does not run, so nothing can be done to it")


def _refusal(status: int, error: str) -> Answer:
    return Answer(status, {"error": error})
