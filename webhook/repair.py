"""Repair: one step at a time, from an incident as it stands to what becomes of it.

Read this file first. A step looks at a claimed incident, does at most one thing in the world, and
returns a Change that the store commits whole:

1. open:       decide by policy, look at the project and at Prometheus, then commit the intent:
               the action is executing, and nothing has happened yet.
2. repairing:  send the command, under the action's key. A crash before or after comes back to
               this line, and the key makes the command happen once. An intent that is older than a
               minute is not sent any more: the project may have been healed by others since.
3. verifying:  look until it is proven (resolved), has not helped (open again) or cannot be told
               (escalated).
4. escalated:  people are asked; it closes when the alert has ended and a probe agrees.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.clock import Clock
from orchestrator.config import Config
from orchestrator.health import Probe
from orchestrator.project import Project
from webhook import action as law
from webhook import event, policy, verification
from webhook.action import Action
from webhook.case import Case, Change
from webhook.event import Event
from webhook.executor import Done, Outcome, Unanswered
from webhook.incident import DOWN, State, downtime
from webhook.verification import Sighting, Standing

LOOK_AGAIN = timedelta(seconds=2)  # while only something outside can move the incident on
RESEND_FOR = timedelta(seconds=60)  # from the intent: how long an unanswered command is sent again
RESEND_AFTER = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Everything that a step needs from the world, as functions."""

    now: Clock
    new_key: Callable[[], str]
    probe: Callable[[Project], Awaitable[Probe]]  # confirmed: a single lost packet is not down
    standing: Callable[[str, str], Awaitable[Standing | None]]  # alert name, project
    execute: Callable[[Project, Action], Awaitable[Outcome]]


async def step(case: Case, config: Config, effects: Effects) -> Change:
    """Take the one next step for *case*. Raises nothing that an outside party can cause."""
    project = config.projects.get(case.incident.project)
    match case.incident.state:
        case State.OPEN:
            return await _open(case, project, config, effects)
        case State.REPAIRING if project and case.action:
            return await _execute(case, case.action, project, effects)
        case State.VERIFYING if project and case.action:
            return await _verify(case, case.action, project, config, effects)
        case State.ESCALATED:
            return await _escalated(case, project, config, effects)
        case _:
            what = f"{case.incident.project} was removed from orchestrator.yml during its repair"
            return _escalate(case, what, effects.now())


async def _open(case: Case, project: Project | None, config: Config, effects: Effects) -> Change:
    worst = policy.worst(case.episodes, config.playbooks)
    if worst is None:
        return await _close(case, project, config, effects)
    now = effects.now()
    decision = policy.decide(
        worst, project, case.attempts, playbooks=config.playbooks, guards=config.guards, now=now
    )
    match decision:
        case policy.Act():
            return await _begin(case, decision, config.projects[case.incident.project], effects)
        case policy.Hold():
            return _hold(case, decision.reason, now, until=decision.until)
        case policy.Escalate():
            return _escalate(case, decision.reason, now)


async def _begin(case: Case, act: policy.Act, project: Project, effects: Effects) -> Change:
    """Commit the intent, if the project is as bad as the alert says."""
    probe = await effects.probe(project)
    standing = await effects.standing(act.alertname, project.name)
    now = effects.now()
    objection = verification.objection(project.name, act.alertname, probe, standing)
    if objection is not None:
        return _hold(case, objection, now)
    pending = Action(
        key=effects.new_key(),
        incident=case.incident.id,
        project=project.name,
        name=act.action,
        alertname=act.alertname,
        attempt=act.attempt,
        state=law.State.PENDING,
        created_at=now,
    )
    approved = pending.move(law.State.APPROVED, at=now, detail="no approval needed")
    executing = approved.move(law.State.EXECUTING, at=now)
    return Change(
        before=case.incident,
        after=case.incident.move(State.REPAIRING, at=now),
        action_became=(pending, approved, executing),
        events=(event.started(case.incident, executing, at=now),),
    )


async def _execute(case: Case, action: Action, project: Project, effects: Effects) -> Change:
    if effects.now() >= case.incident.since + RESEND_FOR:  # we were away: what it saw has passed
        return _failed(case, action, case.incident.held or "it was never answered", effects.now())
    outcome = await effects.execute(project, action)
    now = effects.now()
    if isinstance(outcome, Done):
        told = event.executed(case.incident, action, outcome.detail, at=now)
        after = case.incident.move(State.VERIFYING, at=now)
        return Change(before=case.incident, after=after, events=(told,))
    if isinstance(outcome, Unanswered):
        waiting = case.incident.wait(now + RESEND_AFTER, held=outcome.detail)
        return Change(before=case.incident, after=waiting)
    return _failed(case, action, outcome.detail, now)


