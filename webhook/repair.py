"""Repair: one step at a time, from an incident as it stands to what becomes of it.

Read this file first. A step looks at a claimed incident, does at most one thing in the world, and
returns a Change that the store commits whole:

1. open:       decide by policy and guards, look at the project and at Prometheus, then commit the
               intent: the action is executing, and nothing has happened yet. Before the playbook
               is followed, or where it does not know any more, the analyzer is heard: advice.py.
2. repairing:  send the command, under the action's key. A crash before or after comes back to
               this line, and the key makes the command happen once. What knows no keys is not sent
               again. An intent that is older than a minute is not sent any more: the project may
               have been healed by others since.
3. verifying:  look until it is proven (resolved), has not helped (open again) or cannot be told
               (escalated).
4. the rest:   waiting for people or for calm, in asking.py, mitigation.py and standby.py.

What a person asks for comes before all that, in byhand.py, and goes on with 2.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.config import Config
from webhook import (
    advice,
    asking,
    byhand,
    guard,
    mitigation,
    outcome,
    policy,
    standby,
    verification,
)
from webhook.action import Action
from webhook.case import Case
from webhook.change import Change
from webhook.executor import Done, Unanswered
from webhook.guard import Block, Scene
from webhook.incident import DOWN, Episode, State, no_alert
from webhook.matter import Effects, Matter
from webhook.policy import Act, Ask, Shadow, Step
from webhook.remedy import Goal, Way
from webhook.verification import Sighting

RESEND_FOR = timedelta(seconds=60)  # from the intent: how long an unanswered command is sent again
RESEND_AFTER = timedelta(milliseconds=500)
FEW = 100  # projects that fell together, each of which is looked at
NEEDS_ACTION = frozenset({State.REPAIRING, State.VERIFYING, State.AWAITING_APPROVAL})


async def step(case: Case, config: Config, effects: Effects) -> Change:
    """Take the one next step for *case*. Raises nothing that an outside party can cause."""
    incident = case.incident.seen(effects.now())
    if incident.state is State.OPEN and any(each.open for each in case.episodes):
        incident = replace(incident, recovered_at=None)  # that it ended once is no news any more
    case = replace(case, incident=incident)
    project, asked = config.projects.get(case.incident.project), byhand.asked(case)
    if project is None and asked is not None:
        return byhand.without_project(case, asked, effects.now())
    if project is None:
        return standby.without_project(case, config, effects.now())
    matter = Matter(case=case, project=project, config=config, effects=effects)
    if asked is not None:
        return await byhand.step(matter, asked)
    if case.incident.state in NEEDS_ACTION and case.action is None:
        return await matter.escalate(f"{case.incident.state}, and no action is known; a bug")
    if case.action is not None and not matter.knows(case.action.name):
        return await standby.forgotten(matter)
    return await _STEPS[case.incident.state](matter)


async def _open(matter: Matter) -> Change:
    """Decide what comes next for an incident whose alert fires."""
    case = matter.case
    episode = policy.worst(case.episodes, matter.config.playbooks)
    if episode is None:
        return await standby.close(matter)
    playbook = matter.playbook(episode.alertname)
    now = matter.effects.now()
    steps = policy.remaining(
        playbook,
        case.attempts,
        alertname=episode.alertname,
        now=now,
        shadowed=matter.shadowed(episode.alertname),
    )
    scene = await matter.scene(episode, next(iter(steps or playbook), None))
    decision = policy.decide(steps, scene, None)
    heard = await advice.consulted(matter, scene, decision)
    if heard is not None:
        return heard
    if isinstance(decision, Act | Ask | Shadow):
        return await _look(matter, steps, scene)
    if isinstance(decision, Block) and 0 < len(decision.fell) <= FEW:
        return await _doubt(matter, decision, scene)
    return await matter.settle(decision)


async def _doubt(matter: Matter, block: Block, scene: Scene) -> Change:
    """Look whether what seems to have fallen with others has: alerts can be forged.

    Not at thousands, which would keep everything else waiting.
    """
    seen = await matter.look(scene.episode)
    return matter.objected(seen) if seen.contradicted else await matter.settle(block)


async def _look(matter: Matter, steps: tuple[Step, ...], scene: Scene) -> Change:
    """Look at the project before anything is done to it, and decide again with that."""
    seen = await matter.look(scene.episode)
    if seen.why_not is not None:
        return matter.objected(seen)
    decision = policy.decide(steps, replace(scene, now=matter.effects.now()), seen.look)
    if isinstance(decision, Act):
        return matter.begin(decision.step, scene.episode.alertname, detail="no approval needed")
    if isinstance(decision, Ask):
        return asking.ask(matter, decision, scene.episode)
    if isinstance(decision, Shadow):
        return _shadow(matter, decision, scene.episode)
    heard = await advice.consulted(matter, scene, decision)  # no step of the playbook fits
    return heard or await matter.settle(decision)


def _shadow(matter: Matter, shadow: Shadow, episode: Episode) -> Change:
    now = matter.effects.now()
    action = matter.pending(shadow.step, episode.alertname, now)
    return outcome.shadowed(matter.case, action, shadow.would, shadow.reason, now)


async def _execute(matter: Matter) -> Change:
    """Carry out an action whose intent is committed."""
    case, effects, action = matter.case, matter.effects, matter.action
    if case.interrupted and matter.step(action.name).remedy.way is Way.COMMAND:
        left = await _cut_off(matter)
        if left is not None:
            return left
    now = effects.now()
    if now >= case.incident.since + RESEND_FOR:  # we were away: what the intent saw has passed
        why = case.incident.held or "it was never answered"
        return await mitigation.failed(matter, action, why)
    block = await _forbidden(matter, action)
    if block is not None:  # said since it was decided
        return outcome.blocked(case, block, now)
    result = await effects.execute(matter.project, action)
    if isinstance(result, Done):
        return outcome.executed(case, action, result.detail, result.output, now=effects.now())
    if isinstance(result, Unanswered):
        return outcome.waiting(case, effects.now(), why=result.detail, after=RESEND_AFTER)
    return await mitigation.failed(matter, action, result.detail, output=result.output)


async def _cut_off(matter: Matter) -> Change | None:
    """Decide on a command during which the program ended; None: it is to be run (again).

    One that may be repeated is not when the project is as well as if it had been done.
    """
    case, action, now = matter.case, matter.action, matter.effects.now()
    if not matter.step(action.name).remedy.repeatable:
        what = f"{action.name} was cut off; whether it was done is not known"
        return await matter.escalate(what)
    if not action.alertname:  # a person asked for it, whatever there is to be seen
        return None
    episode = _episode(matter)
    why_not = "its alert has ended" if episode is None else (await matter.look(episode)).why_not
    if why_not is None:
        return None
    return outcome.executed(case, action, f"not repeated: {why_not}", "", now=now)


async def _forbidden(matter: Matter, action: Action) -> Block | None:
    """Return what people have said against it meanwhile; each sending asks anew.

    What a person has overridden does not hold it here either.
    """
    case = matter.case
    episode = _episode(matter) or next(reversed(case.episodes), None)
    nothing = no_alert(matter.project.name, at=matter.effects.now())
    scene = await matter.scene(episode or nothing, matter.step(action.name))
    forced = case.request.forced if case.request else ()
    overridden = [guard.GUARDS[name] for name in forced if name in guard.GUARDS]
    return guard.first_of((each for each in guard.SENDING if each not in overridden), scene)


def _episode(matter: Matter) -> Episode | None:
    """Return the newest episode of the alert that the action is against."""
    name = matter.action.alertname
    return next((each for each in reversed(matter.case.episodes) if each.alertname == name), None)


async def _verify(matter: Matter) -> Change:
    """Look whether an action that was carried out has reached its goal."""
    case, effects, action = matter.case, matter.effects, matter.action
    limits = matter.config.verification
    goal = matter.step(action.name).remedy.goal
    probe = await effects.probe(matter.project)
    asked = probe.up and goal is Goal.HEALED and action.alertname
    standing = await effects.standing(action.alertname, matter.project.name) if asked else None
    now = effects.now()
    fresh = await _fresh(matter, now) if standing is not None else None
    seen = Sighting(probe=probe, standing=standing, at=now, fresh=fresh)
    verdict = verification.judge(case.incident, action, case.episodes, seen, limits, goal=goal)
    match verdict:
        case verification.Waiting():
            left = outcome.waiting(case, now, why=verdict.for_what, after=limits.every)
            if not probe.up:  # it has to stay up from one good probe to the proof
                left = replace(left, after=replace(left.after, recovered_at=None))
            return left
        case verification.Recovered():
            return outcome.recovering(case, action, now, again=limits.every)
        case verification.Proven():
            return _proven(matter, goal, now)
        case verification.Partly():
            return outcome.partly(case, action, verdict.why, now)
        case verification.Ineffective():
            return await mitigation.failed(matter, action, verdict.why)
        case verification.Inconclusive():
            return await matter.escalate(verdict.why)


def _proven(matter: Matter, goal: Goal, now: datetime) -> Change:
    if not matter.action.alertname:
        return byhand.proven(matter, goal, now)
    reached = outcome.resolved if goal is Goal.HEALED else outcome.mitigated
    return reached(matter.case, matter.action, now)


async def _fresh(matter: Matter, now: datetime) -> bool | None:
    """Tell whether figures were read since the action: old ones prove nothing of it."""
    action = matter.action
    if action.alertname == DOWN:
        return True
    since = now - (action.executed_at or now)
    return await matter.effects.read_within(matter.project.name, since)


_STEPS: dict[State, Callable[[Matter], Awaitable[Change]]] = {
    State.OPEN: _open,
    State.REPAIRING: _execute,
    State.VERIFYING: _verify,
    State.AWAITING_APPROVAL: asking.awaiting,
    State.MITIGATED: mitigation.mitigated,
    State.ESCALATED: standby.escalated,
}
