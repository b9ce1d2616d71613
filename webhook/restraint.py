"""A restraint: a person's word that nothing is to be repaired for a while."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.errors import OrchestratorError

LONGEST = timedelta(days=30)  # what lasts for longer is a setting: `mode: observe`
AHEAD = timedelta(days=365)  # of now, a maintenance may begin


class Kind(StrEnum):
    """Why a person wants hands off."""

    KILL_SWITCH = "kill_switch"  # nothing at all, anywhere
    MAINTENANCE = "maintenance"  # a project is being worked on; its alerts do not fire either
    HOLD = "hold"  # a project is left alone


class Unfit(OrchestratorError):
    """Nobody can be left alone like that; the text says why, and what to write."""


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
    set_at: datetime | None = None  # None: before that was written down
    lifted_at: datetime | None = None
    lifted_by: str | None = None

    def binds(self, project: str, *, at: datetime) -> bool:
        """Tell whether *project* is to be left alone at that instant."""
        begun = self.starts_at is None or self.starts_at <= at
        return begun and not self.over(at) and self.project in (None, project)

    def over(self, at: datetime) -> bool:
        """Tell whether it has come to its end by itself."""
        return self.ends_at is not None and at >= self.ends_at

    def state(self, at: datetime) -> str:
        """Say where it stands: lifted, over, in force, or planned."""
        if self.lifted_at is not None:
            return "lifted"
        if self.over(at):
            return "over"
        return "in_force" if self.starts_at is None or self.starts_at <= at else "planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From when to when it is to bind."""

    starts_at: datetime | None  # None: from now on
    ends_at: datetime


def span(
    kind: Kind,
    project: str | None,
    *,
    starts_at: datetime | None,
    ends_at: datetime | None,
    length: timedelta | None,
    now: datetime,
) -> Span:
    """Return from when to when a restraint of that *kind* binds; raise Unfit.

    Its end is an instant or a *length* from its start. A start that has passed is now.
    """
    _check_whom(kind, project)
    begins = starts_at if starts_at is not None and starts_at > now else None
    if begins is not None and kind is not Kind.MAINTENANCE:
        raise Unfit(f"{_SAID[kind]} begins now; only a maintenance can begin later")
    if begins is not None and begins > now + AHEAD:
        raise Unfit("it begins in more than a year; plan it later")
    if (ends_at is None) == (length is None):
        raise Unfit("say how long: either a length, like 2h, or an end")
    start = begins or now
    try:
        end = ends_at or start + (length or timedelta(0))
    except OverflowError as error:
        raise _too_long() from error
    if end <= start:
        raise Unfit("it would end before it begins" if begins else "its end has passed already")
    if end - start > LONGEST:
        raise _too_long()
    return Span(starts_at=begins, ends_at=end)


def _too_long() -> Unfit:
    return Unfit(f"it would last for more than {LONGEST.days} days; for that, set mode: observe")


def _check_whom(kind: Kind, project: str | None) -> None:
    if kind is Kind.KILL_SWITCH and project is not None:
        raise Unfit(f"a kill switch is for the whole fleet; hold {project} instead")
    if kind is Kind.HOLD and project is None:
        raise Unfit("a hold is of one project; for the whole fleet there is the kill switch")


_SAID = {
    Kind.KILL_SWITCH: "a kill switch",
    Kind.MAINTENANCE: "a maintenance",
    Kind.HOLD: "a hold",
}
