"""A budget: how many attempts at an action on a project are left before people are asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.config import Config
from webhook import policy
from webhook.action import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What was spent of one action on one project within its window."""

    project: str
    action: str
    made: int
    allowed: int
    window: timedelta
    tripped: bool  # the breaker is open: it is not tried any more, whatever is left

    @property
    def left(self) -> int:
        """How many may still be made."""
        return max(self.allowed - self.made, 0)


def spent(config: Config, attempts: Iterable[Action], *, now: datetime) -> tuple[Budget, ...]:
    """Return the budgets that *attempts* (executed ones that count, oldest first) are taken from.

    One for each project and action of which something is spent; by name.
    """
    mine: dict[tuple[str, str], list[Action]] = {}
    for each in attempts:
        if each.project in config.projects:
            mine.setdefault((each.project, each.name), []).append(each)
    found = (
        _budget(config, project, action, made, now)
        for (project, action), made in sorted(mine.items())
    )
    return tuple(each for each in found if each.made)


def _budget(
    config: Config, project: str, action: str, attempts: list[Action], now: datetime
) -> Budget:
    guards = config.guards.of(project, action)
    since = now - guards.window
    made = sum(1 for each in attempts if each.executed_at and each.executed_at > since)
    return Budget(
        project=project,
        action=action,
        made=made,
        allowed=guards.attempts,
        window=guards.window,
        tripped=policy.shown_open(guards, attempts, now=now),
    )
