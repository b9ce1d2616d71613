"""The faults that a demo project can be made to suffer, and what is to come of each."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator import duration
from orchestrator.errors import OrchestratorError

LONGEST = timedelta(days=1)
WITH_PERCENTAGE = "error_burst"


class BadLength(OrchestratorError):
    """A fault was to last for no usable length of time."""


class BadPercentage(OrchestratorError):
    """A fault was to have no usable percentage, or has none at all."""


class By(StrEnum):
    """Who does it."""

    PROJECT = "project"  # to itself
    SUPERVISOR = "supervisor"


class Outcome(StrEnum):
    """What the rules and playbooks of this checkout make of the fault."""

    HEALS = "heals"
    MITIGATES = "mitigates"  # it is paused: harmless, and healed only when the fault has ended
    ESCALATES = "escalates"
    NO_PLAYBOOK_YET = "no_playbook_yet"  # people are told, and that is all


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to break a demo project."""

    sentence: str
    outcome: Outcome
    alerts: tuple[str, ...]  # that it makes, and no other
    by: By = By.PROJECT
    survives_restart: bool = False


FAULTS = {
    "process_killed": Fault(
        sentence="The process is killed, and stays down until somebody starts it.",
        outcome=Outcome.HEALS,
        alerts=("ProjectDown",),
        by=By.SUPERVISOR,
    ),
    "hang": Fault(
        sentence="Connections are accepted, and no request is answered.",
        outcome=Outcome.HEALS,
        alerts=("ProjectDown",),
    ),
    "db_lost": Fault(
        sentence="The connection to the database is lost, and only a restart makes a new one.",
        outcome=Outcome.HEALS,
        alerts=("ProjectDown",),
    ),
    "disk_full": Fault(
        sentence="The database cannot grow any more, and a restart does not change that.",
        outcome=Outcome.ESCALATES,
        alerts=("ProjectDown",),
        survives_restart=True,
    ),
    "memory_leak": Fault(
        sentence="The cache takes all memory, beyond 85 % within half a minute.",
        outcome=Outcome.HEALS,
        alerts=("ProjectHighMemory",),
    ),
    "cpu_load": Fault(
        sentence="The processor is busy for more than 80 %.",
        outcome=Outcome.MITIGATES,
        alerts=("ProjectHighCPU",),
    ),
    "error_burst": Fault(
        sentence="A new release answers more than 5 % of its requests with an error.",
        outcome=Outcome.HEALS,
        alerts=("ProjectHighErrorRate", "ProjectDegraded"),
    ),
    "slow": Fault(
        sentence="The health endpoint takes 1.5 s to answer.",
        outcome=Outcome.NO_PLAYBOOK_YET,
        alerts=("ProjectSlow", "ProjectDegraded"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ongoing:
    """A fault that began, and when it ends by itself (None: not before somebody ends it)."""

    began: datetime
    ends: datetime | None
    percent: float | None = None  # None: what the fault has by itself

    def over(self, at: datetime) -> bool:
        """Tell whether it has ended by itself."""
        return self.ends is not None and at >= self.ends


def length(text: str | None) -> timedelta | None:
    """Read how long a fault is to last, like `10s`; None stays None. Raises BadLength."""
    if text is None:
        return None
    try:
        read = duration.parse(text)
    except (ValueError, OverflowError) as error:
        raise BadLength(f"for={text[:40]}: not a duration; {duration.FORM}") from error
    if not timedelta(0) < read <= LONGEST:
        raise BadLength(f"for={text}: longer than 0s and at most {duration.text(LONGEST)}, please")
    return read


def percentage(name: str, text: str | None) -> float | None:
    """Read how many percent the fault *name* is to have; None stays None. Raises BadPercentage."""
    if text is None:
        return None
    if name != WITH_PERCENTAGE:
        raise BadPercentage(f"percent={text[:40]}: {name} has none, {WITH_PERCENTAGE} has")
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,9})?", text) or not 0 < float(text) <= 100:  # noqa: PLR2004  what percent means
        raise BadPercentage(f"percent={text[:40]}: above 0 and at most 100, please, like 11 or 5.5")
    return float(text)
