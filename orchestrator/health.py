"""Health: what a project's answer to `/health` means."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.answer import Answer, Reason, decoded

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")  # anything else does not become a label


class State(StrEnum):
    """How a project is. Paused is a choice of its operator, so it counts as up."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    PAUSED = "paused"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The result of one probe; `reason` says what was wrong, also with a project that is up."""

    state: State
    reason: Reason | None
    seconds: float
    version: str = ""  # as the project tells it, when it can be a label

    @property
    def up(self) -> bool:
        """Whether the project answers for itself (also when it says degraded or paused)."""
        return self.state is not State.DOWN


def verdict(probes: Sequence[Probe]) -> Probe:
    """Return the one that counts: a good one if there is any, else the last."""
    return next((probe for probe in probes if probe.up), probes[-1])


def judge(answer: Answer, *, slow_after: float) -> Probe:
    """Say what *answer* means, by docs/endpoint-contract.md.

    A healthy project that takes more than *slow_after* seconds is degraded.
    """
    if answer.reason:
        return Probe(state=State.DOWN, reason=answer.reason, seconds=answer.seconds)
    try:
        said = decoded(answer.body)
        state = State(said["status"])  # type: ignore[index]  # what is no mapping is a TypeError
        version = said.get("version") or ""  # type: ignore[attr-defined]
    except (ValueError, KeyError, TypeError):
        return Probe(state=State.DOWN, reason=Reason.BODY, seconds=answer.seconds)
    reason = None if answer.is_json else Reason.CONTENT_TYPE
    if state is State.DOWN:
        reason = Reason.BODY  # the contract has no 200 that says down
    elif state is State.HEALTHY and answer.seconds > slow_after:
        state = State.DEGRADED
    known = version if isinstance(version, str) and VERSION.fullmatch(version) else ""
    if known != version and reason is None:
        reason = Reason.VALUE
    return Probe(state=state, reason=reason, seconds=answer.seconds, version=known)
