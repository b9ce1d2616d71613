"""How good answers were, reckoned by hand and by code."""

from math import log
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhook.make import NOW
from webhook.analyzer.learning import (
    RIGHT,
    WRONG,
    Bin,
    Came,
    Score,
    Share,
    Verdict,
    base,
    brier,
    calibration,
    ece,
    log_loss,
    pairs,
    report,
    score,
    share,
    skill,
)

# Said and so: squares 0.01 + 0.64 + 0.04 + 0.09 + 0.36 = 1.14; right are three of five.
FIVE = [(0.9, True), (0.8, False), (0.8, True), (0.3, False), (0.4, True)]


def _verdict(raw: float = 0.9, came: Came = Came.HELPED, **changes: Any) -> Verdict:  # noqa: ANN401  any field of it
    given: dict[str, Any] = {
        "analysis": 1,
        "at": NOW,
        "alertname": "ProjectDown",
        "action": "restart_service",
        "analyzer": "claude",
        "model": "claude-sonnet-5-5",
        "prompt": "1",
        "decision": "auto",
        "raw": raw,
        "effective": raw,
        "came": came,
    }
    return Verdict(**{**given, **changes})


def _near(value: float) -> Any:  # noqa: ANN401  equal to a float, and none
    return pytest.approx(value)


def test_the_brier_score_is_the_mean_square_of_how_far_each_was_off() -> None:
    assert brier(FIVE) == pytest.approx(1.14 / 5)


def test_the_skill_is_beside_one_who_always_says_the_share_that_is_right() -> None:
    assert base(FIVE) == pytest.approx(0.6 * 0.4)
    assert skill(FIVE) == pytest.approx(1 - 0.228 / 0.24)


def test_who_always_says_that_share_has_no_skill() -> None:
    assert skill([(0.75, True)] * 3 + [(0.75, False)]) == pytest.approx(0)


def test_the_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    # 0.3: |0.3 - 0| * 1, 0.4: |0.4 - 1| * 1, 0.8: |0.8 - 0.5| * 2, 0.9: |0.9 - 1| * 1
    assert ece(FIVE) == pytest.approx((0.3 + 0.6 + 0.6 + 0.1) / 5)


def test_the_log_loss_is_the_mean_surprise() -> None:
    surprises = [log(0.9), log(0.2), log(0.8), log(0.7), log(0.4)]
    assert log_loss(FIVE) == pytest.approx(-sum(surprises) / 5)


def test_a_mistake_of_one_who_was_certain_costs_much_and_not_without_end() -> None:
    assert log_loss([(1.0, False)]) == pytest.approx(-log(1e-6), rel=1e-4)


@pytest.mark.parametrize("of", [brier, base, skill, ece, log_loss])
def test_of_nothing_there_is_no_figure(of: Any) -> None:  # noqa: ANN401  any of them
    assert of([]) is None


@pytest.mark.parametrize("right", [True, False])
def test_where_all_were_right_or_all_wrong_there_is_no_skill_to_speak_of(*, right: bool) -> None:
    one = [(0.5, right)] * 3
    figures = [brier(one), base(one), skill(one), ece(one), log_loss(one)]
    assert figures == [0.25, 0.0, None, 0.5, pytest.approx(log(2))]


@pytest.mark.parametrize(
    ("many", "of", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),  # by the formula of Wilson, 1927
        (1, 10, 0.0179, 0.4042),
        (50, 100, 0.4038, 0.5962),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
    ],
)
def test_the_interval_of_a_share_is_that_of_wilson(
    many: int, of: int, low: float, high: float
) -> None:
    found = share(many, of)
    assert (found.many, found.of, found.rate) == (many, of, many / of)
    assert [found.low, found.high] == pytest.approx([low, high], abs=5e-5)


def test_a_share_of_nothing_may_lie_anywhere() -> None:
    assert share(0, 0) == Share(many=0, of=0, rate=None, low=0.0, high=1.0)


@given(of=st.integers(1, 10_000), data=st.data())
def test_a_share_lies_within_its_interval_and_that_within_nought_and_one(
    of: int, data: st.DataObject
) -> None:
    found = share(data.draw(st.integers(0, of)), of)
    assert found.rate is not None
    assert 0 <= found.low <= found.rate <= found.high <= 1


