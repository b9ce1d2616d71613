"""Standby: what becomes of an incident while it waits, for people, for calm, or for its end."""

from dataclasses import replace
from datetime import datetime

from orchestrator.config import Config
from orchestrator.health import State as Health
from webhook import action as law
from webhook import briefing, guard, outcome, policy, verification
from webhook.action import Action
from webhook.approval import Approval, Decision
from webhook.case import Case
from webhook.change import Change
from webhook.diagnosis import Gathered
from webhook.incident import Episode, State
from webhook.matter import Matter, open_episodes
from webhook.policy import Step
from webhook.remedy import Look

UNKNOWN = "unknown_project"  # what `held_by` says of a project that was never configured


async def look(matter: Matter, episode: Episode) -> tuple[Look, str | None]:
    """Look at the project and at Prometheus; the second is what speaks against touching it."""
    name, alertname, effects = matter.project.name, episode.alertname, matter.effects
    probe = await effects.probe(matter.project)
    standing = await effects.standing(alertname, name)
    why_not = verification.objection(name, alertname, probe, standing)
    deployed = None if standing is None or why_not else await effects.deployed_ago(name)
    return Look(probe=probe, deployed_ago=deployed), why_not


def without_project(case: Case, config: Config, now: datetime) -> Change:
    """Go on with an incident whose project is not configured, or is not any more.

    One that was never known is for people. One that left the configuration is closed as removed,
    also while its alert goes on: nobody wants to hear of it.
    """
    incident = case.incident
    over = not any(episode.open for episode in case.episodes)
    new = incident.state is State.OPEN and incident.held is None and not case.attempts
    if new and not over:
        reason = f"{incident.project} is not in orchestrator.yml"
        page = briefing.escalation(case, None, reason, Gathered(), url=config.url)
        return outcome.escalated(case, reason, now, page, by=UNKNOWN)
    if incident.state is State.ESCALATED and incident.held_by == UNKNOWN and not over:
        return outcome.kept(case, now)
    if incident.state in (State.REPAIRING, State.VERIFYING):
        reason = f"{incident.project} was removed from orchestrator.yml during its repair"
        page = briefing.escalation(case, None, reason, Gathered(), url=config.url)
        return outcome.escalated(case, reason, now, page)
    return outcome.closed(case, "removed from orchestrator.yml", now)


async def forgotten(matter: Matter) -> Change:
    """Go on where the action stands for nothing any more: its command was taken out."""
    action = matter.action
    what = f"{action.name} is not in orchestrator.yml any more"
    if action.state is law.State.PENDING:
        return outcome.withdrawn(matter.case, action, what, matter.effects.now())
    return await matter.escalate(f"{what}; whether it was done, or helped, is not known")


async def awaiting(matter: Matter) -> Change:
    """Wait for people to allow the action; look at everything again before it is taken."""
    case, action, asked = matter.case, matter.action, matter.case.approval
    now = matter.effects.now()
    worst = policy.worst(case.episodes, matter.config.playbooks)
    moot = _moot(matter, worst)
    if moot is not None or worst is None or asked is None:
        return outcome.withdrawn(case, action, moot or "nobody was asked", now)
    if asked.decision is Decision.REJECTED:
        what = f"{asked.decided_by} rejected {action.name}: {asked.reason}"
        return await matter.escalate(what, leaves=law.State.REJECTED)
    if now >= asked.expires_at:
        return await matter.escalate(_expired(action, asked), leaves=law.State.EXPIRED)
    if asked.decision is Decision.APPROVED:
        return await _allowed(matter, action, matter.step(action.name), worst)
    return outcome.waiting(case, now, why=asked.question)


def _moot(matter: Matter, worst: Episode | None) -> str | None:
    """Say why the question need not be answered any more; None: it stands."""
    action, asked = matter.action, matter.case.approval
    if worst is None:
        return "the alert has ended"
    if worst.alertname != action.alertname:
        return f"{worst.alertname} fires now"
    if action.name not in matter.config.playbooks.get(action.alertname, ()):
        return f"{action.name} is not in the playbook any more"
    if asked and asked.bound != matter.bound(matter.step(action.name), worst):
        return "what it was asked about has changed: the project, the outage, or the configuration"
    return None


def _expired(action: Action, asked: Approval) -> str:
    if asked.decision is Decision.APPROVED:
        return f"{asked.decided_by} allowed {action.name}, but until it expired nothing let it be"
    return f"nobody said yes or no to {action.name} in time"


