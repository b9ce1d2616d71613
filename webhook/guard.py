"""A guard: one reason not to act now, in words that a person understands."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from orchestrator import duration
from orchestrator.guards import Guards
from orchestrator.project import Project
from webhook.action import Action
from webhook.incident import DOWN, FLEET, Episode, Incident
from webhook.restraint import Kind, Restraint


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the rest of the fleet is like, as far as a decision on one project needs it."""

    fleet: int = 1  # projects in orchestrator.yml
    fell: tuple[str, ...] = ()  # projects with the same alert since about the same time
    parents_down: tuple[str, ...] = ()
    repairs: int = 0  # under way on other projects
    restraints: tuple[Restraint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One action that is about to be taken, and all that speaks for and against it."""

    incident: Incident
    project: Project
    action: str
    episode: Episode
    attempts: Sequence[Action]  # executed on the project, oldest first
    guards: Guards
    around: Surroundings
    now: datetime
    shadowed: Sequence[str] = ()  # steps of its playbook that were recorded instead of taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Why not now. `until` is when it ends by itself; None: when something changes."""

    guard: str
    reason: str
    until: datetime | None = None
    fell: tuple[str, ...] = ()  # when that is the reason


Guard = Callable[[Scene], Block | None]

_DAY = timedelta(days=1)
_NEVER = datetime.max.replace(tzinfo=UTC)  # the end of what has none


def first_block(scene: Scene) -> Block | None:
    """Return what the first guard says that has something to say."""
    return first_of(GUARDS.values(), scene)


def first_of(guards: Iterable[Guard], scene: Scene) -> Block | None:
    """Return what the first of *guards* says that has something to say."""
    return next((block for guard in guards if (block := guard(scene))), None)


def held(scene: Scene, guard: str, why: str, until: datetime | None = None) -> Block:
    """Say that *guard* holds the action of *scene*, and until when; on another day, which."""
    far = until is not None and until - scene.now >= _DAY
    when = f" until {until:{'%Y-%m-%d ' if far else ''}%H:%M:%S} UTC" if until else ""
    reason = f"{scene.action} on {scene.project.name} held{when}: {why}"
    return Block(guard=guard, reason=reason, until=until)


def _restraint(kind: Kind) -> Guard:
    def guard(scene: Scene) -> Block | None:
        binding = [
            each
            for each in scene.around.restraints
            if each.kind is kind and each.binds(scene.project.name, at=scene.now)
        ]
        if not binding:
            return None
        found = max(binding, key=lambda each: each.ends_at or _NEVER)
        why = f"{_SAID[kind]} by {found.set_by}: {found.reason}"
        return held(scene, kind.value, why, found.ends_at)

    return guard


_SAID = {
    Kind.KILL_SWITCH: "kill switch",
    Kind.MAINTENANCE: "maintenance",
    Kind.HOLD: "hold",
}


def _silence(scene: Scene) -> Block | None:
    silenced = scene.episode.silenced
    if silenced is None or not scene.episode.open:
        return None
    return held(scene, "silence", f"{scene.episode.alertname} is {silenced}")


def _observe(scene: Scene) -> Block | None:
    why = scene.project.observed
    if why is None:
        return None
    return Block(guard="observe", reason=f"{why}; would {scene.action} {scene.project.name}")


def _fleet(scene: Scene) -> Block | None:
    """Suspect the monitor when too much falls at once: it is one, and the fleet is many."""
    fell, fleet, guards = len(scene.around.fell), scene.around.fleet, scene.guards
    if fell < guards.fleet_min or fell <= guards.fleet_share * fleet:
        return None
    within, name = duration.text(guards.fleet_within), scene.episode.alertname
    did = "went down" if name == DOWN else f"got {name}"
    why = f"{fell} of {fleet} projects {did} within {within}; the monitor itself is suspect"
    return replace(held(scene, FLEET, why), fell=scene.around.fell)


def _dependency(scene: Scene) -> Block | None:
    parents = scene.around.parents_down
    if not parents:
        return None
    are = "is" if len(parents) == 1 else "are"
    return held(
        scene, "dependency", f"{', '.join(parents)} {are} down, on which it depends; healed first"
    )


def _cooldown(scene: Scene) -> Block | None:
    last = max((_executed(each, scene) for each in scene.attempts), default=None)
    ready = last + scene.guards.cooldown if last else None
    if ready is None or ready <= scene.now:
        return None
    why = f"cooldown {duration.text(scene.guards.cooldown)}"
    return held(scene, "cooldown", why, ready)


def _executed(action: Action, scene: Scene) -> datetime:
    """Return when it was executed; of one from the future, when the incident came to stand so.

    The clock was set back, or it would not be from the future; waiting for it to catch up would
    leave the project down for as long.
    """
    at = action.executed_at or action.created_at
    return at if at <= scene.now else scene.incident.since


def _concurrency(scene: Scene) -> Block | None:
    under_way, most = scene.around.repairs, scene.guards.concurrency
    if under_way < most:
        return None
    are = f"{most} repairs" if most > 1 else "one repair"
    return held(scene, "concurrency", f"{are} at most at once, and as many are under way")


def _dry_run(scene: Scene) -> Block | None:
    return held(scene, DRY_RUN, "dry run") if scene.guards.dry_run else None


DRY_RUN = "dry_run"

# In this order, so that what a person has said is told before what we think ourselves. The dry run
# is last: where it alone says no, the action would be taken.
GUARDS: dict[str, Guard] = {
    "kill_switch": _restraint(Kind.KILL_SWITCH),
    "maintenance": _restraint(Kind.MAINTENANCE),
    "hold": _restraint(Kind.HOLD),
    "silence": _silence,
    "observe": _observe,
    FLEET: _fleet,
    "dependency": _dependency,
    "cooldown": _cooldown,
    "concurrency": _concurrency,
    DRY_RUN: _dry_run,
}
PEOPLES = tuple(GUARDS[name] for name in ("kill_switch", "maintenance", "hold", "silence"))
# What has to let people be asked, too; the rest is about acting only.
ASKING = (*PEOPLES, GUARDS[FLEET], GUARDS["dependency"])
OBSERVING = (GUARDS["observe"], GUARDS[DRY_RUN])
UNDOING = (*PEOPLES, *OBSERVING, GUARDS["concurrency"])
SENDING = (*PEOPLES, *OBSERVING)  # what stops also what is decided, until it is sent