async def _verify(
    case: Case, action: Action, project: Project, config: Config, effects: Effects
) -> Change:
    probe = await effects.probe(project)
    standing = await effects.standing(action.alertname, project.name) if probe.up else None
    now = effects.now()
    seen = Sighting(probe=probe, standing=standing, at=now)
    again = now + config.verification.every
    verdict = verification.judge(case.incident, action, case.episodes, seen, config.verification)
    match verdict:
        case verification.Waiting():
            waiting = case.incident.wait(again, held=verdict.for_what)
            if not probe.up:  # it has to stay up from one good probe to the proof
                waiting = replace(waiting, recovered_at=None)
            return Change(before=case.incident, after=waiting)
        case verification.Recovered():
            told = event.recovering(case.incident, action, at=now)
            after = replace(case.incident.wait(again), recovered_at=now)
            return Change(before=case.incident, after=after, events=(told,))
        case verification.Proven():
            return _resolve(case, action, now)
        case verification.Ineffective():
            return _failed(case, action, verdict.why, now)
        case verification.Inconclusive():
            return _escalate(case, verdict.why, now)


async def _escalated(
    case: Case, project: Project | None, config: Config, effects: Effects
) -> Change:
    if not any(episode.open for episode in case.episodes):
        return await _close(case, project, config, effects)
    waiting = case.incident.wait(effects.now() + LOOK_AGAIN, held=case.incident.held)
    return Change(before=case.incident, after=waiting)


async def _close(case: Case, project: Project | None, config: Config, effects: Effects) -> Change:
    """Close what ended without us, when a probe agrees: "resolved" alone is no proof."""
    if project is not None and not (await effects.probe(project)).up:
        what = f"the alert has ended, and {project.name} does not answer"
        late = effects.now() > case.incident.since + config.verification.prove_within
        if late and case.incident.state is State.OPEN:  # nobody else would ever tell people
            return _escalate(case, what, effects.now())
        return _hold(case, what, effects.now())
    now = effects.now()
    how = "recovered by itself"
    if case.incident.state is State.ESCALATED:
        how = "recovered after people were asked"
    if project is None:
        how = "removed from orchestrator.yml"
    told = event.closed(case.incident, how, downtime(case.episodes), at=now)
    return Change(
        before=case.incident,
        after=case.incident.move(State.CLOSED, at=now),
        events=(*_up_again(case, now), told),
        reason=how,
    )


def _resolve(case: Case, action: Action, now: datetime) -> Change:
    told = event.resolved(case.incident, action, downtime(case.episodes), at=now)
    return Change(
        before=case.incident,
        after=case.incident.move(State.RESOLVED, at=now),
        action_was=action,
        action_became=(action.move(law.State.COMPLETED, at=now, detail="proven"),),
        events=(*_up_again(case, now), told),
    )


def _failed(case: Case, action: Action, why: str, now: datetime) -> Change:
    return Change(
        before=case.incident,
        after=case.incident.move(State.OPEN, at=now),
        action_was=action,
        action_became=(action.move(law.State.FAILED, at=now, detail=why),),
        events=event.failed(case.incident, action, why, at=now),
        reason=why,
    )


def _hold(case: Case, reason: str, now: datetime, *, until: datetime | None = None) -> Change:
    """Do nothing for now; readers are told once, not at every look."""
    news = case.incident.held != reason
    return Change(
        before=case.incident,
        after=case.incident.wait(until or now + LOOK_AGAIN, held=reason),
        events=(event.withheld(case.incident, reason, at=now),) if news else (),
        reason=reason,
    )


def _escalate(case: Case, reason: str, now: datetime) -> Change:
    """Ask people. An action that is under way is in doubt from here on."""
    doubt = case.action and case.action.move(law.State.UNKNOWN, at=now, detail=reason)
    return Change(
        before=case.incident,
        after=case.incident.move(State.ESCALATED, at=now).wait(now + LOOK_AGAIN, held=reason),
        action_was=case.action,
        action_became=(doubt,) if doubt else (),
        events=(event.escalated(case.incident, reason, at=now),),
        reason=reason,
    )


def _up_again(case: Case, now: datetime) -> tuple[Event, ...]:
    if not any(episode.alertname == DOWN for episode in case.episodes):
        return ()
    return (event.status_changed(case.incident, was="down", now="healthy", at=now),)
