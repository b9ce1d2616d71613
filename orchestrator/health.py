"""Health: what a project's answer to `/health` means."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a project is. Paused is a choice of its operator, so it counts as up."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    PAUSED = "paused"
    DOWN = "down"


class Reason(StrEnum):
    """Why a probe found a project down; bounded, for it becomes a label."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    CONNECTION = "connection"  # no route, no name, reset, not HTTP
    STATUS = "status"  # answered, and not with 200
    BODY = "body"  # 200, and not what the endpoint contract says


IN_WORDS = {
    Reason.REFUSED: "it refuses connections",
    Reason.TIMEOUT: "it does not answer in time",
    Reason.CONNECTION: "the connection fails",
    Reason.STATUS: "/health answers with an error",
    Reason.BODY: "/health answers what the contract does not know",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The result of one probe; `reason` is None exactly when the project is up."""

    state: State
    reason: Reason | None
    seconds: float

    @property
    def up(self) -> bool:
        """Whether the project answers for itself (also when it says degraded or paused)."""
        return self.state is not State.DOWN


def verdict(probes: Sequence[Probe]) -> Probe:
    """Return the one that counts: a good one if there is any, else the last."""
    return next((probe for probe in probes if probe.up), probes[-1])


def judge(status: int, body: bytes) -> tuple[State, Reason | None]:
    """Say what an HTTP answer of `/health` means, by docs/endpoint-contract.md."""
    if status != 200:  # noqa: PLR2004  the one status that means up
        return State.DOWN, Reason.STATUS
    try:
        state = State(json.loads(body)["status"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return State.DOWN, Reason.BODY
    return state, Reason.BODY if state is State.DOWN else None
