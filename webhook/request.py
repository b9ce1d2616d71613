"""A request: a person asks for one action on one project, by hand, and hears what came of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.errors import OrchestratorError
from webhook.guard import DRY_RUN, GUARDS, Block

# Since then people have looked again, or gone home: what is that old is never done.
TAKE_WITHIN = timedelta(minutes=5)

# What speaks against an action beside the guards, by the name that a person may override it with.
ATTEMPTS = "attempts"
BREAKER = "breaker"
PRECONDITION = "precondition"

KNOWN = (*GUARDS, ATTEMPTS, BREAKER, PRECONDITION)
# Who has said that nothing goes out meant this, too; it can be taken back, and not talked around.
FIRM = {
    "kill_switch": "lift it first",
    "observe": "let the project have `mode: act`, and the webhook no --dry-run, first",
    DRY_RUN: "take it out of orchestrator.yml first",
}
FORCIBLE = tuple(name for name in KNOWN if name not in FIRM)


class CannotForce(OrchestratorError):
    """A guard was to be overridden that there is not, or that nobody may override."""


class Outcome(StrEnum):
    """How a request ended. One that was taken is an action from there on."""

    TAKEN = "taken"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. It is open until it has an outcome."""

    id: int
    project: str
    action: str
    reason: str
    forced: tuple[str, ...]  # the guards that shall not hold it
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    incident: int
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    why: str | None = None  # it was not taken
    guard: str | None = None  # that held it
    until: datetime | None = None  # when that ends by itself
    overrode: tuple[str, ...] = ()  # of the forced ones, those that would have held it
    key: str | None = None  # of the action

    @property
    def open(self) -> bool:
        """Whether nobody has taken it up yet."""
        return self.outcome is None

    def late(self, now: datetime) -> bool:
        """Tell whether it is too old to be taken, or from the future: the clock was set back."""
        return not -TAKE_WITHIN < now - self.asked_at < self.expires_at - self.asked_at

    def stopped_by(self, blocks: Iterable[Block]) -> Block | None:
        """Return the first of *blocks* that the person has not overridden."""
        return next((block for block in blocks if block.guard not in self.forced), None)

    def taken(self, key: str, overrode: Sequence[str], *, at: datetime) -> "Request":
        """Return it as taken: the action *key* is what was asked for."""
        return replace(self, outcome=Outcome.TAKEN, ended_at=at, key=key, overrode=tuple(overrode))

    def refused(self, why: str, *, at: datetime, block: Block | None = None) -> "Request":
        """Return it as refused, by a guard or for another reason."""
        guard, until = (block.guard, block.until) if block else (None, None)
        return replace(
            self, outcome=Outcome.REFUSED, ended_at=at, why=why, guard=guard, until=until
        )

    def expired(self, *, at: datetime) -> "Request":
        """Return it as expired: it is neither done nor refused."""
        why = f"nobody took it up until {self.expires_at:%H:%M:%S} UTC"
        return replace(self, outcome=Outcome.EXPIRED, ended_at=at, why=why)


def forcing(names: Iterable[str]) -> tuple[str, ...]:
    """Return the guards that a person overrides, each once, in our order; raise CannotForce."""
    wanted = set(names)
    unknown = sorted(wanted - set(KNOWN))
    if unknown:
        raise CannotForce(f"{unknown[0]!r} is no guard; known: {', '.join(FORCIBLE)}")
    for name, what in FIRM.items():
        if name in wanted:
            raise CannotForce(f"{name} cannot be overridden; {what}")
    return tuple(name for name in KNOWN if name in wanted)
