"""Stories of incidents, with everything that a test does not care about filled in."""

from datetime import datetime, timedelta

from tests.webhook import make
from tests.webhook.make import NOW
from webhook import action as law
from webhook.action import Action
from webhook.approval import Approval, Decision
from webhook.incident import Episode, State
from webhook.story import Story


def at(seconds: float) -> datetime:
    """Return the instant so many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def down(begin: float = 2, end: float | None = 10, **changes: object) -> Episode:
    """Make a ProjectDown episode."""
    over = None if end is None else at(end)
    return make.episode(started_at=at(begin), ended_at=over, **changes)


def high(begin: float = 2, end: float | None = 10, name: str = "ProjectHighCPU") -> Episode:
    """Make an episode of another alert."""
    return down(begin, end, alertname=name)


def tried(
    state: law.State = law.State.COMPLETED, name: str = "restart_service", **changes: object
) -> Action:
    """Make an attempt."""
    return make.action(state=state, name=name, **changes)


def asked(decision: Decision | None = None, **changes: object) -> Approval:
    """Make approval 12."""
    given: dict[str, object] = {
        "id": 12,
        "action": "key-1",
        "incident": 1,
        "project": "email-blast",
        "bound": "",
        "question": "restart_service on email-blast waits for a human: it is critical",
        "asked_at": NOW,
        "expires_at": at(300),
        "decision": decision,
    }
    return Approval(**{**given, **changes})  # type: ignore[arg-type]  # by name


RESOLVED = make.incident(state=State.RESOLVED, ended_at=at(20))
CLOSED = make.incident(state=State.CLOSED, ended_at=at(20))
FAILED, COMPLETED = law.State.FAILED, law.State.COMPLETED


def story(*episodes: Episode, **changes: object) -> Story:
    """Make a story, resolved unless it is told otherwise."""
    given: dict[str, object] = {"incident": RESOLVED, "episodes": episodes}
    return Story(**{**given, **changes})  # type: ignore[arg-type]  # by name
