"""Raw evidence: what the sources told, before anything is cleaned, numbered or left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from webhook.diagnosis import Line
from webhook.evidence.item import Json, Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What one question to Prometheus answered: a figure over time, oldest first."""

    question: str  # its name in the table of questions, never its text
    unit: str  # as people read it: "ratio", "s", "1/s", "items"
    points: tuple[tuple[float, float], ...]  # seconds since 1970, value
    before: float | None = None  # the mean of as long a time just before; None: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """An incident of the same alert on the same project, which has ended."""

    incident: int
    opened_at: datetime
    seconds: float  # until it ended
    ended: str  # "resolved" or "closed"
    actions: tuple[tuple[str, str], ...]  # name and what came of it: completed, failed, ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """Everything that the sources told about one incident."""

    labels: Mapping[str, str] = field(default_factory=dict)  # of the alert, as Alertmanager has it
    annotations: Mapping[str, str] = field(default_factory=dict)
    series: tuple[Series, ...] = ()
    status: Mapping[str, Json] | None = None  # what /status answered; None: see `missing`
    probe: str = ""  # the state of a probe just now, with its reason
    deployed_seconds_ago: float | None = None  # by Prometheus
    lines: tuple[Line, ...] = ()  # of its log, oldest first, up to 200, not masked
    pasts: tuple[Past, ...] = ()
    runbook: str = ""  # of the alert, as it stands in docs/runbooks
    missing: tuple[Missing, ...] = ()
