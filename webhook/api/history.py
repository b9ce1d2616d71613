"""The history: what happened between two instants."""

import sqlite3
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from orchestrator import clock
from webhook import timeline
from webhook.api.operation import Answer, Call, Limit, Query, Table
from webhook.incident import Episode
from webhook.plain import line
from webhook.problem import Problem
from webhook.store import chronicle
from webhook.store.chronicle import Entry, Place, Stretch
from webhook.token import READERS

USUAL = timedelta(days=1)  # from when, where nobody said it
_SHAPE = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z-(end|event)-\d{1,18}$"

table = Table("history")


def _instant(raw: object) -> datetime:
    if not isinstance(raw, str) or len(raw) > 40:  # noqa: PLR2004  no instant is that long
        raise ValueError("not an instant; write it like 2026-11-21T08:56:57Z")
    return clock.read(raw)


Instant = Annotated[datetime, BeforeValidator(_instant, json_schema_input_type=str)]


class Asked(Query):
    """Which part of it."""

    project: (
        Annotated[str, Field(max_length=100, description="and what concerns the whole fleet")]
        | None
    ) = None
    begin: Instant | None = Field(default=None, alias="from", description="a day before `to`")
    end: Instant | None = Field(default=None, alias="to", description="not including it; now")
    after: Annotated[str, Field(pattern=_SHAPE, description="`next` of the last page")] | None = (
        None
    )
    limit: Limit = 50


class Happening(Answer):
    """An event, or the end of an alert."""

    at: str
    kind: Literal["event", "end"]
    id: int  # of the event; or of the alert that ended
    name: str  # of the event, or of the alert
    project: str  # none: it is about all of them
    incident: int | None
    what: str  # for people
    took_seconds: float | None  # how long the alert lasted
    data: dict[str, str | int | float | None]


class History(Answer):
    """A page; `next` is the `after` of the next one, and null on the last."""

    history: list[Happening]
    next: str | None


@table.get("/api/v1/history", roles=READERS, query=Asked, answer=History)
async def list_history(call: Call) -> History:
    """Return what happened between two instants, oldest first.

    These are the events, those of people's deeds among them, and the ends of the alerts.
    """
    asked = call.asked(Asked)
    end = asked.end or call.desk.now()
    begin = asked.begin or _before(end)
    if begin >= end:
        raise Problem(HTTPStatus.BAD_REQUEST, "query.from: it has to be before query.to")
    after = None if asked.after is None else _place(asked.after)
    stretch = Stretch(project=asked.project, begin=begin, end=end, after=after)
    found = await call.desk.read(_listed, stretch, asked.limit)
    entries, last = found
    return History(history=entries, next=last if len(entries) == asked.limit else None)


def _before(end: datetime) -> datetime:
    try:
        return end - USUAL
    except OverflowError:
        return end


def _place(written: str) -> Place:
    at, kind, number = written.rsplit("-", 2)
    try:
        return Place(at=clock.read(at), kind=kind, id=int(number))
    except ValueError:
        raise Problem(HTTPStatus.BAD_REQUEST, "query.after: there is no such instant") from None


def _listed(
    db: sqlite3.Connection, stretch: Stretch, limit: int
) -> tuple[list[Happening], str | None]:
    found = chronicle.between(db, stretch, limit=limit)
    entries = [Happening.model_validate(_shown(each)) for each in found]
    if not found:
        return entries, None
    place = found[-1].place
    return entries, f"{clock.written(place.at)}-{place.kind}-{place.id}"


def _shown(entry: Entry) -> dict[str, object]:
    about = {"at": clock.written(entry.place.at), "kind": entry.place.kind, "id": entry.place.id}
    about |= {"project": entry.what.project, "incident": entry.incident}
    if isinstance(entry.what, Episode):
        lasted = entry.place.at - entry.what.started_at
        said = f"{entry.what.alertname} ended"
        return about | {
            "name": entry.what.alertname,
            "what": line(said, 400),
            "took_seconds": lasted.total_seconds(),
            "data": {},
        }
    told = {"name": entry.what.name, "what": timeline.happened(entry.what)}
    return about | told | {"took_seconds": None, "data": dict(entry.what.data)}
