"""Mitigation: what we paused is harmless and not healed; it is resumed once, when it is calm."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from orchestrator import duration
from webhook import action as law
from webhook import errand, guard, outcome, policy, verification
from webhook.action import Action
from webhook.catalogue import CATALOGUE
from webhook.change import Change
from webhook.incident import DOWN
from webhook.matter import Matter, open_episodes
from webhook.remedy import Goal, Look


async def mitigated(matter: Matter) -> Change:
    """Wait until what we paused is calm, then resume it, once; not for ever."""
    case, effects = matter.case, matter.effects
    done = paused_by_us(matter)
    if done is None:
        return outcome.reopened(case, "nothing is paused by us", effects.now())
    probe = await effects.probe(matter.project)
    goal = matter.step(done.name).remedy.goal
    if probe.up and not verification.reached(goal, probe):
        return outcome.reopened(case, "somebody has taken it back", effects.now())
    if not probe.up and goal is Goal.PAUSED and open_episodes(case.episodes, DOWN):
        return await matter.escalate(f"{case.incident.project} went down while it was paused by us")
    standing = await effects.standing(done.alertname, matter.project.name)
    now = effects.now()
    calm = standing is not None and not standing.holds
    if not calm or open_episodes(case.episodes, done.alertname):
        why = f"{done.alertname} has not ended" if standing else "Prometheus does not answer"
        return await _uncalm(matter, done, why, now)
    return await _calm(matter, done, Look(probe=probe), now)


async def _uncalm(matter: Matter, done: Action, why: str, now: datetime) -> Change:
    window = matter.step(done.name).guards.window
    if now > matter.case.incident.since + window:
        what = f"{done.name} has held for {duration.text(window)}, and {why}"
        return await matter.escalate(what)
    return outcome.still(matter.case, f"{done.name} holds: {why}", now, calm_since=None)


async def _calm(matter: Matter, done: Action, seen: Look, now: datetime) -> Change:
    case = matter.case
    undo = matter.step(policy.undo_of(done))
    since = case.incident.recovered_at or now
    ready = since + matter.step(done.name).guards.resume_after
    if now < ready:
        why = f"{done.name} holds until {ready:%H:%M:%S} UTC, when it has been calm for long enough"
        return outcome.still(case, why, now, calm_since=since)
    scene = await matter.scene(case.episodes[-1], undo)
    block = guard.first_of(guard.UNDOING, scene)
    if block is not None and block.guard in {"observe", guard.DRY_RUN}:
        return await matter.escalate(
            f"it is calm, and {undo.remedy.name} is for you: {block.reason}"
        )
    if block is not None:
        left = outcome.blocked(case, block, now)
        return replace(left, after=replace(left.after, recovered_at=since))
    lack = undo.remedy.precondition(seen)
    if lack is not None:
        return await _uncalm(matter, done, f"no {undo.remedy.name} is possible: it {lack}", now)
    asked = policy.asks(undo, matter.project, done.alertname)
    if asked is not None:
        return await matter.escalate(f"it is calm, and {undo.remedy.name} is for you: {asked}")
    return matter.begin(undo, done.alertname, detail="it has been calm for long enough")


def paused_by_us(matter: Matter) -> Action | None:
    """Return what we did to stop the harm of this incident, and have not taken back."""
    return to_take_back(matter.own)


def to_take_back(attempts: Sequence[Action]) -> Action | None:
    """Return the newest of *attempts* that only stopped some harm and was not taken back since.

    What a person has paused while no alert was open is no harm that we stopped: it is left so.
    """
    return policy.to_take_back([each for each in attempts if not _wanted_so(each)])


def _wanted_so(action: Action) -> bool:
    known = CATALOGUE.get(action.name)
    return not action.alertname and known is not None and known.goal is not Goal.HEALED


async def failed(matter: Matter, action: Action, why: str, *, output: str = "") -> Change:
    """Go on after an attempt that did not help; what we paused and cannot resume is for people."""
    now = matter.effects.now()
    if not matter.case.episodes:  # a person asked for it, and is there
        left = law.State.FAILED
        return errand.in_vain(matter.case, action, why, now, leaves=left, output=output)
    done = paused_by_us(matter)
    if done is not None and policy.undo_of(done) == action.name:
        what = f"{action.name} did not help: {why}"
        return await matter.escalate(what, leaves=law.State.FAILED)
    return outcome.failed(matter.case, action, why, now, output=output)
