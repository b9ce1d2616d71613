"""Hindsight: what was so at an instant, known from all that was told, earlier and later."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator import duration
from orchestrator.answer import Reason
from orchestrator.health import Probe, State
from webhook.incident import DOWN
from webhook.verification import Standing

SETTLE = timedelta(seconds=5)  # of an alert whose rule does not say: as with Prometheus itself
MEANWHILE = timedelta(hours=1)  # before a rollback, its deployment counts as recent

Alert = tuple[str, str]  # its project, its name


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """An alert of a project held from its start to its end; None: to the end of all."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One spell, and whose it was."""

    project: str
    alertname: str
    spell: Spell
    settle: timedelta | None = None  # as its rule said


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindsight:
    """What was so. Of each alert the spells are in order, and none touches the next."""

    spells: Mapping[Alert, tuple[Spell, ...]]
    settle: Mapping[str, timedelta] = field(default_factory=dict)  # by alert name
    rollbacks: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)  # by project

    def held(self, project: str, alertname: str, *, at: datetime) -> bool:
        """Tell whether the expression of the alert was true."""
        spells = self.spells.get((project, alertname), ())
        place = bisect_right(spells, at, key=lambda spell: spell.start)
        if not place:
            return False
        last = spells[place - 1]
        return last.end is None or at < last.end

    def probe(self, project: str, *, at: datetime) -> Probe:
        """Return what a probe would have seen."""
        down = self.held(project, DOWN, at=at)
        return seen(State.DOWN if down else State.HEALTHY)

    def standing(self, project: str, alertname: str, *, at: datetime) -> Standing:
        """Return what Prometheus would have said."""
        held = self.held(project, alertname, at=at)
        return Standing(firing=held, holds=held, settle=self.settle.get(alertname, SETTLE))

    def deployed_ago(self, project: str, *, at: datetime) -> timedelta | None:
        """Return a moment when the project was rolled back soon after: there was something to."""
        soon = any(at <= each <= at + MEANWHILE for each in self.rollbacks.get(project, ()))
        return timedelta(0) if soon else None


def of(held: Iterable[Held], rollbacks: Iterable[tuple[str, datetime]]) -> Hindsight:
    """Put together what was so from when each alert *held*, and when a project was rolled back."""
    spells: dict[Alert, list[Spell]] = defaultdict(list)
    settle: dict[str, timedelta] = {}
    for each in held:
        spells[each.project, each.alertname].append(each.spell)
        if each.settle is not None:
            settle[each.alertname] = each.settle
    back: dict[str, list[datetime]] = defaultdict(list)
    for project, at in rollbacks:
        back[project].append(at)
    return Hindsight(
        spells={alert: joined(some) for alert, some in spells.items()},
        settle=settle,
        rollbacks={project: tuple(some) for project, some in back.items()},
    )


def seen(state: State) -> Probe:
    """Return a probe that saw *state*."""
    return Probe(state=state, reason=Reason.REFUSED if state is State.DOWN else None, seconds=0.0)


def joined(spells: Iterable[Spell]) -> tuple[Spell, ...]:
    """Return *spells* in order, those that touch each other as one."""
    found: list[Spell] = []
    for each in sorted(spells, key=lambda spell: spell.start):
        last = found[-1] if found else None
        if last is None or (last.end is not None and last.end < each.start):
            found.append(each)
        else:
            ends = (last.end, each.end)
            latest = None if None in ends else max(end for end in ends if end is not None)
            found[-1] = Spell(start=last.start, end=latest)
    return tuple(found)


def settling(annotations: Mapping[str, str]) -> timedelta | None:
    """Read how long the rule of an alert needs to see a change; None when it does not say."""
    try:
        return duration.parse(annotations["settle"])
    except (KeyError, ValueError):
        return None
