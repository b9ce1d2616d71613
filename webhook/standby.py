"""Standby: what becomes of an incident while it waits, for people, for calm, or for its end."""

from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.config import Config
from orchestrator.health import Probe
from orchestrator.health import State as Health
from webhook import action as law
from webhook import briefing, guard, mitigation, outcome, policy
from webhook.case import Case
from webhook.change import Change
from webhook.diagnosis import Gathered
from webhook.guard import Block
from webhook.incident import DOWN, FLEET, UNCONFIGURED, State
from webhook.matter import Matter
from webhook.policy import Escalate

TOLD_FOR = timedelta(hours=1)  # people, of what nobody can look at any more


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
        return outcome.escalated(case, reason, now, page, by=UNCONFIGURED)
    told = incident.state is State.ESCALATED and incident.held_by == UNCONFIGURED
    if told and (not over or _left_paused(case, now)):
        return outcome.kept(case, now)
    if case.episodes and incident.state in _LEFT_HALF_WAY:  # else a person asked, and is there
        how = _LEFT_HALF_WAY[incident.state]
        reason = f"{incident.project} was removed from orchestrator.yml {how}"
        page = briefing.escalation(case, None, reason, Gathered(), url=config.url)
        return outcome.escalated(case, reason, now, page, by=UNCONFIGURED)
    return outcome.closed(case, "removed from orchestrator.yml", now)


def _left_paused(case: Case, now: datetime) -> bool:
    """Tell whether people have to start what we stopped; nobody can look whether they have."""
    recently = now < case.incident.since + TOLD_FOR
    return recently and mitigation.to_take_back(case.attempts) is not None


_LEFT_HALF_WAY = {
    State.REPAIRING: "during its repair",
    State.VERIFYING: "during its repair",
    State.MITIGATED: "while it was paused by us, and is paused still",
}


async def forgotten(matter: Matter) -> Change:
    """Go on where the action stands for nothing any more: its command was taken out."""
    action = matter.action
    what = f"{action.name} is not in orchestrator.yml any more"
    if action.state is law.State.PENDING:
        return outcome.withdrawn(matter.case, action, what, matter.effects.now())
    return await matter.escalate(f"{what}; whether it was done, or helped, is not known")


async def escalated(matter: Matter) -> Change:
    """Wait for people; only an alert of another name than they were asked about is looked into."""
    case = matter.case
    if case.incident.held_by == UNCONFIGURED:
        why = f"{matter.project.name} is in orchestrator.yml now"
        return outcome.reopened(case, why, matter.effects.now())
    worst = policy.worst(case.episodes, matter.config.playbooks)
    if worst is None:
        return await close(matter)
    ranked = worst.alertname in matter.config.playbooks
    if ranked and worst.alertname not in case.incident.asked_about:
        return outcome.reopened(case, f"{worst.alertname} fires now, too", matter.effects.now())
    return outcome.kept(case, matter.effects.now())


async def close(matter: Matter) -> Change:
    """Close what ended without us, when a look agrees: "resolved" alone is no proof.

    A dead Prometheus and a forged notification look the same, so of every alert but ProjectDown,
    for which a probe is enough, Prometheus has to say that it does not hold any more.
    """
    case, incident = matter.case, matter.case.incident
    if not case.episodes:
        return outcome.closed(case, "nothing is left to be done", matter.effects.now())
    probe = await matter.effects.probe(matter.project)
    doubt = _unwell(matter, probe) or await _unproven(matter)
    now = matter.effects.now()
    if doubt is not None:
        return await _doubted(matter, f"the alert has ended, and {doubt}", now, up=probe.up)
    if incident.state is State.ESCALATED:
        return _healed_by_people(matter, now)
    proven = [each.name for each in matter.own if each.state is law.State.COMPLETED]
    how = f"ended after {proven[-1]}" if proven else "recovered by itself"
    return outcome.closed(case, how, now)


def _healed_by_people(matter: Matter, now: datetime) -> Change:
    """End an escalation when all has been well for a while: what flaps is one matter to people."""
    case, limits = matter.case, matter.config.verification
    well_since = case.incident.recovered_at or now
    if now < well_since + limits.recover_within:
        return outcome.kept(case, now, well_since=well_since)
    since = now - matter.config.guards.of(matter.project.name, "").window
    return outcome.closed(case, "recovered after people were asked", now, forgive=since)


def _unwell(matter: Matter, probe: Probe) -> str | None:
    if not probe.up:
        return f"{matter.project.name} does not answer"
    paused = probe.state is Health.PAUSED and mitigation.paused_by_us(matter)
    return f"{matter.project.name} is paused, by us" if paused else None


async def _unproven(matter: Matter) -> str | None:
    names = sorted({each.alertname for each in matter.case.episodes} - {DOWN})
    lately = 2 * matter.project.metrics_interval + timedelta(minutes=1)
    read = await matter.effects.read_within(matter.project.name, lately) if names else True
    if not read:
        unheard = "Prometheus does not answer whether it has"
        return unheard if read is None else f"no figures of {matter.project.name} were read since"
    for name in names:
        standing = await matter.effects.standing(name, matter.project.name)
        if standing is None:
            return f"Prometheus does not answer whether {name} has"
        if standing.holds:
            return f"{name} holds in Prometheus"
    return None


async def _doubted(matter: Matter, what: str, now: datetime, *, up: bool) -> Change:
    """Keep it open; one that nobody else would ever tell people of is for them after a while."""
    case, incident = matter.case, matter.case.incident
    if incident.state is State.ESCALATED:
        return outcome.kept(case, now)
    if incident.held_by == FLEET:  # its people were told with all the others
        return outcome.blocked(case, Block(guard=FLEET, reason=what), now)
    since = incident.recovered_at or now  # when its end was first looked at
    window = matter.config.guards.of(matter.project.name, "").window
    if now > since + (window if up else matter.config.verification.prove_within):
        scene = replace(await matter.scene(case.episodes[-1], None), action="repairing")
        block = guard.first_of(guard.ASKING, scene)
        decision = block or policy.observed(matter.project, Escalate(reason=what))
        return await matter.settle(decision)
    left = outcome.objected(case, what, now)
    return replace(left, after=replace(left.after, recovered_at=since))
