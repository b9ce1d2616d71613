"""A restraint: a person's word that nothing is to be repaired for a while."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """Why a person wants hands off."""

    KILL_SWITCH = "kill_switch"  # nothing at all, anywhere
    MAINTENANCE = "maintenance"  # a project is being worked on; its alerts do not fire either
    HOLD = "hold"  # a project is left alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Restraint:
    """One such word, from its start to its end; None: until it is lifted."""

    id: int
    kind: Kind
    project: str | None  # None: of every project
    reason: str
    set_by: str
    starts_at: datetime | None  # None: from now on, whatever the clock is set to
    ends_at: datetime | None

    def binds(self, project: str, *, at: datetime) -> bool:
        """Tell whether *project* is to be left alone at that instant."""
        begun = self.starts_at is None or self.starts_at <= at
        over = self.ends_at is not None and at >= self.ends_at
        return begun and not over and self.project in (None, project)
