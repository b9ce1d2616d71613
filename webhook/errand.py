"""An errand: what a person asked for by hand, and how it ends when no alert decides that."""

from dataclasses import replace
from datetime import datetime

from webhook import action as law
from webhook import event
from webhook.action import Action
from webhook.case import Case
from webhook.change import Change
from webhook.event import Event
from webhook.incident import State, downtime
from webhook.outcome import closed
from webhook.request import Request


def turned_down(case: Case, request: Request, now: datetime) -> Change:
    """Do nothing of what a person asked for; where it was all there was, that is the end."""
    told = event.turned_down(case.incident, request, at=now)
    why = f"{request.outcome}: {request.why}"
    if not case.episodes:
        over = closed(case, why, now)
        return replace(over, events=(told, *over.events), request=request)
    after = replace(case.incident, due_at=now)  # what its alerts ask for comes next
    return Change(before=case.incident, after=after, events=(told,), reason=why, request=request)


def done(case: Case, action: Action, now: datetime) -> Change:
    """Note that what a person asked for is proven, and that there is nothing else to be done."""
    over = action.move(law.State.COMPLETED, at=now, detail="proven")
    return _ended(case, over, "was proven", now)


def in_vain(
    case: Case, action: Action, why: str, now: datetime, *, leaves: law.State, output: str = ""
) -> Change:
    """Note that what a person asked for did not help; with no alert, that is the end of it."""
    over = action.move(leaves, at=now, detail=why)
    return _ended(case, replace(over, output=output or action.output), why, now)


def _ended(case: Case, over: Action, came_of: str, now: datetime) -> Change:
    by = case.request.asked_by if case.request else "a person"
    proven = over.state is law.State.COMPLETED
    how = f"{over.name}, asked for by {by}{', ' if proven else ': '}{came_of}"
    told: tuple[Event, ...] = ()
    if proven:
        told = (event.proven(case.incident, over, how, at=now),)
    elif over.state is law.State.FAILED:
        told = event.failed(case.incident, over, came_of, at=now)
    return Change(
        before=case.incident,
        after=case.incident.move(State.CLOSED, at=now),
        action_was=case.action,
        action_became=(over,),
        events=(*told, event.closed(case.incident, how, downtime(case.episodes), at=now)),
        reason=how,
    )