async def _allowed(matter: Matter, action: Action, step: Step, episode: Episode) -> Change:
    scene = await matter.scene(episode, step)
    seen, why_not = await look(matter, episode)
    lack = step.remedy.precondition(replace(seen, recent=step.guards.recent_deployment))
    if why_not is None and lack is not None:
        why_not = f"no {action.name}: it {lack}"
    asked = matter.case.approval
    if why_not is not None:
        return outcome.objected(matter.case, why_not, matter.effects.now())
    block = guard.first_block(replace(scene, now=matter.effects.now()))
    if block is not None:
        return outcome.blocked(matter.case, block, matter.effects.now())
    by = asked.decided_by if asked else "nobody"
    return matter.begin(step, action.alertname, detail=f"allowed by {by}")


async def mitigated(matter: Matter) -> Change:
    """Wait until what we paused is calm, then resume it, once."""
    case, effects = matter.case, matter.effects
    done = policy.to_take_back(case.attempts)
    if done is None:
        return outcome.reopened(case, "nothing is paused by us", effects.now())
    probe = await effects.probe(matter.project)
    if probe.up and not verification.reached(matter.step(done.name).remedy.goal, probe):
        return outcome.reopened(case, "somebody has taken it back", effects.now())
    standing = await effects.standing(done.alertname, matter.project.name)
    now = effects.now()
    calm = standing is not None and not standing.holds
    if not calm or open_episodes(case.episodes, done.alertname):
        why = f"{done.alertname} has not ended" if standing else "Prometheus does not answer"
        return outcome.uncalm(case, f"{done.name} holds: {why}", now)
    return await _calm(matter, done, Look(probe=probe), now)


async def _calm(matter: Matter, done: Action, seen: Look, now: datetime) -> Change:
    case = matter.case
    undo = matter.step(policy.undo_of(done))
    since = case.incident.recovered_at or now
    ready = since + matter.step(done.name).guards.resume_after
    if now < ready:
        why = f"{done.name} holds until {ready:%H:%M:%S} UTC, when it has been calm for long enough"
        return outcome.calm(case, why, since=since, now=now)
    episode = case.episodes[-1]
    block = guard.restrained(policy.scene_of(undo, await matter.scene(episode, undo)))
    if block is not None:
        left = outcome.blocked(case, block, now)
        return replace(left, after=replace(left.after, recovered_at=since))
    lack = undo.remedy.precondition(seen)
    if lack is not None:
        return outcome.uncalm(case, f"no {undo.remedy.name}: it {lack}", now)
    return matter.begin(undo, done.alertname, detail="it has been calm for long enough")


async def escalated(matter: Matter) -> Change:
    """Wait for people; only something worse than what they were asked about is looked into."""
    case = matter.case
    asked_at = case.incident.escalated_at
    worst = policy.worst(case.episodes, matter.config.playbooks)
    if worst is None:
        return await close(matter)
    others = [each for each in case.episodes if each.open and each is not worst]
    news = asked_at is not None and worst.received_at > asked_at
    ranked = worst.alertname in matter.config.playbooks
    if news and ranked and any(each.alertname != worst.alertname for each in others):
        return outcome.reopened(case, f"{worst.alertname} fires now, too", matter.effects.now())
    return outcome.kept(case, matter.effects.now())


async def close(matter: Matter) -> Change:
    """Close what ended without us, when a probe agrees: "resolved" alone is no proof."""
    case, name, incident = matter.case, matter.project.name, matter.case.incident
    probe = await matter.effects.probe(matter.project)
    now = matter.effects.now()
    ours = policy.to_take_back(case.attempts)
    if not probe.up or (probe.state is Health.PAUSED and ours):
        state = "does not answer" if not probe.up else "is paused, by us"
        what = f"the alert has ended, and {name} {state}"
        late = now > incident.since + matter.config.verification.prove_within
        if late and incident.state is State.OPEN:  # nobody else would ever tell people
            return await matter.escalate(what)
        return outcome.objected(case, what, now)
    if incident.state is State.ESCALATED:
        since = now - matter.config.guards.of(name, "").window
        return outcome.closed(case, "recovered after people were asked", now, forgive=since)
    return outcome.closed(case, "recovered by itself", now)


async def failed(matter: Matter, action: Action, why: str, *, output: str = "") -> Change:
    """Go on after an attempt that did not help; what we paused and cannot resume is for people."""
    done = policy.to_take_back(matter.case.attempts)
    if done is not None and policy.undo_of(done) == action.name:
        what = f"{action.name} did not help: {why}"
        return await matter.escalate(what, leaves=law.State.FAILED)
    now = matter.effects.now()
    return outcome.failed(matter.case, action, why, now, output=output)
