"""A pack as it is read back from the text that was sent of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError

from orchestrator import clock
from orchestrator.errors import OrchestratorError
from webhook.evidence.item import Item, Lack, Missing, Pack, Source, Subject, Trust

Instant = Annotated[datetime, BeforeValidator(clock.read)]


class BadEvidence(OrchestratorError):
    """It is no text of a pack; its own text never repeats what stands in it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class _About(_Strict):
    project: str
    alert: str
    severity: str
    started_at: Instant
    asked_at: Instant
    allowed_actions: tuple[str, ...]
    tried: tuple[str, ...]
    helped: tuple[str, ...] = ()
    depends_on: tuple[str, ...]
    critical: bool


class _Item(_Strict):
    id: str
    source: Source
    trust: Trust
    content: Mapping[str, JsonValue]


class _Missing(_Strict):
    source: Source
    status: Lack
    why: str


class _Document(_Strict):
    about: _About
    evidence: tuple[_Item, ...]
    flags: tuple[str, ...] = ()
    missing: tuple[_Missing, ...]
    omitted: int = Field(ge=0)


def unpacked(text: str) -> Pack:
    """Return the pack that *text* was written of, but for what was redacted; raise BadEvidence."""
    try:
        told = _Document.model_validate_json(text)
    except ValidationError as error:
        raise BadEvidence(f"no evidence: {error.error_count()} mistakes in it") from None
    about = told.about
    return Pack(
        subject=Subject(
            project=about.project,
            alertname=about.alert,
            severity=about.severity,
            started_at=about.started_at,
            asked_at=about.asked_at,
            helped=about.helped,
            allowed=about.allowed_actions,
            tried=about.tried,
            depends_on=about.depends_on,
            critical=about.critical,
        ),
        items=tuple(
            (each.id, Item(source=each.source, trust=each.trust, content=each.content))
            for each in told.evidence
        ),
        missing=tuple(
            Missing(source=each.source, lack=each.status, why=each.why) for each in told.missing
        ),
        omitted=told.omitted,
        flags=told.flags,
    )
