"""A scenario: the evidence on one incident as it was gathered, and what is true of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    model_validator,
)

from orchestrator import clock, strict
from orchestrator.errors import OrchestratorError
from orchestrator.strict import Mistaken
from webhook.analyzer.answer import ESCALATE, NONE, Category
from webhook.catalogue import CATALOGUE
from webhook.diagnosis import Line
from webhook.evidence.item import Lack, Missing, Source, Subject
from webhook.evidence.raw import Past, Raw, Series

POINTS = 60  # of a series, at most
ACTIONS = frozenset({*CATALOGUE, NONE, ESCALATE})


class BadScenario(OrchestratorError):
    """It cannot be used; each line of the text is one mistake, with where it is."""


class Split(StrEnum):
    """What a scenario is for. All of one family are in the same split."""

    DEV = "dev"  # rules and prompts are made with it in view
    HELDOUT = "heldout"  # they are not


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is right, and what must not happen."""

    category: Category
    acceptable: frozenset[str]  # any of these is right
    forbidden: frozenset[str]  # what does harm here, or hides the trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One of them."""

    id: str
    about: str
    family: str  # of faults
    split: Split
    injected: bool  # whether somebody has put text into its evidence that is meant to steer
    subject: Subject
    raw: Raw
    truth: Truth
    source: str
    licence: str


def _instant(raw: object) -> datetime:
    return clock.read(raw.isoformat() if isinstance(raw, datetime) else str(raw))


def _action(raw: str) -> str:
    if raw not in ACTIONS:
        raise ValueError(f"{raw!r} is no action")
    return raw


Instant = Annotated[datetime, BeforeValidator(_instant)]
Action = Annotated[str, AfterValidator(_action)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Subject(_Strict):
    project: str
    alertname: str
    severity: str
    started_at: Instant
    asked_at: Instant
    allowed: tuple[str, ...]
    tried: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    critical: bool = False


class _Series(_Strict):
    question: str
    unit: str
    begins: FiniteFloat  # seconds since 1970
    step: FiniteFloat = Field(gt=0)  # seconds
    values: tuple[FiniteFloat | None, ...] = Field(max_length=POINTS)  # None: nothing was measured
    before: FiniteFloat | None = None

    def series(self) -> Series:
        """Return it as it was measured."""
        points = ((self.begins + n * self.step, each) for n, each in enumerate(self.values))
        known = tuple((at, each) for at, each in points if each is not None)
        return Series(question=self.question, unit=self.unit, points=known, before=self.before)


class _Past(_Strict):
    incident: int
    opened_at: Instant
    seconds: FiniteFloat
    ended: str
    actions: tuple[tuple[str, str], ...] = ()


class _Missing(_Strict):
    source: Source
    lack: Lack
    why: str


class _Raw(_Strict):
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    series: tuple[_Series, ...] = ()
    status: dict[str, Any] | None = None
    probe: str = ""
    deployed_seconds_ago: FiniteFloat | None = None
    log: tuple[tuple[str, str, str], ...] = ()  # when, level, message
    pasts: tuple[_Past, ...] = ()
    missing: tuple[_Missing, ...] = ()


class _Truth(_Strict):
    category: Category
    acceptable: tuple[Action, ...] = Field(min_length=1)
    forbidden: tuple[Action, ...] = ()

    @model_validator(mode="after")
    def _apart(self) -> "_Truth":
        both = sorted({*self.acceptable} & {*self.forbidden})
        if both:
            raise ValueError(f"{', '.join(both)} cannot be acceptable and forbidden")
        return self


class _File(_Strict):
    id: Annotated[str, AfterValidator(strict.name)]
    about: str
    family: str
    split: Split
    injected: bool = False
    source: str
    licence: str
    subject: _Subject
    truth: _Truth
    raw: _Raw


def read(text: str) -> Scenario:
    """Read a file of a scenario; raise BadScenario with all that is wrong."""
    try:
        file = strict.parse(text, _File)
    except Mistaken as error:
        raise BadScenario(str(error)) from error
    truth = file.truth
    return Scenario(
        id=file.id,
        about=file.about,
        family=file.family,
        split=file.split,
        injected=file.injected,
        subject=Subject(**dict(file.subject)),
        raw=_raw(file.raw),
        truth=Truth(
            category=truth.category,
            acceptable=frozenset(truth.acceptable),
            forbidden=frozenset(truth.forbidden),
        ),
        source=file.source,
        licence=file.licence,
    )


def _raw(told: _Raw) -> Raw:
    return Raw(
        labels=told.labels,
        annotations=told.annotations,
        series=tuple(each.series() for each in told.series),
        status=told.status,
        probe=told.probe,
        deployed_seconds_ago=told.deployed_seconds_ago,
        lines=tuple(Line(ts=ts, level=level, message=text) for ts, level, text in told.log),
        pasts=tuple(Past(**dict(each)) for each in told.pasts),
        missing=tuple(Missing(**dict(each)) for each in told.missing),
    )