def test_the_calibration_table_has_ten_rows_and_says_of_how_many_each_is() -> None:
    table = calibration([(0.05, False), (0.8, True), (0.86, False), (1.0, True)])
    full = [each for each in table if each.n]
    assert (len(table), full) == (
        10,
        [
            Bin(low=0.0, high=0.1, n=1, said=0.05, right=0.0),
            Bin(low=0.8, high=0.9, n=2, said=_near(0.83), right=0.5),
            Bin(low=0.9, high=1.0, n=1, said=1.0, right=1.0),
        ],
    )
    assert table[4] == Bin(low=0.4, high=0.5, n=0, said=None, right=None)


@pytest.mark.parametrize("tenth", range(10))
def test_a_confidence_at_the_edge_belongs_to_the_bin_above(tenth: int) -> None:
    assert [each.n for each in calibration([(tenth / 10, True)])].index(1) == tenth


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_every_figure_lies_where_it_may(told: list[tuple[float, bool]]) -> None:
    reached, reference, gap, loss = brier(told), base(told), ece(told), log_loss(told)
    assert None not in (reached, reference, gap, loss)
    assert 0 <= (reached or 0) <= 1
    assert 0 <= (reference or 0) <= 0.25
    assert 0 <= (gap or 0) <= 1 + 1e-9
    assert (loss or 0) >= 0
    assert sum(each.n for each in calibration(told)) == len(told)


def test_what_came_of_a_decision_is_right_or_wrong_or_not_to_be_told() -> None:
    told = {each: _verdict(came=each).right for each in Came}
    assert told == {
        Came.HELPED: True,
        Came.ENDED: True,
        Came.AGAIN: False,
        Came.FAILED: False,
        Came.REJECTED: False,
        Came.WENT_ON: False,
        Came.OPEN: None,
        Came.DROPPED: None,
        Came.MAINTENANCE: None,
        Came.UNLABELLED: None,
    }
    assert frozenset() == RIGHT & WRONG


def test_only_what_can_be_told_counts() -> None:
    told = [_verdict(0.8), _verdict(0.3, Came.FAILED), _verdict(0.9, Came.OPEN)]
    assert pairs(told) == [(0.8, True), (0.3, False)]


def test_a_score_says_of_how_many_each_share_is() -> None:
    told = [
        _verdict(0.9),
        _verdict(0.8, Came.AGAIN),
        _verdict(0.7, Came.OPEN),
        _verdict(0.6, Came.REJECTED, decision="human"),
        _verdict(0.6, Came.HELPED, decision="human"),
        _verdict(0.2, Came.UNLABELLED, decision="escalate"),
    ]
    assert score(told) == Score(
        decided=6,
        decisions={"auto": 3, "escalate": 1, "human": 2},
        escalated=share(1, 6),
        accuracy=share(2, 4),
        auto=share(1, 2),
        brier=_near((0.01 + 0.64 + 0.36 + 0.16) / 4),
        base=0.25,
        skill=_near(1 - 1.17),
        ece=_near((0.1 + 0.8 + 2 * 0.1) / 4),
        log_loss=_near(-(log(0.9) + log(0.2) + log(0.4) + log(0.6)) / 4),
    )


def test_of_no_decision_there_is_a_score_without_figures() -> None:
    none = share(0, 0)
    assert score([]) == Score(
        decided=0,
        decisions={},
        escalated=none,
        accuracy=none,
        auto=none,
        brier=None,
        base=None,
        skill=None,
        ece=None,
        log_loss=None,
    )


def test_a_report_parts_by_all_that_may_make_a_difference() -> None:
    rules: dict[str, Any] = {"analyzer": "rules", "model": "", "prompt": ""}
    told = [
        _verdict(0.9),
        _verdict(0.8, Came.FAILED, action="clear_cache", prompt="2"),
        _verdict(0.6, alertname="ProjectHighCPU", **rules),
    ]
    first, second, third = told
    assert report(told) == report(told[::-1])
    found = report(told)
    assert (found.whole, found.calibration) == (score(told), calibration(pairs(told)))
    assert found.alerts == {
        "ProjectDown": score([first, second]),
        "ProjectHighCPU": score([third]),
    }
    assert found.actions == {
        "clear_cache": score([second]),
        "restart_service": score([first, third]),
    }
    assert found.models == {"claude-sonnet-5-5": score([first, second]), "rules": score([third])}
    assert found.prompts == {"1": score([first]), "2": score([second]), "rules": score([third])}
