"""How long a service that keeps ending waits."""

from datetime import timedelta

import pytest

from orchestrator.supervisor import backoff


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(1, 0.5), (2, 1), (3, 2), (4, 4), (5, 8), (6, 16), (7, 30), (8, 30), (10_000, 30)],
)
def test_the_wait_doubles_up_to_half_a_minute(failures: int, seconds: float) -> None:
    assert backoff.delay(failures) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("before", "ran", "after"), [(0, 0.0, 1), (1, 0.1, 2), (6, 9.9, 7), (7, 10.0, 1), (0, 60.0, 1)]
)
def test_a_run_of_ten_seconds_ends_a_row_of_failures(before: int, ran: float, after: int) -> None:
    assert backoff.failures(before, timedelta(seconds=ran)) == after
