"""Standby: what becomes of an incident while it waits, for people, for calm, or for its end."""

from dataclasses import replace
from datetime import datetime

from orchestrator.config import Config
from orchestrator.health import Probe
from orchestrator.health import State as Health
from webhook import action as law
from webhook import briefing, mitigation, outcome, policy
from webhook.case import Case
from webhook.change import Change
from webhook.diagnosis import Gathered
from webhook.guard import Block
from webhook.incident import DOWN, State
from webhook.matter import Matter
from webhook.policy import Escalate

FLEET = "fleet"  # what `held_by` says of what fell with many others
UNKNOWN = "unknown_project"  # what `held_by` says of a project that was never configured


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
        return outcome.escalated(case, reason, now, page, by=UNKNOWN)
    return outcome.closed(case, "removed from orchestrator.yml", now)


async def forgotten(matter: Matter) -> Change:
    """Go on where the action stands for nothing any more: its command was taken out."""
    action = matter.action
    what = f"{action.name} is not in orchestrator.yml any more"
    if action.state is law.State.PENDING:
        return outcome.withdrawn(matter.case, action, what, matter.effects.now())
    return await matter.escalate(f"{what}; whether it was done, or helped, is not known")


async def escalated(matter: Matter) -> Change:
    """Wait for people; only an alert of another name than they were asked about is looked into."""
    case, asked_about = matter.case, matter.case.incident.asked_about
    if case.incident.held_by == UNKNOWN:
        why = f"{matter.project.name} is in orchestrator.yml now"
        return outcome.reopened(case, why, matter.effects.now())
    worst = policy.worst(case.episodes, matter.config.playbooks)
    if worst is None:
        return await close(matter)
    told = {each.alertname for each in case.episodes if each.id <= asked_about}
    ranked = worst.alertname in matter.config.playbooks
    if worst.id > asked_about and worst.alertname not in told and ranked:
        return outcome.reopened(case, f"{worst.alertname} fires now, too", matter.effects.now())
    return outcome.kept(case, matter.effects.now())


async def close(matter: Matter) -> Change:
    """Close what ended without us, when a look agrees: "resolved" alone is no proof.

    A dead Prometheus and a forged notification look the same, so of every alert but ProjectDown,
    for which a probe is enough, Prometheus has to say that it does not hold any more.
    """
    case, incident = matter.case, matter.case.incident
    probe = await matter.effects.probe(matter.project)
    doubt = _unwell(matter, probe) or await _unproven(matter)
    now = matter.effects.now()
    if doubt is not None:
        return await _doubted(matter, f"the alert has ended, and {doubt}", now, up=probe.up)
    if incident.state is State.ESCALATED:
        since = now - matter.config.guards.of(matter.project.name, "").window
        return outcome.closed(case, "recovered after people were asked", now, forgive=since)
    proven = [each.name for each in matter.own if each.state is law.State.COMPLETED]
    how = f"ended after {proven[-1]}" if proven else "recovered by itself"
    return outcome.closed(case, how, now)


def _unwell(matter: Matter, probe: Probe) -> str | None:
    if not probe.up:
        return f"{matter.project.name} does not answer"
    paused = probe.state is Health.PAUSED and mitigation.paused_by_us(matter)
    return f"{matter.project.name} is paused, by us" if paused else None


async def _unproven(matter: Matter) -> str | None:
    for name in sorted({each.alertname for each in matter.case.episodes} - {DOWN}):
        standing = await matter.effects.standing(name, matter.project.name)
        if standing is None:
            return f"Prometheus does not answer whether {name} has"
        if standing.holds:
            return f"{name} holds in Prometheus"
    return None


async def _doubted(matter: Matter, what: str, now: datetime, *, up: bool) -> Change:
    """Keep it open; one that nobody else would ever tell people of is for them after a while."""
    case, incident = matter.case, matter.case.incident
    if incident.held_by == FLEET:  # its people were told with all the others
        return outcome.blocked(case, Block(guard=FLEET, reason=what), now)
    since = incident.recovered_at or now  # of an open one: when its end was first looked at
    late = now > since + matter.config.verification.prove_within
    if late and not up and incident.state is State.OPEN:
        return await matter.settle(policy.observed(matter.project, Escalate(reason=what)))
    left = outcome.objected(case, what, now)
    return replace(left, after=replace(left.after, recovered_at=since))
