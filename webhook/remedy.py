"""A remedy: what may be done to a project, and what is true of every attempt at it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from orchestrator.health import Probe, State

DOES_NOT_ANSWER = "does not answer"
IS_PAUSED = "is paused; somebody chose so"


class Way(StrEnum):
    """Who carries it out, and so what is known of it after a crash."""

    CONTROL = "control"  # the project's control; it does each Idempotency-Key once
    COMMAND = "command"  # a process of ours; nobody remembers whether it ran


class Goal(StrEnum):
    """What the verification has to see before an attempt counts as completed."""

    HEALED = "healed"  # it answers, and the alert is gone
    PAUSED = "paused"  # it answers and says so: harmless, not healed
    STOPPED = "stopped"  # it does not answer any more, as was wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a project was like just before an attempt."""

    probe: Probe
    deployed_ago: timedelta | None = None  # by Prometheus' clock; None: not known
    recent: timedelta = timedelta(days=1)  # a deployment younger than this may be to blame

    @property
    def paused(self) -> bool:
        """Whether it says so itself."""
        return self.probe.state is State.PAUSED


Precondition = Callable[[Look], str | None]  # why not, as the rest of "<project> ..."; None: it may


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """One entry of the catalogue."""

    name: str  # as playbooks, controls, metrics and people call it
    done: str  # how its success reads in a sentence: "recovered after <done>"
    way: Way
    disruptive: bool  # whether it takes from a project that works; a critical one asks people then
    precondition: Precondition
    goal: Goal = Goal.HEALED
    undo: str | None = None  # the remedy that takes it back
    repeatable: bool = True  # whether doing it twice does no harm
    failed_event: str | None = None  # the event, beside ActionFailed, that tells of its failure


def not_at_work(look: Look) -> str | None:
    """Say why a project cannot be asked to do something to itself; None: it can."""
    if not look.probe.up:
        return DOES_NOT_ANSWER
    return IS_PAUSED if look.paused else None
