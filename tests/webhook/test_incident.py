"""The law of incidents."""

from datetime import timedelta
from itertools import product

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook.incident import ENDED, NEXT, ForbiddenMove, State, downtime

S = State
DECLARED = {
    (S.OPEN, S.AWAITING_APPROVAL),
    (S.OPEN, S.REPAIRING),
    (S.OPEN, S.ESCALATED),
    (S.OPEN, S.CLOSED),
    (S.AWAITING_APPROVAL, S.OPEN),
    (S.AWAITING_APPROVAL, S.REPAIRING),
    (S.AWAITING_APPROVAL, S.ESCALATED),
    (S.AWAITING_APPROVAL, S.CLOSED),
    (S.REPAIRING, S.OPEN),
    (S.REPAIRING, S.VERIFYING),
    (S.REPAIRING, S.ESCALATED),
    (S.REPAIRING, S.CLOSED),
    (S.VERIFYING, S.OPEN),
    (S.VERIFYING, S.MITIGATED),
    (S.VERIFYING, S.ESCALATED),
    (S.VERIFYING, S.RESOLVED),
    (S.VERIFYING, S.CLOSED),
    (S.MITIGATED, S.OPEN),
    (S.MITIGATED, S.REPAIRING),
    (S.MITIGATED, S.ESCALATED),
    (S.MITIGATED, S.CLOSED),
    (S.ESCALATED, S.OPEN),
    (S.ESCALATED, S.REPAIRING),
    (S.ESCALATED, S.CLOSED),
    (S.RESOLVED, S.OPEN),
    (S.CLOSED, S.OPEN),
}


@pytest.mark.parametrize(("here", "there"), list(product(State, State)))
def test_only_declared_moves_are_made(here: State, there: State) -> None:
    incident = make.incident(state=here)
    if (here, there) in DECLARED:
        assert incident.move(there, at=NOW + SECOND).state is there
    else:
        with pytest.raises(ForbiddenMove, match=f"cannot go from {here} to {there}"):
            incident.move(there, at=NOW + SECOND)


def test_the_law_names_every_state() -> None:
    assert set(NEXT) == set(State)


def test_only_verification_leads_to_resolved() -> None:
    assert [here for here, there in sorted(DECLARED) if there is S.RESOLVED] == [S.VERIFYING]


@pytest.mark.parametrize(("here", "there"), sorted(DECLARED))
def test_an_incident_is_due_until_it_has_ended(here: State, there: State) -> None:
    moved = make.incident(state=here).move(there, at=NOW + SECOND)
    at = NOW + SECOND
    assert (moved.due_at, moved.ended_at) == ((None, at) if there in ENDED else (at, None))


def test_opening_again_forgets_the_recovery_that_did_not_hold() -> None:
    before = make.incident(state=S.VERIFYING, recovered_at=NOW, held="settles")
    assert before.move(S.OPEN, at=NOW + SECOND) == make.incident(
        since=NOW + SECOND, due_at=NOW + SECOND
    )


@pytest.mark.parametrize(
    ("spells", "expected"),
    [
        ([], None),
        ([("ProjectDown", 8)], 8),
        ([("ProjectDown", 8), ("ProjectDown", 4)], 12),
        ([("ProjectHighCPU", 8)], None),
        ([("ProjectDown", None)], None),
        ([("ProjectDown", 8), ("ProjectHighCPU", 100), ("ProjectDown", None)], 8),
    ],
)
def test_downtime_is_the_sum_of_ended_project_down_episodes(
    spells: list[tuple[str, int | None]], expected: int | None
) -> None:
    episodes = tuple(
        make.episode(
            alertname=name,
            started_at=NOW,
            ended_at=None if length is None else NOW + length * SECOND,
        )
        for name, length in spells
    )
    assert downtime(episodes) == (None if expected is None else timedelta(seconds=expected))


def test_a_guard_that_counts_is_news_once() -> None:
    free = make.incident()
    first = free.wait(NOW, held="1 of 9 fell", by="fleet")
    again = first.wait(NOW, held="2 of 9 fell", by="fleet")
    other = again.wait(NOW, held="hold by ann", by="hold")
    told = [first.news_beside(free), again.news_beside(first), other.news_beside(again)]
    assert told == [True, False, True]
