"""The webhook is killed at random moments of a healing: it completes, and nothing is done twice."""

import asyncio
import os
import random
import signal
import sqlite3
from collections import Counter

import pytest

from orchestrator.demo.stack import PROJECTS
from tests.e2e.conftest import Live, Start
from tests.waiting import until
from webhook import chain
from webhook.store import trail

pytestmark = pytest.mark.e2e

HEALING = 4.0  # seconds that a healing takes on the fast profile, about
RESTARTING = 0.4  # seconds from the intent to the answer of the supervisor, about


async def _anywhere(_live: Live, chance: random.Random, *, after: int, done: int) -> None:  # noqa: ARG001  one signature for all
    await asyncio.sleep(chance.uniform(0, HEALING))


async def _around_the_intent(
    live: Live,
    chance: random.Random,
    *,
    after: int,
    done: int,  # noqa: ARG001  one signature for all
) -> None:
    await live.until_event("ActionStarted", after=after)
    await asyncio.sleep(chance.uniform(0, RESTARTING))


async def _while_the_command_is_executed(
    live: Live,
    chance: random.Random,
    *,
    after: int,  # noqa: ARG001  one signature for all
    done: int,
) -> None:
    """Come between the execution and its answer: the moment at which a restart is done twice."""

    async def executing() -> bool:
        return len(await live.commands()) > done

    await until(executing, within=20, what="the execution of the command")
    await asyncio.sleep(chance.uniform(0, RESTARTING / 4))


MOMENTS = (_anywhere, _around_the_intent, _while_the_command_is_executed)


async def _heal_with_a_kill(live: Live, project: str, seed: int) -> None:
    before = await live.commands()
    seen = await live.events()
    after = seen[-1]["id"] if seen else 0
    await live.inject(project, "process_killed")
    moment = MOMENTS[seed % len(MOMENTS)]
    await moment(live, random.Random(seed), after=after, done=len(before))  # noqa: S311  a seed, no secret
    pid = await live.pid("webhook")
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    await live.until_event("PROBLEM_RESOLVED", after=after)
    new = (await live.commands())[len(before) :]
    assert [(each["project"], each["action"]) for each in new] == [(project, "restart_service")], (
        f"seed {seed}"
    )


async def _all_is_whole(live: Live) -> None:
    counted = Counter(each["key"] for each in await live.commands())
    assert set(counted.values()) == {1}
    database = f"file:{live.stack.folder / 'orchestrator.db'}?mode=ro"
    reader = sqlite3.connect(database, uri=True)
    reader.row_factory = sqlite3.Row
    states = Counter(row["state"] for row in reader.execute("SELECT state FROM actions"))
    assert states == Counter({"completed": len(counted)})
    assert chain.first_broken(trail.stream(reader)) is None
    reader.close()


async def _kills(start: Start, seeds: range) -> None:
    """Let a project go down for each seed; twice at most, for a third time is for people."""
    assert len(seeds) <= 2 * len(PROJECTS)
    async with start() as live:
        for project, seed in zip(2 * PROJECTS, seeds, strict=False):
            await _heal_with_a_kill(live, project, seed)
        await _all_is_whole(live)


async def test_kills_of_the_webhook_at_the_worst_moments_lose_nothing_and_repeat_nothing(
    start: Start,
) -> None:
    """One around the intent, one while the command is executed."""
    await _kills(start, range(1, 3))


@pytest.mark.long
@pytest.mark.parametrize("first", range(100, 124, 4))
async def test_twenty_four_kills_of_the_webhook_lose_nothing_and_repeat_nothing(
    start: Start, first: int
) -> None:
    """Four a stack: the supervisor takes more for a crash loop, and rightly waits up to 30 s."""
    await _kills(start, range(first, first + 4))
