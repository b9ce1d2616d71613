"""Policy: which repair comes next for an incident, or why none does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator import duration
from orchestrator.config import Guards
from orchestrator.project import Mode, Project
from webhook.action import Action, State
from webhook.incident import Episode

Playbooks = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Try this action now, against this alert."""

    action: str
    alertname: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Do nothing before *until* (None: before something changes)."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate:
    """Ask people: nothing that may be tried is left."""

    reason: str


Decision = Act | Hold | Escalate


def worst(episodes: Iterable[Episode], playbooks: Playbooks) -> Episode | None:
    """Return the open episode that drives the repair: the order of the playbooks ranks them."""
    rank = {alertname: place for place, alertname in enumerate(playbooks)}
    known = [each for each in episodes if each.open]
    return min(known, key=lambda each: rank.get(each.alertname, len(rank)), default=None)


def decide(
    episode: Episode,
    project: Project | None,
    attempts: Sequence[Action],
    *,
    playbooks: Playbooks,
    guards: Guards,
    now: datetime,
) -> Decision:
    """Choose the next step for *episode*.

    *attempts* are the executed actions on the project, oldest first.
    A playbook is worked through step by step, each until its breaker opens or its attempts in
    the window are used up. An attempt dated in the future counts: a clock that was set back must
    not buy another restart.
    """
    if project is None:
        return Escalate(reason=f"{episode.project} is not in orchestrator.yml")
    recent = [
        each for each in attempts if each.executed_at and each.executed_at > now - guards.window
    ]
    playbook = playbooks.get(episode.alertname, ())
    if not playbook:
        return Escalate(reason=f"no playbook for {episode.alertname}")
    step = _next_step(playbook, recent, guards)
    if step is None:
        return Escalate(reason=_exhausted(episode, recent))
    if project.mode is Mode.OBSERVE:
        return Hold(reason=f"mode: observe; would {step} {project.name}")
    ready = _cooled_down(recent, guards)
    if ready is not None and ready > now:
        cooldown = duration.text(guards.cooldown)
        return Hold(
            reason=f"{step} on {project.name} held until {ready:%H:%M:%S} UTC: cooldown {cooldown}",
            until=ready,
        )
    used = sum(each.name == step for each in recent)
    return Act(action=step, alertname=episode.alertname, attempt=used + 1)


def _next_step(steps: Sequence[str], recent: Sequence[Action], guards: Guards) -> str | None:
    for step in steps:
        mine = [each for each in recent if each.name == step]
        tail = mine[-guards.breaker :]
        tripped = len(tail) == guards.breaker and all(each.state is State.FAILED for each in tail)
        if not tripped and len(mine) < guards.attempts:
            return step
    return None


def _cooled_down(recent: Sequence[Action], guards: Guards) -> datetime | None:
    last = max((each.executed_at for each in recent if each.executed_at), default=None)
    return None if last is None else last + guards.cooldown


def _exhausted(episode: Episode, recent: Sequence[Action]) -> str:
    tried = ", ".join(f"{each.name} {each.attempt}: {each.detail or each.state}" for each in recent)
    return f"{episode.alertname} goes on after {len(recent)} of our attempts ({tried})"
