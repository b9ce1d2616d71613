"""A stage goes on, whatever happens to one of its rounds."""

import asyncio
from contextlib import suppress

import pytest

from orchestrator import clock
from tests.waiting import until
from tests.webhook.make import NOW
from webhook.instruments import Instruments
from webhook.stage import Bell, keep_going


async def test_a_round_that_fails_is_counted_and_the_next_one_follows() -> None:
    instruments = Instruments("1")
    rounds: list[int] = []

    async def once() -> None:
        rounds.append(len(rounds))
        if len(rounds) == 1:
            raise LookupError
        await asyncio.sleep(0)

    task = asyncio.create_task(keep_going("repair", once, instruments, lambda: NOW))

    async def twice() -> bool:
        return len(rounds) >= 2

    await until(twice, within=5, what="a second round")
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    registry, stage = instruments.registry, {"stage": "repair"}
    assert registry.get_sample_value("webhook_stage_failures_total", stage) == 1
    assert (
        registry.get_sample_value("webhook_stage_heartbeat_timestamp_seconds", stage)
        == NOW.timestamp()
    )


async def test_the_bell_ends_the_wait_under_way_and_the_next_one() -> None:
    bell = Bell()
    began = clock.now()
    bell.ring()
    await bell.wait(60)
    waiting = asyncio.create_task(bell.wait(60))
    await asyncio.sleep(0)
    bell.ring()
    await waiting
    assert (clock.now() - began).total_seconds() < 30


@pytest.mark.parametrize("turns", range(6))
async def test_a_cancellation_is_never_lost_to_the_bell(turns: int) -> None:
    """In whatever turn of the loop it comes: a stage that missed it would never end."""
    bell = Bell()
    task = asyncio.create_task(bell.wait(60))
    await asyncio.sleep(0)
    bell.ring()
    for _ in range(turns):
        await asyncio.sleep(0)
    taken = task.cancel()
    await asyncio.wait({task})
    assert task.cancelled() == taken
