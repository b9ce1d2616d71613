"""An outcome: each thing that a step can make of an incident, as the change to be stored."""

from dataclasses import replace
from datetime import datetime, timedelta

from webhook import action as law
from webhook import event
from webhook.action import Action
from webhook.analyzer.analysis import Situation
from webhook.approval import Question
from webhook.briefing import Briefing
from webhook.case import Case
from webhook.change import Change
from webhook.event import Event
from webhook.guard import Block
from webhook.incident import DOWN, EVIDENCE, State, downtime
from webhook.request import Request

LOOK_AGAIN = timedelta(seconds=2)  # while only something outside can move the incident on
LOOK_LATER = timedelta(seconds=15)  # while a guard says no; a change rings before that
LOOK_LAST = timedelta(seconds=60)  # at one of a fleet that has fallen
BE_QUICK = timedelta(minutes=2)  # for so long a thing that is not as it was said may change


def waiting(case: Case, now: datetime, *, why: str | None, after: timedelta = LOOK_AGAIN) -> Change:
    """Leave it as it is, and look again."""
    return Change(before=case.incident, after=case.incident.wait(now + after, held=why))


def objected(case: Case, why: str, now: datetime, *, contradicted: bool = False) -> Change:
    """Do nothing, for what was seen speaks against it; readers are told once, not at every look.

    When the alert is *contradicted*, and not only unclear, it counts against nobody else.
    """
    fresh = now < case.incident.since + BE_QUICK
    until = now + (LOOK_AGAIN if fresh else LOOK_LATER)
    return _withheld(case, why, now, until=until, by=EVIDENCE if contradicted else None)


def blocked(case: Case, block: Block, now: datetime, page: Briefing | None = None) -> Change:
    """Do nothing, for a guard says so, before its end or for a while."""
    latest = now + (LOOK_LAST if block.fell else LOOK_LATER)
    until = latest if block.until is None else max(now, min(block.until, latest))
    return replace(_withheld(case, block.reason, now, until=until, by=block.guard), page=page)


def _withheld(case: Case, why: str, now: datetime, *, until: datetime, by: str | None) -> Change:
    after = case.incident.wait(until, held=why, by=by)
    news = after.news_beside(case.incident)
    return Change(
        before=case.incident,
        after=after,
        events=(event.withheld(case.incident, why, at=now),) if news else (),
        reason=why,
    )


def kept(case: Case, now: datetime, *, well_since: datetime | None = None) -> Change:
    """Leave it with people, and look again: soon when all has ended, or else news tells of it."""
    incident = case.incident
    over = not any(episode.open for episode in case.episodes)
    until = now + (LOOK_AGAIN if over else LOOK_LAST)
    after = incident.wait(until, held=incident.held, by=incident.held_by)
    return Change(before=incident, after=replace(after, recovered_at=well_since))


def still(case: Case, why: str, now: datetime, *, calm_since: datetime | None) -> Change:
    """Leave paused what is paused, and note since when it has been calm (None: it is not)."""
    after = case.incident.wait(now + LOOK_AGAIN, held=why)
    return Change(before=case.incident, after=replace(after, recovered_at=calm_since))


def consulted(case: Case, about: Situation, why: str, now: datetime) -> Change:
    """Put the outage to the analyzer, and wait for its answer."""
    return Change(
        before=case.incident,
        after=case.incident.wait(now + LOOK_AGAIN, held=why),
        events=(event.consulted(case.incident, about, at=now),),
        consults=about,
        reason=why,
    )


def advised(case: Case, why: str, now: datetime) -> Change:
    """Do nothing, because the analyzer advises that, or because it may only be observed."""
    after = case.incident.wait(now + LOOK_LATER, held=why)
    return Change(before=case.incident, after=after, reason=why)


def begun(
    case: Case,
    action: Action,
    now: datetime,
    *,
    at_most: int,
    detail: str,
    request: Request | None = None,
) -> Change:
    """Commit the intent: the action is executing, and nothing has happened yet."""
    approved = action.move(law.State.APPROVED, at=now, detail=detail)
    executing = approved.move(law.State.EXECUTING, at=now)
    known = case.action is not None
    return Change(
        before=case.incident,
        after=case.incident.move(State.REPAIRING, at=now),
        action_was=case.action,
        action_became=(approved, executing) if known else (action, approved, executing),
        events=(event.started(case.incident, executing, at=now, request=request),),
        at_most=at_most,
        reason=detail,
        request=request,
    )


def shadowed(case: Case, action: Action, would: str, reason: str, now: datetime) -> Change:
    """Record *action* instead of taking it; what comes after it is decided at once."""
    incident = case.incident
    return Change(
        before=incident,
        after=incident.wait(now, held=incident.held, by=incident.held_by),
        action_became=(action, action.move(law.State.SHADOWED, at=now, detail=reason)),
        events=(event.shadowed(incident, action, would, reason, at=now),),
        reason=reason,
    )


def asked(
    case: Case, action: Action, question: Question, page: Briefing, *, now: datetime
) -> Change:
    """Ask people whether *action* may be taken."""
    waits = case.incident.move(State.AWAITING_APPROVAL, at=now)
    return Change(
        before=case.incident,
        after=waits.wait(now + LOOK_AGAIN, held=question.text),
        action_became=(action,),
        events=(event.approval_requested(case.incident, action, question, at=now),),
        question=question,
        page=page,
        reason=question.text,
    )


