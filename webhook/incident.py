"""An incident: what one project's alerts became, and what may happen to it next."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.errors import OrchestratorError

DOWN = "ProjectDown"  # the alert whose episodes are downtime

# What `held_by` says beside the names of guards, and the one guard that others have to know.
FLEET = "fleet"  # it fell with many others
EVIDENCE = "evidence"  # a look of ours speaks against its alert
UNCONFIGURED = "unknown_project"  # its project was never configured


class State(StrEnum):
    """Where an incident stands."""

    OPEN = "open"  # its alert fires, and nothing is being done yet
    AWAITING_APPROVAL = "awaiting_approval"  # a human has to allow the next action
    REPAIRING = "repairing"  # an action was chosen; it is about to run, or runs
    VERIFYING = "verifying"  # the action ran; nothing is proven
    MITIGATED = "mitigated"  # paused by us: harmless, not healed
    ESCALATED = "escalated"  # people were asked
    RESOLVED = "resolved"  # our repair is proven
    CLOSED = "closed"  # it ended without a proven repair of ours


_S = State
NEXT: dict[State, frozenset[State]] = {
    _S.OPEN: frozenset({_S.AWAITING_APPROVAL, _S.REPAIRING, _S.ESCALATED, _S.CLOSED}),
    _S.AWAITING_APPROVAL: frozenset({_S.OPEN, _S.REPAIRING, _S.ESCALATED, _S.CLOSED}),
    # Both end by themselves where no alert is: a person asked for the action, and hears of it.
    _S.REPAIRING: frozenset({_S.OPEN, _S.VERIFYING, _S.ESCALATED, _S.CLOSED}),
    _S.VERIFYING: frozenset({_S.OPEN, _S.MITIGATED, _S.ESCALATED, _S.RESOLVED, _S.CLOSED}),
    _S.MITIGATED: frozenset({_S.OPEN, _S.REPAIRING, _S.ESCALATED, _S.CLOSED}),
    _S.ESCALATED: frozenset({_S.OPEN, _S.REPAIRING, _S.CLOSED}),  # a person asks for an action
    _S.RESOLVED: frozenset({_S.OPEN}),
    _S.CLOSED: frozenset({_S.OPEN}),
}

ENDED = frozenset({State.RESOLVED, State.CLOSED})
KEEPS_RECOVERY = ENDED | {State.VERIFYING, State.ESCALATED}


class ForbiddenMove(OrchestratorError):
    """The incident cannot go from where it is to where it was sent."""

    def __init__(self, incident: "Incident", to: State) -> None:
        super().__init__(f"incident {incident.id}: cannot go from {incident.state} to {to}")
        self.incident, self.to = incident, to


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One alert from its first firing to its end. Its instants are Alertmanager's, not ours."""

    id: int
    fingerprint: str
    alertname: str
    project: str
    started_at: datetime
    received_at: datetime  # by our clock
    ended_at: datetime | None = None
    silenced: str | None = None  # by whom and until when people silenced it, as a sentence

    @property
    def open(self) -> bool:
        """Whether Alertmanager has not told us of its end."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """All of a project's alerts that may be repaired, from the first firing to the last end."""

    id: int
    project: str
    state: State
    since: datetime  # when it came into this state
    opened_at: datetime  # the last time
    due_at: datetime | None  # when it wants attention next; None once it has ended
    held: str | None = None  # why nothing is done at the moment, for people
    held_by: str | None = None  # the guard, when it is one
    recovered_at: datetime | None = None  # the first good probe of the verification under way,
    # or the first look at which what we paused was calm
    escalated_at: datetime | None = None
    ended_at: datetime | None = None
    asked_about: tuple[str, ...] = ()  # the alerts that people were told of

    def move(self, to: State, *, at: datetime) -> "Incident":
        """Return this incident in the state *to*, due at once; raise ForbiddenMove."""
        if to not in NEXT[self.state]:
            raise ForbiddenMove(self, to)
        over = to in ENDED
        return replace(
            self,
            state=to,
            since=at,
            due_at=None if over else at,
            ended_at=at if over else None,
            held=None,
            held_by=None,
            recovered_at=self.recovered_at if to in KEEPS_RECOVERY else None,
            escalated_at=at if to is State.ESCALATED else self.escalated_at,
        )

    def wait(
        self, until: datetime, *, held: str | None = None, by: str | None = None
    ) -> "Incident":
        """Return this incident where it is, to be looked at again at *until*."""
        return replace(self, due_at=until, held=held, held_by=by)

    def news_beside(self, before: "Incident") -> bool:
        """Tell whether what holds it is another reason than *before*.

        A guard may put it in other words at every look, as when it counts.
        """
        counts = self.held_by == before.held_by == FLEET
        return not counts and self.held != before.held

    def seen(self, at: datetime) -> "Incident":
        """Return this incident with no instant of its past after *at*.

        A clock that was set back would else make every wait longer by as much.
        """
        recovered = self.recovered_at and min(self.recovered_at, at)
        return replace(self, since=min(self.since, at), recovered_at=recovered)


def no_alert(project: str, *, at: datetime) -> Episode:
    """Return what stands for the alert where there is none: an episode that is over, of no name."""
    return Episode(
        id=0,
        fingerprint="",
        alertname="",
        project=project,
        started_at=at,
        received_at=at,
        ended_at=at,
    )


def downtime(episodes: tuple[Episode, ...]) -> timedelta | None:
    """Return how long the project was down: the sum of its ended ProjectDown episodes.

    None when it was never down. Both ends come from Prometheus, so no clock of ours takes part.
    """
    spells = [
        episode.ended_at - episode.started_at
        for episode in episodes
        if episode.alertname == DOWN and episode.ended_at is not None
    ]
    return sum(spells, timedelta(0)) if spells else None
