"""An answer of an analyzer: what is wrong, what it would do about it, and how sure it is."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import TypeAdapter


class Category(StrEnum):
    """The closed list of root causes."""

    CPU_SATURATION = "cpu_saturation"
    MEMORY_LEAK = "memory_leak"
    DISK_FULL = "disk_full"
    PROCESS_DOWN = "process_down"
    DEPENDENCY_DOWN = "dependency_down"
    CONFIG_ERROR = "config_error"
    BAD_DEPLOY = "bad_deploy"
    TRAFFIC_SPIKE = "traffic_spike"
    NETWORK = "network"
    CERTIFICATE = "certificate"
    CLOCK = "clock"
    FALSE_ALARM = "false_alarm"
    UNKNOWN = "unknown"


NONE, ESCALATE = "none", "escalate"  # answers beside the actions of the catalogue


class Target(StrEnum):
    """What the action is for; a name is never taken from an answer."""

    ALERT_TARGET = "alert_target"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One reason, and the evidence that it rests on."""

    claim: str
    evidence_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another cause that was thought of."""

    cause: Category
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an analyzer says. Its sentences are a stranger's text wherever they are shown."""

    rationale: tuple[Claim, ...]
    alternatives: tuple[Alternative, ...]
    root_cause_category: Category
    root_cause: str
    action: str  # of the catalogue, or NONE, or ESCALATE
    target_ref: Target
    confidence: float  # 0..1, as the analyzer gave it
    missing_evidence: tuple[str, ...]
    suspicious_text: bool

    @property
    def cited(self) -> frozenset[str]:
        """The ids of all evidence that it rests on."""
        return frozenset(each for claim in self.rationale for each in claim.evidence_ids)


def dump(answer: Answer) -> str:
    """Write *answer* as JSON, to be kept."""
    return _KEPT.dump_json(answer).decode()


def load(text: str) -> Answer:
    """Read what `dump` has written; raises pydantic.ValidationError for anything else."""
    return _KEPT.validate_json(text)


_KEPT: TypeAdapter[Answer] = TypeAdapter(Answer)
