"""E14: a Prometheus that died has every alert "resolved", and nothing has recovered by that."""

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import yaml

from orchestrator.project import Mode
from orchestrator.supervisor.leash import leashed
from tests.cases.lookout import (
    incidents,
    until_ended,
    until_fires_again,
    until_held,
    until_looked_at,
    until_told,
)
from tests.e2e.conftest import Json, Live, Start, names_of, ports, start
from tests.e2e.people import People, people, tell
from tests.waiting import until

__all__ = ["people", "ports", "start"]  # fixtures

pytestmark = [pytest.mark.e2e, pytest.mark.long]

DOWN, FULL, SICK = "chatbot", "social-media", "email-blast"
EARLY = {FULL: {"memory": 0.6}}  # a leak is there within seconds
OVER = ("PROBLEM_RESOLVED", "IncidentClosed")
TWO_LOOKS = 2


async def test_e14_what_ends_with_prometheus_stays_open_and_goes_on_with_it(start: Start) -> None:
    """Of a project that does not answer, and of one that answers and has no memory left."""
    async with start(mode=Mode.OBSERVE, thresholds=EARLY) as live:
        await live.inject(DOWN, "process_killed")
        await live.inject(FULL, "memory_leak")
        for project in (DOWN, FULL):
            await until_held(live, project, "mode: observe; would ")
        await _killed(live)
        for project in (DOWN, FULL):
            await until_ended(live, project, 1)
        await until_held(live, DOWN, "the alert has ended, and chatbot does not answer")
        await until_held(live, FULL, "the alert has ended, and ")  # nobody says that it has
        for project in (DOWN, FULL):
            await until_looked_at(live, project, TWO_LOOKS)
        async with _back(live):
            for project in (DOWN, FULL):
                await until_fires_again(live, project)
                assert _nothing_is_over(await live.events(), project)
            await live.mend(DOWN, "process_killed")
            await live.mend(FULL, "memory_leak")
            for project in (DOWN, FULL):
                await until_told(live, project, "IncidentClosed")
        assert incidents(live) == {DOWN: ["closed"], FULL: ["closed"]}
        assert await live.commands() == []


async def test_e14_people_who_were_asked_hear_no_end_when_prometheus_dies(
    start: Start, people: People
) -> None:
    async with start() as live:
        await people.called_by(live)
        await live.inject(SICK, "disk_full")
        await people.until_heard("EscalationRequired", "firing")
        await _killed(live)
        await until_ended(live, SICK, 1)
        await until_looked_at(live, SICK, TWO_LOOKS)
        async with _back(live):
            await until_fires_again(live, SICK)
            assert incidents(live) == {SICK: ["escalated"]}
            assert people.heard("EscalationRequired") == ["firing"]
            assert _nothing_is_over(await live.events(), SICK)
            await live.mend(SICK, "disk_full")
            await tell(live, SICK, "restart_service")
            await people.until_heard("EscalationRequired", "firing", "resolved")
        assert names_of(await live.events(), SICK)[-1] == "IncidentClosed"


async def test_e14_a_prometheus_that_comes_back_with_nothing_is_no_proof_either(
    start: Start,
) -> None:
    """As after the loss of its disk: until the first scrape, it holds no alert of anything."""
    async with start(mode=Mode.OBSERVE, thresholds=EARLY) as live:
        await live.inject(FULL, "memory_leak")
        await until_held(live, FULL, "mode: observe; would ")
        await _killed(live)
        await until_ended(live, FULL, 1)
        await until_looked_at(live, FULL, TWO_LOOKS)
        shutil.rmtree(live.stack.folder / "prometheus")
        async with _back(live):
            await until_fires_again(live, FULL)
            assert _nothing_is_over(await live.events(), FULL)


async def _killed(live: Live) -> None:
    """Kill Prometheus, and wait until the supervisor knows."""
    pid = await live.pid("prometheus")
    assert pid
    os.kill(pid, signal.SIGKILL)

    async def known() -> bool:
        return await live.pid("prometheus") is None

    await until(known, within=10, what="the death of Prometheus")


@asynccontextmanager
async def _back(live: Live) -> AsyncIterator[None]:
    """Let Prometheus run again as the stack runs it, until the block ends."""
    services = yaml.safe_load((live.stack.folder / "services.yml").read_text(encoding="utf-8"))
    argv = next(each["argv"] for each in services["services"] if each["name"] == "prometheus")
    process = await asyncio.create_subprocess_exec(
        *leashed(argv, os.getpid()), stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        yield
    finally:
        process.kill()
        await process.wait()


def _nothing_is_over(events: list[Json], project: str) -> bool:
    return not {*OVER} & {*names_of(events, project)}
