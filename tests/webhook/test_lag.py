"""The lag of the event loop is seen, and its worst is kept."""

import asyncio
import time

from webhook import lag
from webhook.instruments import Instruments


async def test_a_loop_that_was_held_up_shows() -> None:
    instruments = Instruments("1")
    held = lag.EVERY + 0.2
    asyncio.get_running_loop().call_soon(time.sleep, held)
    await lag.sample(instruments)
    told = instruments.registry.get_sample_value
    seen = told("webhook_event_loop_lag_seconds_sum")
    assert seen is not None
    assert seen >= 0.2
    assert told("webhook_event_loop_lag_max_seconds") == seen


async def test_each_round_is_one_sample_and_none_is_negative() -> None:
    instruments = Instruments("1")
    for _ in range(2):
        await lag.sample(instruments)
    told = instruments.registry.get_sample_value
    total = told("webhook_event_loop_lag_seconds_sum")
    assert told("webhook_event_loop_lag_seconds_count") == 2
    assert total is not None
    assert total >= 0


def test_the_worst_is_kept() -> None:
    instruments = Instruments("1")
    for seconds in (0.1, 0.7, 0.3):
        instruments.lagged(seconds)
    told = instruments.registry.get_sample_value
    assert told("webhook_event_loop_lag_max_seconds") == 0.7
    assert told("webhook_event_loop_lag_seconds_bucket", {"le": "0.5"}) == 2
