"""A recovery: what was healed by itself, and how long that took, the time of people left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from webhook.action import Action
from webhook.action import State as ActionState
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
    """Return what *change* has healed in *case*; None: nothing, or people had a hand in it.

    It takes from the first alert of the kind that was repaired and not proven well before. For how
    long an attempt waited for a yes, is left out: from the question to its intent. For how long
    people had what they were asked to repair, nobody has written down, so such a one is none.
    """
    action, proven_at = change.action_was, change.after.ended_at
    if change.after.state is not State.RESOLVED or action is None or proven_at is None:
        return None
    began = _began(case, action)
    escalated_at = case.incident.escalated_at
    if case.request is not None or (escalated_at is not None and escalated_at >= began):
        return None
    waited = sum(_waits(case, since=began), NOTHING)
    return Recovery(
        trouble=Trouble.OUTAGE if action.alertname == DOWN else Trouble.OTHER,
        took=max(proven_at - began - waited, NOTHING),
    )


def _began(case: Case, action: Action) -> datetime:
    """Return when what *action* has healed began: what was proven well before is another matter."""
    well_at = max(_proofs(case, action), default=case.incident.opened_at)
    came = (
        each.received_at
        for each in case.episodes
        if each.alertname == action.alertname
        and (each.ended_at is None or max(each.received_at, each.ended_at) > well_at)
    )
    return max(min(came, default=well_at), case.incident.opened_at)


def _proofs(case: Case, action: Action) -> Iterator[datetime]:
    """Yield when the alert of *action* was proven over by the attempts before it."""
    for each in _ours(case):
        same = each.alertname == action.alertname and each.key != action.key
        if same and each.state is ActionState.COMPLETED and each.finished_at is not None:
            yield each.finished_at


def _waits(case: Case, *, since: datetime) -> Iterator[timedelta]:
    """Yield the wait of each attempt; one that nobody was asked about is begun as it is made."""
    for each in _ours(case):
        if each.executed_at is not None:
            yield max(each.executed_at - max(each.created_at, since), NOTHING)


def _ours(case: Case) -> Iterator[Action]:
    """Yield the attempts since the incident was opened the last time."""
    incident = case.incident
    for each in case.attempts:
        if (each.incident, each.opened_at) == (incident.id, incident.opened_at):
            yield each
