"""The fleet: does each project keep the contract, and can its control be reached."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from orchestrator import fetch, health, probe, secret, tls
from orchestrator.answer import IN_WORDS
from orchestrator.clock import Clock
from orchestrator.config import Config
from orchestrator.doctor import certificate
from orchestrator.doctor.finding import Finding, Mark, fail, ok, warn
from orchestrator.health import Probe, State
from orchestrator.hub import unconnected
from orchestrator.project import Mode, Project

ABOUT = "project"
AT_ONCE = 50  # projects
CONTROL_WITHIN = 3.0  # seconds to connect
FEW = 5  # projects of which each good one has a line of its own


async def examine(config: Config, now: Clock) -> list[Finding]:
    """Look at every project; commands are sent to none."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with fetch.connections(keep=False) as ways:

        async def one(project: Project) -> list[Finding]:
            async with gate:
                return await _project(ways, project, now)

        found = await asyncio.gather(*map(one, config.projects.values()))
    return _summed_up(found)


def _summed_up(found: Sequence[Sequence[Finding]]) -> list[Finding]:
    """Name every project of a few, and of many those with something wrong."""
    every = [finding for each in found for finding in each]
    if len(found) <= FEW:
        return every
    bad = [each for each in every if each.mark is not Mark.OK]
    good = sum(all(each.mark is Mark.OK for each in project) for project in found)
    return [*bad, ok(ABOUT, f"{good} of {len(found)} projects are as they should be")]


async def _project(ways: aiohttp.ClientSession, project: Project, now: Clock) -> list[Finding]:
    try:
        probes = await probe.confirmed(partial(probe.ask, ways, project))
    except (fetch.OutOfResources, tls.BadTls) as error:
        return [fail(ABOUT, f"{project.name}: cannot be asked: {error}", "mend that here")]
    return [
        health_of(project, health.verdict(probes)),
        *await _control(project),
        *await _certificate(project, now),
    ]


def health_of(project: Project, seen: Probe) -> Finding:
    """Judge the answer to `/health`."""
    who = f"{project.name} at {project.url}"
    why = IN_WORDS[seen.reason] if seen.reason else ""
    match seen.state:
        case State.DOWN:
            do = f"start it, or correct its `url`; {project.paths.health} has to keep the contract"
            return fail(ABOUT, f"{who} is down: {why}", f"{do} (docs/endpoint-contract.md)")
        case State.DEGRADED | State.PAUSED:
            return warn(ABOUT, f"{who} is {seen.state}", "nothing, if you know why")
        case State.HEALTHY:
            if why:
                return warn(ABOUT, f"{who}: {why}", "see docs/endpoint-contract.md")
            return ok(ABOUT, f"{who} is healthy, after {seen.seconds * 1000:.0f} ms")


async def _control(project: Project) -> list[Finding]:
    worse = fail if project.mode is Mode.ACT else warn
    parts = urlsplit(project.control.url)
    where = f"{project.name}: its control at {project.control.url}"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    token = project.control.token_file
    found = [] if token is None else [_token(project.name, token)]
    try:
        async with asyncio.timeout(CONTROL_WITHIN):
            _, writer = await asyncio.open_connection(parts.hostname, port)
            writer.transport.abort()
    except OSError as error:  # TimeoutError among them
        why = unconnected(error)
        do = "start what commands are sent to, or correct `control.url`: nothing can be repaired"
        return [*found, worse(ABOUT, f"{where} cannot be reached: {why}", do)]
    return [*found, ok(ABOUT, f"{where} can be reached; nothing was commanded")]


def _token(name: str, path: Path) -> Finding:
    try:
        secret.from_file(path)
    except ValueError as error:
        do = "each command is refused without it; mend the file"
        return fail(ABOUT, f"{name}: control.token_file: {error}", do)
    if open_to_others(path):
        return warn(ABOUT, f"{name}: others on this machine can read {path}", f"chmod 600 {path}")
    return ok(ABOUT, f"{name}: its token can be read, by nobody else")


def open_to_others(path: Path, bits: int = 0o077) -> bool:
    """Tell whether somebody else may do with the file what *bits* say."""
    return bool(path.stat().st_mode & bits)


async def _certificate(project: Project, now: Clock) -> list[Finding]:
    parts = urlsplit(project.url)
    if parts.scheme != "https" or not project.tls.verify:
        return []
    return await certificate.examine(
        ABOUT,
        (parts.hostname or "", parts.port or 443),
        tls.context(project.tls),
        now(),
        server_name=project.tls.server_name,
    )
