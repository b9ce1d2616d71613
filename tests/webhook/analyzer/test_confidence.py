"""How sure an answer may be taken to be, after what came of others before."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.analyzer.confidence import (
    AS_SAID,
    BLANK,
    Curve,
    Record,
    Tally,
    curve,
    effective,
    proven,
    record,
)

CHANCE = st.floats(0, 1)
NEAR = 1e-12  # by which rounding may be off
OUTCOMES = st.lists(st.booleans(), max_size=60)
LABELLED = st.lists(st.tuples(st.sampled_from([0.1, 0.4, 0.5, 0.8, 0.95]), st.booleans()))


def _known(good: float, bad: float) -> Record:
    return Record(here=Tally(good=good, bad=bad))


@pytest.mark.parametrize(
    ("raw", "good", "bad", "counts"),
    [
        (0.9, 0, 0, 0.90),
        (0.9, 0, 1, 0.72),
        (0.9, 0, 2, 0.60),
        (0.9, 5, 2, 0.78),
        (0.75, 0, 1, 0.60),
        (0.65, 10, 0, 0.65),  # no promotion
        (0.70, 0, 0, 0.70),
        (0.70, 50, 0, 0.70),
    ],
)
def test_failures_take_away_and_successes_only_give_back(
    raw: float, good: float, bad: float, counts: float
) -> None:
    assert effective(raw, raw, _known(good, bad)) == pytest.approx(counts, abs=0.005)


_PAGE = Path(__file__).parents[3] / "docs" / "analyzer.md"
_ROW = r"(?m)^\| (0\.\d+) \| (\d+) \| (\d+) \| (0\.\d+) \| (done|people are asked) \|$"


def test_the_examples_of_the_docs_are_true() -> None:
    rows = re.findall(_ROW, _PAGE.read_text(encoding="utf-8"))
    told = []
    for raw, good, bad, _, _ in rows:
        counts = effective(float(raw), float(raw), _known(int(good), int(bad)))
        then = "done" if counts > 0.7 else "people are asked"
        told.append((raw, good, bad, f"{counts:.2f}", then))
    assert (len(rows), rows) == (7, told)


def test_without_history_the_word_of_the_analyzer_counts_to_the_last_digit() -> None:
    assert [effective(raw, raw, BLANK) for raw in (0.7, 0.7000001, 0.71, 1.0)] == [
        0.7,
        0.7000001,
        0.71,
        1.0,
    ]


def test_what_an_analyzer_was_right_about_less_often_counts_less() -> None:
    assert [effective(0.9, calibrated, BLANK) for calibrated in (0.6, 0.99)] == [0.6, 0.9]


def test_where_an_alert_has_no_history_that_of_the_action_counts_half() -> None:
    elsewhere = Tally(good=0.0, bad=2.0)
    unknown = Record(elsewhere=elsewhere)
    known = Record(here=Tally(good=1.0), elsewhere=elsewhere)
    assert effective(0.9, 0.9, unknown) == effective(0.9, 0.9, _known(0, 1))
    assert effective(0.9, 0.9, known) == 0.9


def test_each_outcome_weighs_less_with_every_newer_one_and_the_newest_most() -> None:
    made = record([True, False, True], [False])
    assert made == Record(
        here=Tally(good=1 + 0.98**2, bad=0.98),
        elsewhere=Tally(good=0.0, bad=1.0),
        good=2,
        bad=1,
    )


def test_a_proof_looks_back_at_the_last_fifty_only() -> None:
    made = record([True] * 49 + [False] * 100, [])
    assert (made.good, made.bad) == (49, 1)


@given(raw=CHANCE, calibrated=CHANCE, here=OUTCOMES, elsewhere=OUTCOMES)
def test_history_never_promotes(
    *, raw: float, calibrated: float, here: list[bool], elsewhere: list[bool]
) -> None:
    counts = effective(raw, calibrated, record(here, elsewhere))
    assert 0 <= counts <= raw


@given(raw=CHANCE, calibrated=CHANCE, outcomes=OUTCOMES)
def test_one_more_failure_never_helps_and_one_more_success_never_harms(
    *, raw: float, calibrated: float, outcomes: list[bool]
) -> None:
    worse, as_is, better = (
        effective(raw, calibrated, record([*more, *outcomes], [])) for more in ([False], [], [True])
    )
    assert worse <= as_is + NEAR
    assert as_is <= better + NEAR


@given(chances=st.tuples(CHANCE, CHANCE), outcomes=OUTCOMES)
def test_who_is_surer_counts_for_no_less(
    chances: tuple[float, float], outcomes: list[bool]
) -> None:
    known = record(outcomes, [])
    low, high = (effective(each, each, known) for each in sorted(chances))
    assert low <= high + NEAR


@pytest.mark.parametrize(
    ("good", "bad", "holds"),
    [
        (0, 0, False),
        (5, 0, False),  # 0.7 ** 6 = 0.118
        (6, 0, True),  # 0.7 ** 7 = 0.082
        (9, 1, False),  # 0.7 ** 11 + 11 * 0.7 ** 10 * 0.3 = 0.113
        (10, 1, True),  # 0.7 ** 12 + 12 * 0.7 ** 11 * 0.3 = 0.085
        (0, 50, False),
        (50, 0, True),
        (38, 12, False),  # 76 % were good, of fifty; the lower decile is 0.67
        (40, 10, True),
    ],
)
def test_what_is_proven_has_helped_more_often_than_seven_times_in_ten(
    *, good: int, bad: int, holds: bool
) -> None:
    assert proven(Record(good=good, bad=bad)) is holds


def test_how_often_it_has_to_have_helped_can_be_asked_for() -> None:
    known = Record(good=9, bad=0)
    assert [proven(known, above) for above in (0.5, 0.79, 0.8)] == [True, True, False]


def test_until_enough_is_known_what_is_said_is_believed() -> None:
    assert curve([(0.9, False)] * 99) == AS_SAID
    assert curve([(0.9, False)] * 100) == Curve(points=((0.9, 0.0),))
    assert AS_SAID.at(0.42) == 0.42


def test_neighbours_that_contradict_each_other_are_pooled() -> None:
    labelled = [(0.2, False), (0.4, True), (0.6, False), (0.6, True), (0.9, True)]
    fitted = curve(labelled, enough=5)
    assert fitted == Curve(points=((0.2, 0.0), (0.4, 2 / 3), (0.6, 2 / 3), (0.9, 1.0)))


@pytest.mark.parametrize(
    ("said", "was"), [(0.0, 0.2), (0.2, 0.2), (0.5, 0.4), (0.8, 0.6), (0.9, 0.6), (1.0, 0.6)]
)
def test_between_two_points_the_curve_is_a_line_and_beyond_them_it_stays(
    said: float, was: float
) -> None:
    assert Curve(points=((0.2, 0.2), (0.8, 0.6))).at(said) == pytest.approx(was)


@given(labelled=LABELLED)
def test_a_curve_never_falls_and_is_right_on_the_whole(labelled: list[tuple[float, bool]]) -> None:
    fitted = curve(labelled, enough=1)
    said = sorted({each for each, _ in labelled})
    assert all(fitted.at(low) <= fitted.at(high) for low, high in pairwise(said))
    if labelled:
        told = sum(fitted.at(each) for each, _ in labelled)
        assert told == pytest.approx(sum(right for _, right in labelled))


@given(labelled=LABELLED, more=st.lists(CHANCE, min_size=2, max_size=2))
def test_a_surer_answer_is_never_calibrated_below_a_less_sure_one(
    labelled: list[tuple[float, bool]], more: list[float]
) -> None:
    fitted = curve(labelled, enough=1)
    low, high = (fitted.at(each) for each in sorted(more))
    assert low <= high + NEAR
