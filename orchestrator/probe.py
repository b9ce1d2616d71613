"""A probe: one question to one project's `/health`, and what its answer means."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from time import perf_counter

import aiohttp

from orchestrator.project import Project

BODY_LIMIT = 64 * 1024  # bytes of an answer that are read; a health answer has about a hundred


class State(StrEnum):
    """How a project is. Paused is a choice of its operator, so it counts as up."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    PAUSED = "paused"
    DOWN = "down"


class Reason(StrEnum):
    """Why a probe found a project down; bounded, for it becomes a label."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    CONNECTION = "connection"  # no route, no name, reset, not HTTP
    STATUS = "status"  # answered, and not with 200
    BODY = "body"  # 200, and not what the endpoint contract says


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The result of one probe; `reason` is None exactly when the project is up."""

    state: State
    reason: Reason | None
    seconds: float

    @property
    def up(self) -> bool:
        """Whether the project answers for itself (also when it says degraded or paused)."""
        return self.state is not State.DOWN


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


def judge(status: int, body: bytes) -> tuple[State, Reason | None]:
    """Say what an HTTP answer of `/health` means, by docs/endpoint-contract.md."""
    if status != 200:  # noqa: PLR2004  the one status that means up
        return State.DOWN, Reason.STATUS
    try:
        state = State(json.loads(body)["status"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return State.DOWN, Reason.BODY
    return state, Reason.BODY if state is State.DOWN else None


def _total(timeout: timedelta) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=timeout.total_seconds())


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    try:
        return await response.content.readexactly(BODY_LIMIT)
    except asyncio.IncompleteReadError as whole:
        return whole.partial
