"""The law of actions, and the catalogue."""

from itertools import product

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook.action import ENDED, NEXT, ForbiddenMove, State

S = State
DECLARED = {
    (S.PENDING, S.APPROVED),
    (S.PENDING, S.REJECTED),
    (S.PENDING, S.EXPIRED),
    (S.PENDING, S.CANCELLED),
    (S.PENDING, S.SHADOWED),
    (S.APPROVED, S.EXECUTING),
    (S.APPROVED, S.EXPIRED),
    (S.APPROVED, S.CANCELLED),
    (S.EXECUTING, S.COMPLETED),
    (S.EXECUTING, S.FAILED),
    (S.EXECUTING, S.UNKNOWN),
    (S.UNKNOWN, S.COMPLETED),
    (S.UNKNOWN, S.FAILED),
}


@pytest.mark.parametrize(("here", "there"), list(product(State, State)))
def test_only_declared_moves_are_made(here: State, there: State) -> None:
    action = make.action(state=here)
    if (here, there) in DECLARED:
        assert action.move(there, at=NOW).state is there
    else:
        with pytest.raises(ForbiddenMove, match=f"cannot go from {here} to {there}"):
            action.move(there, at=NOW)


def test_the_law_names_every_state() -> None:
    assert set(NEXT) == set(State)


def test_what_has_ended_cannot_be_executed_again() -> None:
    assert [here for here in ENDED if NEXT[here]] == []


def test_the_intent_carries_its_instant_and_the_end_carries_its_own() -> None:
    approved = make.action(state=S.APPROVED, executed_at=None)
    executing = approved.move(S.EXECUTING, at=NOW + SECOND)
    ended = executing.move(S.COMPLETED, at=NOW + 2 * SECOND, detail="proven")
    assert (executing.executed_at, executing.finished_at) == (NOW + SECOND, None)
    assert ended == make.action(
        state=S.COMPLETED,
        executed_at=NOW + SECOND,
        finished_at=NOW + 2 * SECOND,
        detail="proven",
    )


def test_what_is_only_recorded_ends_without_having_been_executed() -> None:
    pending = make.action(state=S.PENDING, executed_at=None)
    assert pending.move(S.SHADOWED, at=NOW + SECOND, detail="dry run") == make.action(
        state=S.SHADOWED, executed_at=None, finished_at=NOW + SECOND, detail="dry run"
    )


def test_the_key_never_changes() -> None:
    moved = make.action(state=S.PENDING).move(S.APPROVED, at=NOW).move(S.EXECUTING, at=NOW)
    assert moved.key == make.action().key
