"""The faults that a demo project can be made to suffer, and what is to come of each."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator import duration
from orchestrator.errors import OrchestratorError

LONGEST = timedelta(days=1)


class BadLength(OrchestratorError):
    """A fault was to last for no usable length of time."""


class By(StrEnum):
    """Who does it."""

    PROJECT = "project"  # to itself
    SUPERVISOR = "supervisor"


class Outcome(StrEnum):
    """What the rules and playbooks of this checkout make of the fault."""

    HEALS = "heals"
    ESCALATES = "escalates"
    NO_RULE_YET = "no_rule_yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to break a demo project."""

    sentence: str
    outcome: Outcome
    by: By = By.PROJECT
    survives_restart: bool = False


FAULTS = {
    "process_killed": Fault(
        sentence="The process is killed, and stays down until somebody starts it.",
        outcome=Outcome.HEALS,
        by=By.SUPERVISOR,
    ),
    "hang": Fault(
        sentence="Connections are accepted, and no request is answered.",
        outcome=Outcome.HEALS,
    ),
    "db_lost": Fault(
        sentence="The connection to the database is lost, and only a restart makes a new one.",
        outcome=Outcome.HEALS,
    ),
    "disk_full": Fault(
        sentence="The database cannot grow any more, and a restart does not change that.",
        outcome=Outcome.ESCALATES,
        survives_restart=True,
    ),
    "memory_leak": Fault(
        sentence="Memory climbs beyond 85 % within a minute.",
        outcome=Outcome.NO_RULE_YET,
    ),
    "cpu_load": Fault(
        sentence="The processor is busy for more than 80 %.",
        outcome=Outcome.NO_RULE_YET,
    ),
    "error_burst": Fault(
        sentence="A new release answers more than 5 % of its requests with an error.",
        outcome=Outcome.NO_RULE_YET,
    ),
    "slow": Fault(
        sentence="The health endpoint takes 1.5 s to answer.",
        outcome=Outcome.NO_RULE_YET,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ongoing:
    """A fault that began, and when it ends by itself (None: not before somebody ends it)."""

    began: datetime
    ends: datetime | None

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
