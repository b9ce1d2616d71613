"""A recovery: what was healed, and how long that took, the time of people left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from webhook.action import Action
from webhook.case import Case
from webhook.change import Change
from webhook.incident import DOWN, State

NOTHING = timedelta(0)


class Trouble(StrEnum):
    """What was healed: a label of a metric."""

    OUTAGE = "outage"  # the project was down
    OTHER = "other"  # its rule needs a minute or more to see any repair


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """A repair that is proven."""

    trouble: Trouble
    took: timedelta  # from the committed alert to the proof


def recovery(case: Case, change: Change) -> Recovery | None:
    """Return what *change* has healed in *case*; None: nothing.

    It takes from the first alert of the kind that was repaired. For how long an attempt waited for
    a yes, is left out: from the question to its intent.
    """
    action, proven_at = change.action_was, change.after.ended_at
    if change.after.state is not State.RESOLVED or action is None or proven_at is None:
        return None
    began = _began(case, action)
    waited = sum(_waits(case, since=began), NOTHING)
    return Recovery(
        trouble=Trouble.OUTAGE if action.alertname == DOWN else Trouble.OTHER,
        took=max(proven_at - began - waited, NOTHING),
    )


def _began(case: Case, action: Action) -> datetime:
    opened_at = case.incident.opened_at
    came = (each.received_at for each in case.episodes if each.alertname == action.alertname)
    return max(min(came, default=opened_at), opened_at)


def _waits(case: Case, *, since: datetime) -> Iterator[timedelta]:
    """Yield the wait of each attempt; one that nobody was asked about is begun as it is made."""
    incident = case.incident
    for each in case.attempts:
        ours = (each.incident, each.opened_at) == (incident.id, incident.opened_at)
        if ours and each.executed_at is not None:
            yield max(each.executed_at - max(each.created_at, since), NOTHING)
