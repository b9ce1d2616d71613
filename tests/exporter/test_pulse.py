"""A verdict is worth nothing when our own loop was late while it was made."""

import pytest

from exporter.pulse import Pulse, is_void


def _beating(*beats: tuple[float, float]) -> Pulse:
    """Beat at the first instant of each pair, which was due at the second."""
    beats_of = Pulse(0.0)
    for now, due in beats:
        beats_of.beat(now, due=due, following=due + 0.05)
    return beats_of


@pytest.mark.parametrize(("now", "due", "lag"), [(1.0, 1.0, 0.0), (1.3, 1.0, 0.3), (0.9, 1.0, 0.0)])
def test_the_lag_of_a_beat_is_how_late_it_came_and_never_negative(
    now: float, due: float, lag: float
) -> None:
    assert Pulse(0.0).beat(now, due=due, following=2.0) == pytest.approx(lag)


def test_the_worst_lag_is_kept_for_good() -> None:
    assert _beating((1.5, 1.0), (2.0, 2.0)).worst == 0.5


@pytest.mark.parametrize(
    ("since", "behind"),
    [
        (0.5, 2.0),  # the late beat came while it ran
        (3.0, 2.0),  # at the same instant
        (3.1, 0.0),  # it was over
    ],
)
def test_a_late_beat_counts_for_what_ran_meanwhile(since: float, behind: float) -> None:
    beats = _beating((3.0, 1.0), (3.05, 3.05), (3.10, 3.10))
    assert beats.behind(since=since, now=3.12) == pytest.approx(behind)


def test_a_beat_that_is_overdue_counts_before_it_comes() -> None:
    assert _beating((1.0, 1.0)).behind(since=0.9, now=21.05) == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("behind", "within", "void"),
    [
        (1.0, 2.0, False),
        (1.01, 2.0, True),
        (1.01, 60.0, True),
        (0.5, 1.0, False),
        (0.51, 1.0, True),
    ],
)
def test_a_second_is_too_late_and_for_short_timeouts_half_of_them(
    behind: float, within: float, *, void: bool
) -> None:
    assert is_void(behind, within=within) is void
