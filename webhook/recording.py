"""A recording: what the webhook was told, what people said, and what was done, in order of time.

It is kept as JSON lines, one for each thing; docs/replay.md explains every kind.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    with_config,
)

from orchestrator import clock
from orchestrator.errors import OrchestratorError
from webhook import alert
from webhook.alert import BadNotification, Notification
from webhook.approval import Decision
from webhook.restraint import Kind

AROUND = timedelta(minutes=10)  # of the part that is asked for: when an outage ended, is told late
SHOWN = 20  # mistakes of a file that are told


class BadRecording(OrchestratorError):
    """It cannot be replayed; each line of the text is one mistake, with the line that it is in."""


def _read(raw: object) -> datetime:
    return raw if isinstance(raw, datetime) else clock.read(str(raw))


Instant = Annotated[datetime, BeforeValidator(_read), PlainSerializer(clock.written)]
_STRICT = with_config(ConfigDict(extra="forbid", frozen=True))


@_STRICT
@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Alertmanager told us of alerts; `body` is that of its notification."""

    at: Instant
    body: dict[str, Any]
    kind: Literal["notification"] = "notification"

    def notification(self) -> Notification:
        """Read the body; raise BadNotification."""
        return alert.parse(json.dumps(self.body).encode())


@_STRICT
@dataclass(frozen=True, slots=True, kw_only=True)
class Restrained:
    """A person said that nothing is to be repaired."""

    at: Instant
    number: int
    restraint: Kind
    project: str | None
    reason: str
    by: str
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    kind: Literal["restrained"] = "restrained"


@_STRICT
@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """A person took that back."""

    at: Instant
    number: int
    by: str
    kind: Literal["lifted"] = "lifted"


@_STRICT
@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A person allowed an action, or rejected it."""

    at: Instant
    project: str
    action: str
    decision: Literal[Decision.APPROVED, Decision.REJECTED]
    by: str
    reason: str
    kind: Literal["decided"] = "decided"


@_STRICT
@dataclass(frozen=True, slots=True, kw_only=True)
class Silenced:
    """A person silenced an alert, in the words that a hold quotes; None: not any more."""

    at: Instant
    fingerprint: str
    text: str | None
    kind: Literal["silenced"] = "silenced"


class What(StrEnum):
    """What the webhook can have done."""

    ACT = "act"  # an action was executed
    SHADOW = "shadow"  # one was recorded instead: `dry_run`
    ASK = "ask"  # people were asked to allow one
    ESCALATE = "escalate"  # people were asked what to do
    FLEET = "fleet"  # people were told that so much fell that the monitor is suspect


@_STRICT
@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """The webhook did something that somebody notices."""

    at: Instant
    what: What
    project: str = ""  # "": the whole fleet
    alertname: str = ""
    action: str = ""
    detail: str = ""  # how an action stands, why people are asked
    kind: Literal["done"] = "done"


@_STRICT
@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """From here, or until here, the recording is whole, and what was done is compared."""

    at: Instant
    kind: Literal["begin", "end"]


Heard = Told | Restrained | Lifted | Decided | Silenced
Line = Heard | Deed | Mark
_LINE: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="kind")])


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A whole recording. What lies outside of its begin and end is there to be known beside."""

    heard: tuple[Heard, ...]
    done: tuple[Deed, ...]
    begin: datetime
    end: datetime
    compares: bool  # whether it tells what was done

    def part(
        self, since: datetime | None, until: datetime | None, *, warm_up: timedelta
    ) -> "Recording":
        """Return the part from *since* to *until*, with as much around it as bears on it.

        What people said is kept from the begin on: it may hold for long.
        """
        begin = max(self.begin, since or self.begin)
        end = min(self.end, until or self.end)
        if end < begin:
            from_to = f"from {clock.written(self.begin)} to {clock.written(self.end)}"
            raise BadRecording(f"it goes {from_to}, and has nothing of what is asked for")
        early = begin - warm_up if since else self.heard[0].at
        return replace(
            self,
            heard=tuple(
                each
                for each in self.heard
                if each.at <= end + AROUND and (each.at >= early or not isinstance(each, Told))
            ),
            done=tuple(each for each in self.done if early <= each.at <= end + AROUND),
            begin=begin,
            end=end,
        )


def of(lines: Iterable[Line]) -> Recording:
    """Put a recording together from its *lines*, which are in order of time; raise BadRecording."""
    every = list(lines)
    if not any(isinstance(each, Told) for each in every):
        raise BadRecording("there is no notification in it")
    done = tuple(each for each in every if isinstance(each, Deed))
    marks = {each.kind: each.at for each in every if isinstance(each, Mark)}
    return Recording(
        heard=tuple(each for each in every if not isinstance(each, Deed | Mark)),
        done=done,
        begin=marks.get("begin", every[0].at),
        end=marks.get("end", every[-1].at),
        compares=bool(done or marks),
    )


def read(text: Iterable[str]) -> Recording:
    """Read JSON lines; raise BadRecording, which names the line of each mistake."""
    lines: list[Line] = []
    mistakes: list[str] = []
    for number, each in enumerate(text, start=1):
        if each.strip():
            try:
                lines.append(_line(each, after=lines[-1].at if lines else None))
            except BadRecording as error:
                mistakes.append(f"line {number}: {error}")
    if mistakes:
        more = [f"and {len(mistakes) - SHOWN} more"] if len(mistakes) > SHOWN else []
        raise BadRecording("\n".join([*mistakes[:SHOWN], *more]))
    return of(lines)


def _line(text: str, *, after: datetime | None) -> Line:
    try:
        line = _LINE.validate_json(text)
        if isinstance(line, Told):
            line.notification()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise BadRecording(f"{where}: {first['msg']}" if where else first["msg"]) from error
    except BadNotification as error:
        raise BadRecording(f"body: {error}") from error
    if after is not None and line.at < after:
        raise BadRecording(f"{clock.written(line.at)} is before the line above it")
    return line


def written(recording: Recording) -> Iterator[str]:
    """Write *recording* as lines that `read` takes, and that never change for the same one."""
    every: list[Line] = [*recording.heard, *recording.done]
    if recording.compares:
        begin = Mark(at=recording.begin, kind="begin")
        every = [begin, *every, Mark(at=recording.end, kind="end")]
    for each in sorted(every, key=lambda line: line.at):
        said = _LINE.dump_python(each, mode="json")
        yield json.dumps({"at": said.pop("at"), "kind": said.pop("kind"), **said})
