"""What follows a call that brought no answer."""

from typing import Any

import pytest

from tests.webhook.claude.site import HAIKU, SONNET
from webhook.analyzer.call import Ended, Outcome
from webhook.claude.course import WORDS, Next, after, wait


def _call(outcome: Outcome, model: str = SONNET, **changes: Any) -> Ended:  # noqa: ANN401  any field of it
    return Ended(**{"model": model, "outcome": outcome, "cost": 0, "seconds": 1.0, **changes})


@pytest.mark.parametrize(
    ("outcome", "course"),
    [
        (Outcome.OK, [Next.DONE]),
        (Outcome.RATE_LIMITED, [Next.AGAIN, Next.AGAIN, Next.OTHER]),
        (Outcome.OVERLOADED, [Next.AGAIN, Next.AGAIN, Next.OTHER]),
        (Outcome.SERVER_ERROR, [Next.AGAIN, Next.AGAIN, Next.STOP]),
        (Outcome.CONNECTION, [Next.AGAIN, Next.STOP]),
        (Outcome.MALFORMED, [Next.AGAIN, Next.STOP]),
        (Outcome.TIMEOUT, [Next.OTHER]),
        *(
            (each, [Next.STOP])
            for each in (
                *(Outcome.REFUSAL, Outcome.TRUNCATED, Outcome.UNEXPECTED_STOP, Outcome.AUTH),
                *(Outcome.QUOTA, Outcome.BAD_REQUEST, Outcome.ABORTED),
            )
        ),
    ],
)
def test_so_often_is_a_model_asked_again(outcome: Outcome, course: list[Next]) -> None:
    calls = [_call(outcome)] * len(course)
    assert [after(calls[: many + 1]) for many in range(len(course))] == course


def test_another_model_is_tried_as_often_as_the_first() -> None:
    calls = [_call(Outcome.OVERLOADED)] * 3 + [_call(Outcome.OVERLOADED, HAIKU)]
    assert after(calls) is Next.AGAIN


def test_two_answers_that_are_none_are_enough_whoever_gave_them() -> None:
    calls = [
        _call(Outcome.MALFORMED),
        _call(Outcome.OVERLOADED),
        _call(Outcome.MALFORMED, HAIKU),
    ]
    assert after(calls) is Next.STOP


def test_a_refusal_for_attacks_is_met_once_without_the_log() -> None:
    refused = _call(Outcome.REFUSAL, refusal="cyber")
    assert [after([refused]), after([refused, refused])] == [Next.WITHOUT_LOGS, Next.STOP]


def test_waits_double_up_to_eight_seconds() -> None:
    calls = [_call(Outcome.OVERLOADED)] * 7
    waits = [wait(calls[: many + 1], 0.0) for many in range(7)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_chance_takes_away_a_quarter_of_a_wait_at_most() -> None:
    assert [wait([_call(Outcome.OVERLOADED)], each) for each in (0.0, 1.0)] == [0.5, 0.375]


def test_a_wait_that_is_named_is_kept_to() -> None:
    assert wait([_call(Outcome.OVERLOADED, retry_after=3.5)], 1.0) == 3.5


def test_an_answer_that_was_none_is_asked_for_anew_at_once() -> None:
    assert wait([_call(Outcome.MALFORMED)], 0.0) == 0.0


def test_people_are_told_of_every_end_in_words() -> None:
    assert set(WORDS) == set(Outcome) - {Outcome.OK, Outcome.ABORTED}
