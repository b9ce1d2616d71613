"""An alert as Alertmanager tells it, and the notification that carries a group of them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, with_config

from orchestrator import clock
from orchestrator.errors import OrchestratorError

OURS = "orchestrator"  # the label `source` of alerts that we post ourselves
WATCHDOG = "Watchdog"  # the alert that always fires, so its absence says that alerts are lost
ZERO = "0001-01-01T00:00:00Z"  # Go's zero time: the end of an alert that has not ended
SAME = timedelta(milliseconds=1)  # two instants of one alert differ by less, after rounding


class BadNotification(OrchestratorError):
    """The body is no notification of Alertmanager's webhook format, version 4."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Status(StrEnum):
    """Whether an alert fires. A firing notification may carry resolved alerts."""

    FIRING = "firing"
    RESOLVED = "resolved"


def _instant(raw: object) -> datetime:
    if not isinstance(raw, str):
        raise ValueError("not an RFC 3339 instant")  # noqa: TRY004  pydantic wants a ValueError
    return clock.read(raw)


def _end(raw: object) -> datetime | None:
    return None if raw is None or raw in (ZERO, "") else _instant(raw)


_TOLERANT = ConfigDict(extra="ignore", strict=True, frozen=True)


@with_config(_TOLERANT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert of a notification. Its fingerprint is a hash of its labels, and of nothing else."""

    status: Annotated[Status, Field(strict=False)]
    labels: dict[str, str]
    fingerprint: Annotated[str, Field(min_length=1)]
    started_at: Annotated[datetime, BeforeValidator(_instant), Field(alias="startsAt")]
    ended_at: Annotated[datetime | None, BeforeValidator(_end), Field(alias="endsAt")] = None
    annotations: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the rule that fired."""
        return self.labels.get("alertname", "")

    @property
    def project(self) -> str | None:
        """The project it is about; None when it names none."""
        return self.labels.get("project") or None

    @property
    def remediable(self) -> bool:
        """Whether its rule allows a repair."""
        return self.labels.get("remediate") == "true"

    @property
    def ours(self) -> bool:
        """Whether we posted it ourselves, as an escalation."""
        return self.labels.get("source") == OURS


@with_config(_TOLERANT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One POST of Alertmanager. Unknown fields are ignored; releases add some."""

    version: Literal["4"]
    status: Annotated[Status, Field(strict=False)]
    alerts: tuple[Alert, ...]
    receiver: str = ""
    group_key: Annotated[str, Field(alias="groupKey")] = ""
    truncated: Annotated[int, Field(alias="truncatedAlerts")] = 0


_FORMAT = TypeAdapter(Notification)


def parse(body: bytes) -> Notification:
    """Read the body of a POST; raise BadNotification, with a bounded reason, when it is none.

    Source: Alertmanager's webhook_config, format version 4, alike in 0.25 and 0.33.
    """
    try:
        return _FORMAT.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "body"
        reason = {"json_invalid": "json"}.get(first["type"], "schema")
        if where == "version":
            reason = "version"
        raise BadNotification(reason, f"{where}: {first['msg']}") from error
