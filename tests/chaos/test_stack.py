"""The whole stack, real to its last part: webhook, Prometheus and Alertmanager are killed in it."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from orchestrator import clock
from orchestrator.demo.stack import FAST, PROJECTS
from orchestrator.supervisor.leash import leashed
from tests.chaos import judge
from tests.chaos.judge import Down
from tests.chaos.site import Execution
from tests.e2e.conftest import Live, Start
from tests.waiting import until

pytestmark = pytest.mark.e2e

ATTEMPTS = 100
PATIENT = replace(FAST, guards={"attempts": ATTEMPTS, "breaker": ATTEMPTS, "cooldown": "0s"})
HEALING = 5.0  # seconds that a healing takes on the fast profile, about
RUNS, EACH = 8, 2  # and how many of them have one stack

Restarted = dict[str, subprocess.Popen[bytes]]


@pytest.fixture
def restarted() -> Iterator[Restarted]:
    """Keep what the test has started in place of what it killed; it ends with the test."""
    running: Restarted = {}
    yield running
    for process in running.values():
        process.kill()
        process.wait()


async def _kill_webhook(live: Live) -> None:
    """Kill it, once it is there; the supervisor starts it again."""
    pid = await live.pid("webhook")
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


async def _kill(live: Live, program: str, restarted: Restarted) -> None:
    """Kill a program that the supervisor does not start again, and start it again."""
    if program in restarted:
        pid: int | None = restarted[program].pid
    else:
        pid = await live.pid(program)
    assert pid is not None, program
    argv, folder = _known(pid)
    os.kill(pid, signal.SIGKILL)
    if program in restarted:
        restarted[program].wait()

    async def gone() -> bool:
        return program in restarted or await live.pid(program) is None

    await until(gone, within=10, what=f"the end of {program}")
    restarted[program] = _started(argv, folder)


def _known(pid: int) -> tuple[list[str], Path]:
    """Return how a process was called, and where it works."""
    process = Path(f"/proc/{pid}")
    argv = (process / "cmdline").read_text(encoding="utf-8").split("\0")[:-1]
    return argv, (process / "cwd").readlink()


def _started(argv: list[str], folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  what ran before
        leashed(argv, os.getpid()),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def _heal(live: Live, seed: int, restarted: Restarted) -> Down:
    """Let a project fall and kill what is to heal it; return when it was down for sure."""
    chance = random.Random(seed)  # noqa: S311  a seed, no secret
    project = PROJECTS[seed % len(PROJECTS)]
    known = len(await live.commands())
    await live.inject(project, "process_killed")
    since = clock.now()

    async def later(program: str) -> None:
        await asyncio.sleep(chance.uniform(0, HEALING))
        if program == "webhook":
            await _kill_webhook(live)
        else:
            await _kill(live, program, restarted)

    killed = ["webhook", "prometheus", *(["alertmanager"] if seed % 2 else [])]
    await asyncio.gather(*map(later, killed))

    async def commanded() -> str | None:
        new = (await live.commands())[known:]
        return new[0]["executed_at"] if new else None

    until_then = clock.read(await until(commanded, within=90, what=f"seed {seed}: a command"))
    await _until_rest(live, seed)
    return Down(project=project, since=since, until=until_then)


async def _until_rest(live: Live, seed: int) -> None:
    async def rest() -> bool:
        with closing(_read(live)) as db:
            return not list(judge.unsettled(db))

    await until(rest, within=90, what=f"seed {seed}: rest")


def _read(live: Live) -> sqlite3.Connection:
    db = sqlite3.connect(f"file:{live.stack.folder / 'orchestrator.db'}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    return db


async def _complaints(live: Live, downs: list[Down]) -> list[str]:
    executions = [
        Execution(each["key"], each["project"], each["action"], clock.read(each["executed_at"]))
        for each in await live.commands()
    ]
    read = await live.events()
    with closing(_read(live)) as db:
        return list(
            chain(
                judge.repeated(db, executions, ()),
                judge.excessive(db, attempts=ATTEMPTS),
                judge.unlawful(db),
                judge.premature(db),
                judge.unsettled(db),
                judge.unproven(db, executions, downs),
                judge.broken(db, read),
            )
        )


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, RUNS, EACH))
async def test_kills_of_webhook_prometheus_and_alertmanager_lose_and_repeat_nothing(
    start: Start, restarted: Restarted, first: int
) -> None:
    async with start(PATIENT) as live:
        downs = [await _heal(live, seed, restarted) for seed in range(first, first + EACH)]
        assert await _complaints(live, downs) == [], f"seeds {first} to {first + EACH - 1}"
