"""An action: one attempt at a remedy."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from orchestrator.errors import OrchestratorError


class State(StrEnum):
    """Where an action stands. Completed means proven, not merely sent."""

    PENDING = "pending"
    APPROVED = "approved"
    EXECUTING = "executing"  # the intent is committed; the command may have gone out
    COMPLETED = "completed"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SHADOWED = "shadowed"  # it was to be tried, and is on dry run: recorded instead
    UNKNOWN = "unknown"  # in doubt after a crash, and it cannot be asked again


_S = State
NEXT: dict[State, frozenset[State]] = {
    _S.PENDING: frozenset({_S.APPROVED, _S.REJECTED, _S.EXPIRED, _S.CANCELLED, _S.SHADOWED}),
    _S.APPROVED: frozenset({_S.EXECUTING, _S.EXPIRED, _S.CANCELLED}),
    _S.EXECUTING: frozenset({_S.COMPLETED, _S.FAILED, _S.UNKNOWN}),
    _S.UNKNOWN: frozenset({_S.COMPLETED, _S.FAILED}),
    _S.COMPLETED: frozenset(),
    _S.FAILED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.SHADOWED: frozenset(),
}

ENDED = frozenset(state for state, following in NEXT.items() if not following)


class ForbiddenMove(OrchestratorError):
    """The action cannot go from where it is to where it was sent."""

    def __init__(self, action: "Action", to: State) -> None:
        super().__init__(f"action {action.key}: cannot go from {action.state} to {to}")
        self.action, self.to = action, to


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One attempt on one project. Its key travels as the Idempotency-Key, unchanged for life."""

    key: str
    incident: int
    project: str
    name: str
    alertname: str  # the alert that it shall end; "": none, a person asked for it
    attempt: int  # 1 for the first in the window of the guards
    state: State
    created_at: datetime
    executed_at: datetime | None = None  # when the intent was committed
    finished_at: datetime | None = None
    detail: str = ""
    output: str = ""  # what a command printed, its end
    opened_at: datetime | None = None  # of its incident, which may be opened again

    def move(self, to: State, *, at: datetime, detail: str = "") -> "Action":
        """Return this action in the state *to*; raise ForbiddenMove."""
        if to not in NEXT[self.state]:
            raise ForbiddenMove(self, to)
        return replace(
            self,
            state=to,
            executed_at=at if to is State.EXECUTING else self.executed_at,
            finished_at=at if to in ENDED else None,
            detail=detail or self.detail,
        )
