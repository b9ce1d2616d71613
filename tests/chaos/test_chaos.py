"""The webhook is killed under a stream of alerts: nothing is lost, and nothing is repeated."""

import pytest

from tests.chaos.conftest import Runs

pytestmark = pytest.mark.e2e

SHORT, LONG = 4, 8  # runs of one test
EACH = 208  # runs of the long tests


@pytest.mark.parametrize("first", range(0, 2 * SHORT, SHORT))
async def test_kills_of_the_webhook_under_a_stream_of_alerts_lose_and_repeat_nothing(
    runs: Runs, first: int
) -> None:
    assert await runs(range(first, first + SHORT)) == []


@pytest.mark.long
@pytest.mark.parametrize("first", range(1000, 1000 + EACH, LONG))
async def test_many_kills_of_the_webhook_under_a_stream_of_alerts_lose_and_repeat_nothing(
    runs: Runs, first: int
) -> None:
    assert await runs(range(first, first + LONG)) == []
