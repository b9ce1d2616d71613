"""A story: all that is known of one incident, for those who tell of it afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from webhook.action import Action
from webhook.approval import Approval
from webhook.incident import DOWN, Episode, Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event as it was read back; what stands in `data` was written by strangers, too."""

    id: int
    at: datetime
    name: str
    project: str
    incident: int | None
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One incident, from the first time that it was opened on."""

    incident: Incident
    episodes: tuple[Episode, ...]
    actions: tuple[Action, ...] = ()  # the oldest first
    approvals: tuple[Approval, ...] = ()
    events: tuple[Told, ...] = ()  # the oldest first; old ones may be gone
    asked_by: Mapping[str, str] = field(default_factory=dict)  # who asked, by the action's key
    how: str | None = None  # it ended, in the words of its last event
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None

    @property
    def attempts(self) -> tuple[Action, ...]:
        """The actions that were begun."""
        return tuple(each for each in self.actions if each.executed_at is not None)


@dataclass(frozen=True, slots=True)
class Spell:
    """A length of time; no end: it goes on."""

    begin: datetime
    end: datetime | None


def down(episodes: tuple[Episode, ...]) -> tuple[Spell, ...]:
    """Return when the project was down, the first spell first; those that overlap are one."""
    return spells(tuple(each for each in episodes if each.alertname == DOWN))


def spells(episodes: tuple[Episode, ...]) -> tuple[Spell, ...]:
    """Return when any of *episodes* lasted, the first spell first."""
    found: list[Spell] = []
    for each in sorted(episodes, key=lambda each: each.started_at):
        last = found[-1] if found else None
        if last is None or (last.end is not None and last.end < each.started_at):
            found.append(Spell(each.started_at, each.ended_at))
        elif last.end is not None:
            over = None if each.ended_at is None else max(last.end, each.ended_at)
            found[-1] = Spell(last.begin, over)
    return tuple(found)