def withdrawn(case: Case, action: Action, why: str, now: datetime) -> Change:
    """Take the question back: what it was about is not so any more."""
    return Change(
        before=case.incident,
        after=case.incident.move(State.OPEN, at=now),
        action_was=action,
        action_became=(action.move(law.State.CANCELLED, at=now, detail=why),),
        events=(event.approval_withdrawn(case.incident, action, why, at=now),),
        reason=why,
    )


def executed(case: Case, action: Action, detail: str, output: str, *, now: datetime) -> Change:
    """Note that the command was carried out; the verification begins."""
    printed = replace(action, detail=detail, output=output)
    return Change(
        before=case.incident,
        after=case.incident.move(State.VERIFYING, at=now),
        action_was=action if output else None,
        action_became=(printed,) if output else (),
        events=(event.executed(case.incident, action, detail, at=now),),
    )


def recovering(case: Case, action: Action, now: datetime, *, again: timedelta) -> Change:
    """Note the first good probe after an attempt."""
    return Change(
        before=case.incident,
        after=replace(case.incident.wait(now + again), recovered_at=now),
        events=(event.recovering(case.incident, action, at=now),),
    )


def resolved(case: Case, action: Action, now: datetime) -> Change:
    """Tell that a repair of ours is proven."""
    told = event.resolved(case.incident, action, downtime(case.episodes), at=now)
    return Change(
        before=case.incident,
        after=case.incident.move(State.RESOLVED, at=now),
        action_was=action,
        action_became=(action.move(law.State.COMPLETED, at=now, detail="proven"),),
        events=(*_up_again(case, now), told),
    )


def partly(case: Case, action: Action, why: str, now: datetime) -> Change:
    """Note that an attempt is proven, and that another alert of the project goes on."""
    return Change(
        before=case.incident,
        after=case.incident.move(State.OPEN, at=now),
        action_was=action,
        action_became=(action.move(law.State.COMPLETED, at=now, detail="proven"),),
        events=(event.proven(case.incident, action, why, at=now),),
        reason=why,
    )


def mitigated(case: Case, action: Action, now: datetime) -> Change:
    """Note that the harm is stopped and nothing is healed."""
    told = event.mitigated(case.incident, action, at=now)
    return Change(
        before=case.incident,
        after=case.incident.move(State.MITIGATED, at=now),
        action_was=action,
        action_became=(action.move(law.State.COMPLETED, at=now, detail="as it was meant"),),
        events=(told,),
    )


def failed(case: Case, action: Action, why: str, now: datetime, *, output: str = "") -> Change:
    """Note that an attempt did not help; what comes next is decided anew."""
    over = action.move(law.State.FAILED, at=now, detail=why)
    return Change(
        before=case.incident,
        after=case.incident.move(State.OPEN, at=now),
        action_was=action,
        action_became=(replace(over, output=output or action.output),),
        events=event.failed(case.incident, action, why, at=now),
        reason=why,
    )


def escalated(
    case: Case,
    reason: str,
    now: datetime,
    page: Briefing,
    *,
    leaves: law.State = law.State.UNKNOWN,
    by: str | None = None,
) -> Change:
    """Ask people. An action that is under way is in doubt from here on, or as *leaves* says."""
    told = {each.alertname for each in case.episodes if each.open}
    told = told or {each.alertname for each in case.episodes}
    asked_about = tuple(sorted(told.union(case.incident.asked_about)))
    moved = replace(case.incident.move(State.ESCALATED, at=now), asked_about=asked_about)
    left = case.action and case.action.move(leaves, at=now, detail=reason)
    did_not_help = left is not None and leaves is law.State.FAILED
    failure = event.failed(case.incident, left, reason, at=now) if left and did_not_help else ()
    return Change(
        before=case.incident,
        after=moved.wait(now + LOOK_AGAIN, held=reason, by=by),
        action_was=case.action,
        action_became=(left,) if left else (),
        events=(*failure, event.escalated(case.incident, reason, at=now)),
        page=page,
        reason=reason,
    )


def reopened(case: Case, why: str, now: datetime) -> Change:
    """Decide anew: something happened that whoever waits does not know of."""
    return Change(before=case.incident, after=case.incident.move(State.OPEN, at=now), reason=why)


def closed(case: Case, how: str, now: datetime, *, forgive: datetime | None = None) -> Change:
    """Close what ended without a proven repair of ours."""
    told = event.closed(case.incident, how, downtime(case.episodes), at=now)
    over = not any(episode.open for episode in case.episodes)
    return Change(
        before=case.incident,
        after=case.incident.move(State.CLOSED, at=now),
        action_was=case.action,
        action_became=_dropped(case.action, how, now),
        events=(*(_up_again(case, now) if over else ()), told),
        reason=how,
        forgive=forgive,
    )


def _dropped(action: Action | None, how: str, now: datetime) -> tuple[Action, ...]:
    if action is None:
        return ()
    under_way = action.state is law.State.EXECUTING
    to = law.State.UNKNOWN if under_way else law.State.CANCELLED
    return (action.move(to, at=now, detail=how),)


def _up_again(case: Case, now: datetime) -> tuple[Event, ...]:
    if not any(episode.alertname == DOWN for episode in case.episodes):
        return ()
    return (event.status_changed(case.incident, was="down", now="healthy", at=now),)
