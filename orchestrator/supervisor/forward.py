"""A project's own endpoints, as far as the supervisor calls them."""

import asyncio
import json
from dataclasses import dataclass

import aiohttp

from orchestrator.supervisor.command import KEY, Command, Outcome, State

PATIENCE = aiohttp.ClientTimeout(total=5)  # seconds for a command or a fault
GLANCE = aiohttp.ClientTimeout(total=1)  # seconds for one look whether a project answers
BODY_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a project said to a fault: an HTTP status, and a JSON object."""

    status: int
    body: dict[str, object]


def session() -> aiohttp.ClientSession:
    """Return a client for all projects; use it as a context manager.

    Each request has a connection of its own, for one kept from before a restart leads to a process
    that is gone, and a POST that failed on it could not be sent again.
    """
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))


async def answers(http: aiohttp.ClientSession, url: str) -> bool:
    """Tell whether *url* gives any HTTP answer at all."""
    try:
        async with http.get(url, timeout=GLANCE, allow_redirects=False):
            return True
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


async def carry_out(http: aiohttp.ClientSession, url: str, command: Command) -> Outcome:
    """Hand *command* to the project itself; whatever goes wrong is a failed outcome."""
    try:
        async with http.post(
            f"{url}/control",
            json={"action": command.action},
            headers={KEY: command.key},
            timeout=PATIENCE,
            allow_redirects=False,
        ) as response:
            return _outcome(response.status, await _bounded(response))
    except TimeoutError:
        detail = f"{command.project} did not answer within {PATIENCE.total} s"
    except (aiohttp.ClientError, OSError) as error:
        detail = f"{command.project} cannot be reached: {error}"
    return Outcome(State.FAILED, detail)


async def fault(http: aiohttp.ClientSession, method: str, url: str) -> Answer | None:
    """Ask the project to begin (POST) or end (DELETE) a fault; None when it does not answer."""
    try:
        async with http.request(method, url, timeout=PATIENCE, allow_redirects=False) as response:
            return Answer(response.status, _object(await _bounded(response)))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return None


def _outcome(status: int, body: bytes) -> Outcome:
    try:
        written = _object(body)
        if status == 200:  # noqa: PLR2004  the one status of an answered command
            return Outcome(State(str(written["state"])), str(written["detail"]))
        return Outcome(State.FAILED, f"the project answered HTTP {status}: {written['error']}")
    except (ValueError, KeyError):
        detail = f"the project answered HTTP {status}, and not as the endpoint contract says"
        return Outcome(State.FAILED, detail)


def _object(body: bytes) -> dict[str, object]:
    """Read a JSON object; raise ValueError for anything else."""
    try:
        written = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(written, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  one error for every wrong body
    return written


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    try:
        return await response.content.readexactly(BODY_LIMIT)
    except asyncio.IncompleteReadError as whole:
        return whole.partial
