"""Guards: the limits that keep repairs from doing harm; for all, for an action, for a project."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from pydantic import Field, StrictBool

from orchestrator.value import Count, Duration, Length, Ratio, Written


class Asking(StrEnum):
    """When a human has to allow an action first."""

    AUTO = "auto"  # a disruptive one on a critical project
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What holds for one action on one project."""

    attempts: int = 3  # executions within `window`
    window: timedelta = timedelta(hours=1)
    breaker: int = 2  # attempts in a row that did not help, after which it is not tried again
    cooldown: timedelta = timedelta(seconds=30)  # since the last attempt at anything on the project
    approval: Asking = Asking.AUTO
    approval_within: timedelta = timedelta(minutes=15)  # then the question has expired
    concurrency: int = 4  # repairs under way in the fleet at which this one waits
    fleet_share: float = 0.3  # of the fleet newly down at once: suspect the monitor
    fleet_min: int = 3  # projects, below which no share is suspicious
    fleet_within: timedelta = timedelta(seconds=60)  # what "at once" means
    recent_deployment: timedelta = timedelta(days=1)  # an older one is not rolled back
    resume_after: timedelta = timedelta(minutes=5)  # of calm, until what we paused is resumed
    dry_run: bool = False  # it is recorded instead of taken, and then passed over


class WrittenLimits(Written):
    """What may be said of an action: each key of Guards, or nothing."""

    attempts: Count | None = None
    window: Length | None = None
    breaker: Count | None = None
    cooldown: Duration | None = None
    approval: Asking | None = None
    approval_within: Length | None = None
    concurrency: Count | None = None
    fleet_share: Ratio | None = None
    fleet_min: Count | None = None
    fleet_within: Length | None = None
    recent_deployment: Length | None = None
    resume_after: Length | None = None
    dry_run: StrictBool | None = None


class WrittenGuards(WrittenLimits):
    """`guards`, and `projects[].guards`."""

    actions: dict[str, WrittenLimits] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarding:
    """Everything that the file says of guards."""

    general: WrittenGuards = field(default_factory=WrittenGuards)
    projects: Mapping[str, WrittenGuards] = field(default_factory=dict)

    def of(self, project: str, action: str) -> Guards:
        """Return what holds for *action* on *project*.

        The narrower word wins: of all, of the action, of the project, of the action there.
        """
        said: dict[str, object] = {}
        for part in self._said(project, action):
            said |= {key: value for key, value in _limits(part) if value is not None}
        return Guards(**said)  # type: ignore[arg-type]  # the same keys, checked by a test

    def _said(self, project: str, action: str) -> Iterator[WrittenLimits]:
        for part in (self.general, self.projects.get(project)):
            if part is not None:
                yield part
                if action in part.actions:
                    yield part.actions[action]


def _limits(part: WrittenLimits) -> Iterator[tuple[str, object]]:
    return ((key, getattr(part, key)) for key in WrittenLimits.model_fields)
