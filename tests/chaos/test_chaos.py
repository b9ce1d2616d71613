"""The webhook is killed under a stream of alerts: nothing is lost, and nothing is repeated."""

import pytest

from tests.chaos.conftest import Runs

pytestmark = pytest.mark.e2e

SHORT = ((8,), pytest.param((2, 9, 13, 14, 20), marks=pytest.mark.long))  # every moment, together
FIRST, RUNS, EACH = 1000, 208, 4  # of the long tests


@pytest.mark.parametrize("seeds", SHORT)
async def test_kills_of_the_webhook_under_a_stream_of_alerts_lose_and_repeat_nothing(
    runs: Runs, seeds: tuple[int, ...]
) -> None:
    assert await runs(seeds) == []


@pytest.mark.long
@pytest.mark.parametrize("first", range(FIRST, FIRST + RUNS, EACH))
async def test_many_kills_of_the_webhook_under_a_stream_of_alerts_lose_and_repeat_nothing(
    runs: Runs, first: int
) -> None:
    assert await runs(range(first, first + EACH)) == []
