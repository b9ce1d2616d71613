"""An analysis: one question to the analyzer about an incident, kept until it is answered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from webhook.analyzer.answer import Answer

WITHIN = timedelta(seconds=60)  # for evidence and answer together
SLOW = WITHIN + timedelta(seconds=30)  # what is not answered by then is gone on without


class State(StrEnum):
    """Where an analysis stands."""

    QUEUED = "queued"
    RUNNING = "running"
    ANSWERED = "answered"
    ABORTED = "aborted"  # the program ended while it was asked


class By(StrEnum):
    """Who has answered."""

    CLAUDE = "claude"
    RULES = "rules"


class Decision(StrEnum):
    """What became of an answer."""

    AUTO = "auto"  # it is done
    HUMAN = "human"  # people are asked to allow it
    ESCALATE = "escalate"  # people are asked what to do
    OBSERVE = "observe"  # nothing is to be done, or may be
    PLAYBOOK = "playbook"  # rules answered in the place of a model: the playbook goes on


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One condition of acting without a human, and whether it held."""

    name: str  # bounded: a label of a metric
    passed: bool
    why: str  # in words for people


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What was decided on an answer, with every gate that it went through."""

    analysis: int
    decision: Decision
    gates: tuple[Gate, ...]
    raw: float
    calibrated: float
    effective: float
    reason: str  # one sentence

    @property
    def closed(self) -> tuple[Gate, ...]:
        """The gates that did not hold."""
        return tuple(each for each in self.gates if not each.passed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What an analysis is about: when it changes, another one may be asked for."""

    incident: int
    opened_at: datetime  # of the incident, which may be opened again
    alertname: str
    attempts: int  # executed for it until now


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One analysis as far as a decision needs it; its evidence and its cost are in the store."""

    id: int
    project: str
    situation: Situation
    state: State
    asked_at: datetime
    answered_at: datetime | None = None
    by: By | None = None
    model: str = ""  # as it was returned; "" of rules
    prompt: str = ""  # the version of prompt and schema
    answer: Answer | None = None
    why_rules: str = ""  # why no model answered, for people; "" when one did
    ids: frozenset[str] = frozenset()  # of the evidence
    measured: frozenset[str] = frozenset()
    flags: tuple[str, ...] = ()
    evidence: str = ""  # its SHA-256
    decision: Decision | None = None  # None: nobody has looked at the answer yet
    decided_at: datetime | None = None
    reason: str = ""  # of the decision

    @property
    def going(self) -> bool:
        """Whether an answer may still come."""
        return self.state in {State.QUEUED, State.RUNNING}
