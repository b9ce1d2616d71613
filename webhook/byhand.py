"""By hand: a person's request is taken, or turned down at once with what speaks against it.

It goes the way of every action: the same guards, the same intent, the same proof. Two things are
otherwise. A person who asks has looked, so our look before acting does not stop it; and a person
who asks has allowed it, so nobody is asked.
"""

import sys
from collections.abc import Iterator
from datetime import datetime

from orchestrator import duration
from webhook import errand, mitigation, outcome, policy
from webhook.action import Action
from webhook.case import Case
from webhook.change import Change
from webhook.guard import GUARDS, Block, Scene, held
from webhook.incident import Episode, State, no_alert
from webhook.matter import Matter
from webhook.policy import Step
from webhook.remedy import Goal, Look
from webhook.request import ATTEMPTS, BREAKER, PRECONDITION, Request

TAKES = frozenset({State.OPEN, State.ESCALATED, State.MITIGATED})
_NO_ALERT = "no alert"  # no attempt was ever against that: one that was proven has helped


def asked(case: Case) -> Request | None:
    """Return the request that is to be taken up now."""
    request = case.request
    takes = request is not None and request.open and case.incident.state in TAKES
    return request if takes else None


def without_project(case: Case, request: Request, now: datetime) -> Change:
    """Turn down what was asked of a project that has left the configuration since."""
    why = f"{request.project} is not in orchestrator.yml any more"
    return errand.turned_down(case, request.refused(why, at=now), now)


async def step(matter: Matter, request: Request) -> Change:
    """Take what a person asks for, or say at once why not; it never waits for a guard."""
    case, effects = matter.case, matter.effects
    now = effects.now()
    if not matter.knows(request.action):
        why = f"{request.action} is not in orchestrator.yml any more"
        return errand.turned_down(case, request.refused(why, at=now), now)
    wanted = matter.step(request.action)
    look = Look(
        probe=await effects.probe(matter.project),
        deployed_ago=await effects.deployed_ago(matter.project.name),
        recent=wanted.guards.recent_deployment,
    )
    worst = policy.worst(case.episodes, matter.config.playbooks)
    scene = await matter.scene(worst or no_alert(matter.project.name, at=now), wanted)
    blocks = list(objections(wanted, scene, look))
    if request.late(scene.now):
        return errand.turned_down(case, request.expired(at=scene.now), scene.now)
    stands = request.stopped_by(blocks)
    if stands is not None:
        refused = request.refused(stands.reason, at=scene.now, block=stands)
        return errand.turned_down(case, refused, scene.now)
    return _take(matter, wanted, request, blocks, worst, scene.now)


def _take(
    matter: Matter,
    step: Step,
    request: Request,
    overridden: list[Block],
    worst: Episode | None,
    now: datetime,
) -> Change:
    action = matter.pending(step, worst.alertname if worst else _paused_for(matter, step), now)
    overrode = [block.guard for block in overridden]
    taken = request.taken(action.key, overrode, at=now)
    at_most = sys.maxsize if "concurrency" in overrode else step.guards.concurrency
    return outcome.begun(
        matter.case, action, now, at_most=at_most, detail=_said(taken), request=taken
    )


def _said(request: Request) -> str:
    """Say who asked for it and why, for the audit; nobody else was asked to allow it."""
    over = f", overriding {', '.join(request.overrode)}" if request.overrode else ""
    return f"asked for by {request.asked_by}{over}: {request.reason}"


def _paused_for(matter: Matter, step: Step) -> str:
    """Name the alert that the undo of what we paused is against; no other one has an alert here."""
    done = mitigation.paused_by_us(matter)
    mitigated = matter.case.incident.state is State.MITIGATED
    undoes = mitigated and done is not None and policy.undo_of(done) == step.remedy.name
    return done.alertname if done is not None and undoes else ""


def objections(step: Step, scene: Scene, look: Look) -> Iterator[Block]:
    """Yield everything that holds *step* now, what people have said first."""
    scene = policy.scene_of(step, scene)
    for guard in GUARDS.values():
        block = guard(scene)
        if block is not None:
            yield block
    yield from _pace(step, scene)
    lack = step.remedy.precondition(look)
    if lack is not None:
        yield Block(guard=PRECONDITION, reason=f"no {scene.action}: {scene.project.name} {lack}")


def _pace(step: Step, scene: Scene) -> Iterator[Block]:
    """Yield what the attempts so far have to say."""
    tried = policy.recent(step, scene.attempts, now=scene.now)
    limits = step.guards
    if len(tried) >= limits.attempts:
        within = duration.text(limits.window)
        why = f"{len(tried)} attempts within {within}, and {limits.attempts} are the limit"
        ends = sorted(each.executed_at + limits.window for each in tried if each.executed_at)
        yield held(scene, ATTEMPTS, why, ends[-limits.attempts])
    if _tripped(step, scene, scene.now):
        why = "the attempts before this one did not help, or not for long"
        yield held(scene, BREAKER, why, _closes(step, scene, tried))


def _tripped(step: Step, scene: Scene, now: datetime) -> bool:
    against = scene.episode.alertname or _NO_ALERT
    return policy.tripped(step, scene.attempts, alertname=against, now=now)


def _closes(step: Step, scene: Scene, tried: list[Action]) -> datetime | None:
    """Return when the breaker closes by itself: when enough of the attempts are too old."""
    ends = sorted(each.executed_at + step.guards.window for each in tried if each.executed_at)
    return next((end for end in ends if not _tripped(step, scene, end)), None)


def proven(matter: Matter, goal: Goal, now: datetime) -> Change:
    """Go on after an action against no alert that did what it was for.

    Where there were alerts before, or are new ones, they decide what becomes of the incident; but
    what a person has stopped or paused is left so.
    """
    case = matter.case
    fires = any(episode.open for episode in case.episodes)
    if fires or (case.episodes and goal is Goal.HEALED):
        return outcome.partly(case, matter.action, "it was asked for by a person", now)
    return errand.done(case, matter.action, now)
