"""When a repair is proven, and when a project must not be touched."""

from dataclasses import replace

import pytest

from orchestrator.answer import Reason
from orchestrator.config import Verification
from orchestrator.health import Probe, State
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import incident
from webhook.verification import (
    Inconclusive,
    Ineffective,
    Proven,
    Recovered,
    Sighting,
    Standing,
    Verdict,
    Waiting,
    judge,
    objection,
)

UP = Probe(state=State.HEALTHY, reason=None, seconds=0.01)
DOWN = Probe(state=State.DOWN, reason=Reason.REFUSED, seconds=0.01)
LIMITS = Verification(recover_within=15 * SECOND, prove_within=60 * SECOND)
FIRING = make.standing()
CLEAR = make.standing(firing=False, holds=False)
STILL_DOWN = "email-blast is still down: it refuses connections"


def _judged(
    *,
    probe: Probe = UP,
    standing: Standing | None = CLEAR,
    after: int,
    recovered: int | None = None,
    ended: bool = True,
) -> Verdict:
    """Judge so many seconds *after* the command, *recovered* so many after it."""
    return judge(
        make.incident(
            state=incident.State.VERIFYING,
            recovered_at=None if recovered is None else NOW + recovered * SECOND,
        ),
        make.action(),
        (make.episode(ended_at=NOW if ended else None),),
        Sighting(probe=probe, standing=standing, at=NOW + after * SECOND),
        LIMITS,
    )


def test_a_project_that_stays_down_is_waited_for_until_its_time_is_up() -> None:
    assert _judged(probe=DOWN, after=15) == Waiting(STILL_DOWN)
    assert _judged(probe=DOWN, after=16) == Ineffective(STILL_DOWN)


def test_a_project_that_went_down_again_is_not_proven() -> None:
    assert _judged(probe=DOWN, after=5, recovered=3) == Waiting(STILL_DOWN)
    assert _judged(probe=DOWN, after=16, recovered=3) == Ineffective(STILL_DOWN)


def test_the_first_good_probe_is_a_recovery_and_no_proof() -> None:
    assert _judged(after=3) == Recovered()


@pytest.mark.parametrize(
    ("standing", "ended", "after", "expected"),
    [
        (CLEAR, True, 5, Proven()),
        (CLEAR, True, 4, Waiting("ProjectDown settles")),
        (FIRING, True, 5, Waiting("ProjectDown still holds")),
        (CLEAR, False, 5, Waiting("Alertmanager still has ProjectDown")),
        (None, True, 5, Waiting("Prometheus does not answer")),
        (FIRING, True, 65, Waiting("ProjectDown still holds")),
        (FIRING, True, 66, Ineffective("ProjectDown still holds")),
        (CLEAR, False, 66, Inconclusive("Alertmanager still has ProjectDown")),
        (None, True, 64, Inconclusive("Prometheus does not answer")),
        (CLEAR, True, 66, Proven()),
    ],
)
def test_proof_takes_the_probe_the_expression_and_the_end_of_the_alert(
    standing: Standing | None,
    ended: bool,  # noqa: FBT001  a column of the table
    after: int,
    expected: Verdict,
) -> None:
    assert _judged(standing=standing, ended=ended, after=after, recovered=3) == expected


def test_a_rule_that_looks_far_back_is_given_its_time_before_the_limit_begins() -> None:
    slow = replace(FIRING, settle=90 * SECOND)
    assert _judged(standing=slow, after=70, recovered=3) == Waiting("ProjectDown settles")
    assert _judged(standing=slow, after=153, recovered=3) == Waiting("ProjectDown still holds")
    assert _judged(standing=slow, after=154, recovered=3) == Ineffective("ProjectDown still holds")


@pytest.mark.parametrize(
    ("alertname", "probe", "standing", "expected"),
    [
        ("ProjectDown", DOWN, FIRING, None),
        ("ProjectDown", DOWN, None, None),
        (
            "ProjectDown",
            UP,
            FIRING,
            "email-blast answers a probe (healthy); ProjectDown is not acted on",
        ),
        (
            "ProjectDown",
            DOWN,
            CLEAR,
            "ProjectDown of email-blast does not fire in Prometheus",
        ),
        ("ProjectHighCPU", UP, FIRING, None),
        (
            "ProjectHighCPU",
            UP,
            None,
            "Prometheus does not answer, so ProjectHighCPU cannot be checked",
        ),
        (
            "ProjectHighCPU",
            UP,
            CLEAR,
            "ProjectHighCPU of email-blast does not fire in Prometheus",
        ),
    ],
)
def test_nothing_is_touched_on_the_word_of_an_alert_alone(
    alertname: str, probe: Probe, standing: Standing | None, expected: str | None
) -> None:
    assert objection("email-blast", alertname, probe, standing) == expected
