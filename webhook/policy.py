"""Policy: which remedy comes next for an incident, or why none does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from orchestrator.guards import Asking, Guards
from orchestrator.project import Project
from webhook import guard
from webhook.action import Action, State
from webhook.catalogue import CATALOGUE
from webhook.guard import Block, Scene
from webhook.incident import DOWN, Episode
from webhook.remedy import Goal, Look, Remedy

Playbooks = Mapping[str, Sequence[str]]


class Would(StrEnum):
    """What would be done about a step that is on dry run, if it were not."""

    ACT = "act"
    ASK = "ask"  # people, whether it may be taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a playbook, with the guards that hold for it on this project."""

    remedy: Remedy
    guards: Guards


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Try this now."""

    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Try this as soon as a human allows it."""

    step: Step
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate:
    """Ask people what to do: nothing that may be tried is left."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """Record that this would be tried: it is on dry run, and the playbook goes on without it."""

    step: Step
    would: Would
    reason: str


Decision = Act | Ask | Shadow | Block | Escalate


def worst(episodes: Iterable[Episode], playbooks: Playbooks) -> Episode | None:
    """Return the open episode that drives the repair: the order of the playbooks ranks them."""
    rank = {alertname: place for place, alertname in enumerate(playbooks)}
    known = [each for each in episodes if each.open]
    return min(known, key=lambda each: rank.get(each.alertname, len(rank)), default=None)


def remaining(
    playbook: Sequence[Step],
    attempts: Sequence[Action],
    *,
    alertname: str,
    now: datetime,
    shadowed: Sequence[str] = (),
) -> tuple[Step, ...]:
    """Return the steps that may be tried: their breaker is closed, and attempts are left.

    *attempts* are the executed ones on the project, oldest first. Each step is tried until its
    breaker opens; then comes the next one. One on dry run is recorded once, and is *shadowed* then.
    """
    return tuple(
        step
        for step in playbook
        if not (step.guards.dry_run and step.remedy.name in shadowed)
        and not tripped(step, attempts, alertname=alertname, now=now)
        and len(recent(step, attempts, now=now)) < step.guards.attempts
    )


def recent(step: Step, attempts: Sequence[Action], *, now: datetime) -> list[Action]:
    """Return the attempts at *step* within its window.

    One dated in the future counts: a clock that was set back must not buy another restart.
    """
    since = now - step.guards.window
    return [
        each
        for each in attempts
        if each.name == step.remedy.name and each.executed_at and each.executed_at > since
    ]


def tripped(step: Step, attempts: Sequence[Action], *, alertname: str, now: datetime) -> bool:
    """Tell whether the breaker of *step* is open: so many attempts in a row did not help.

    Asked while *alertname* fires, so an attempt that was proven for it, and after which it fires
    again within the window, did not help for long and counts as well. What only mitigates gets no
    second try: paused, resumed and in trouble again is for people. An attempt in doubt counts for
    neither side.
    """
    told = [each for each in recent(step, attempts, now=now) if each.state in _TOLD]
    if step.remedy.goal is not Goal.HEALED and any(each.state is State.COMPLETED for each in told):
        return True
    tail = told[-step.guards.breaker :]
    return len(tail) == step.guards.breaker and all(
        each.state is State.FAILED or each.alertname == alertname for each in tail
    )


_TOLD = frozenset({State.COMPLETED, State.FAILED})


def shown_open(guards: Guards, attempts: Sequence[Action], *, now: datetime) -> bool:
    """Tell whether a breaker is to be shown as open, of all *attempts* at one action on a project.

    Nobody knows here whether an alert fires; what was proven and tried again later did not help,
    unless it was against none.
    """
    told = [
        each
        for each in attempts
        if each.state in _TOLD and each.executed_at and each.executed_at > now - guards.window
    ]
    tail = told[-guards.breaker :]
    return len(tail) == guards.breaker and all(
        each.state is State.FAILED or (place < len(tail) and each.alertname)
        for place, each in enumerate(tail, start=1)
    )


def attempt(step: Step, attempts: Sequence[Action], *, now: datetime) -> int:
    """Return the number of the attempt that would come now; 1 is the first of the window."""
    return len(recent(step, attempts, now=now)) + 1


def decide(steps: Sequence[Step], scene: Scene, look: Look | None) -> Decision:
    """Choose among the remaining *steps* of a playbook, the first one first.

    Without a *look* at the project it is decided whether one is worth while: what comes out as Act
    or Ask has to be decided again with it.
    """
    unfit = {}
    for place, step in enumerate(steps, start=1):
        seen = look and replace(look, recent=step.guards.recent_deployment)
        lack = step.remedy.precondition(seen) if seen else None
        if lack is None:
            decision = _decide(step, scene)
            if not (step.guards.dry_run and isinstance(decision, Block)):
                return decision
            rest = decide(steps[place:], scene, look)  # which a dry run must not hold up
            return decision if isinstance(rest, Block) else _shadow(step, scene, held=decision)
        unfit[step.remedy.name] = lack
    block = guard.first_of(guard.ASKING, replace(scene, action="repairing"))
    return block or observed(scene.project, Escalate(reason=_exhausted(scene, unfit)))


def observed(project: Project, escalate: Escalate) -> Block | Escalate:
    """Return *escalate*, or where only observing is wanted, that people would be asked."""
    why = project.observed
    if why is None:
        return escalate
    return Block(guard="observe", reason=f"{why}; would ask people: {escalate.reason}")


def asks(step: Step, project: Project, alertname: str) -> str | None:
    """Say why a human has to allow *step* first; None when nobody has to."""
    match step.guards.approval:
        case Asking.ALWAYS:
            return f"approval: always, for {step.remedy.name}"
        case Asking.NEVER:
            return None
        case Asking.AUTO:
            pass
    if not project.critical or not takes(step, alertname):
        return None
    return f"{project.name} is critical, and {step.remedy.name} is disruptive"


def takes(step: Step, alertname: str) -> bool:
    """Tell whether *step* takes something from a project that works.

    Restarting what is measured down takes nothing from anybody, so it is not disruptive.
    """
    return step.remedy.disruptive and alertname != DOWN


def _decide(step: Step, scene: Scene) -> Decision:
    block = guard.first_block(scene_of(step, scene))
    if block is not None:
        return _shadow(step, scene) if block.guard == guard.DRY_RUN else block
    why = asks(step, scene.project, scene.episode.alertname)
    return Act(step=step) if why is None else Ask(step=step, why=why)


def _shadow(step: Step, scene: Scene, held: Block | None = None) -> Shadow:
    name, project = step.remedy.name, scene.project
    why = asks(step, project, scene.episode.alertname)
    would = f"{name} {project.name}" if why is None else f"ask people to allow {name}: {why}"
    later = f", later: {held.reason}" if held else ""
    return Shadow(
        step=step,
        would=Would.ACT if why is None else Would.ASK,
        reason=f"dry run; would {would}{later}",
    )


def scene_of(step: Step, scene: Scene) -> Scene:
    """Return *scene* as it is for one step."""
    return replace(scene, action=step.remedy.name, guards=step.guards)


def to_take_back(attempts: Sequence[Action]) -> Action | None:
    """Return the newest attempt that only stopped the harm and was not taken back since."""
    for each in reversed(attempts):
        if each.state is not State.COMPLETED or each.name not in CATALOGUE:
            continue
        if CATALOGUE[each.name].goal is not Goal.HEALED:
            return each
        if CATALOGUE[each.name].undo:  # it took one back
            return None
    return None


def undo_of(action: Action) -> str:
    """Return the name of the remedy that takes *action* back; one that has none is a mistake."""
    undo = CATALOGUE[action.name].undo
    if undo is None:
        raise ValueError(f"{action.name} cannot be taken back")
    return undo


def _exhausted(scene: Scene, unfit: Mapping[str, str]) -> str:
    alertname, project = scene.episode.alertname, scene.project.name
    since = scene.now - scene.guards.window
    tries = [each for each in scene.attempts if each.executed_at and each.executed_at > since]
    tried = "; ".join(f"{each.name} {each.attempt}: {_came_of(each)}" for each in tries)
    lacks = "; ".join(f"no {name}: it {lack}" for name, lack in unfit.items())
    live = {each.name for each in tries}
    dry = "; ".join(f"no {name}: dry run" for name in scene.shadowed if name not in live)
    if not tries and not unfit and not dry:
        return f"no playbook for {alertname}"
    said = f"{alertname} of {project} goes on after {len(tries)} of our attempts"
    return f"{said} ({'; '.join(part for part in (tried, lacks, dry) if part)})"


def _came_of(action: Action) -> str:
    if action.state is State.COMPLETED:
        return "proven, and it came again"
    return action.detail or action.state
