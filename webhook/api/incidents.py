"""Incidents: what became of the alerts of each project, and what was done about them."""

import sqlite3
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from webhook import event
from webhook.api import shown
from webhook.api.operation import Answer, Call, Limit, Older, Query, Table
from webhook.api.pages import HTML, address, older, render
from webhook.api.shown import Incident, Whole
from webhook.api.why import Why, why
from webhook.problem import Problem
from webhook.store import explained, search, stories
from webhook.store.stories import ENDED, GOING, Wanted
from webhook.token import READERS

PAGE = 200  # incidents of an answer: each takes a look at all that belongs to it
REASONS = 5  # analyses on a page, the newest

table = Table("incidents")

Zone = Annotated[
    str,
    Field(
        pattern=r"^[+-](0\d|1[0-4]):[0-5]\d$",
        description="the offset that the times in `summary` are written in",
    ),
]


class Incidents(Answer):
    """A page; `next` is the `before` of the next one, and null on the last."""

    incidents: list[Incident]
    next: int | None


class Zoned(Query):
    """How times are written."""

    zone: Zone = "+00:00"


class Asked(Older):
    """Which incidents."""

    state: Literal["open", "ended", "all"] = "all"
    limit: Annotated[Limit, Field(le=PAGE)] = 50
    project: Annotated[str, Field(max_length=100)] | None = None
    q: (
        Annotated[
            str,
            Field(
                min_length=1,
                max_length=200,
                description="words, or how they begin; all of them were said of the incident",
            ),
        ]
        | None
    ) = None
    zone: Zone = "+00:00"


class Paged(Asked):
    """Which incidents a person sees who names none."""

    state: Literal["open", "ended", "all"] = "open"


@table.get("/api/v1/incidents", roles=READERS, query=Asked, answer=Incidents)
async def list_incidents(call: Call) -> Incidents:
    """Return incidents, newest first, each in a sentence and with its actions.

    What was said in the last seconds may not be found by `q` yet.
    """
    return await _page(call)


async def _page(call: Call) -> Incidents:
    asked = call.asked(Asked)
    found = None if asked.q is None else search.expression(asked.q)
    if asked.q is not None and found is None:
        raise Problem(HTTPStatus.BAD_REQUEST, "query.q: there is no word in it")
    wanted = Wanted(state=_STATES[asked.state], project=asked.project, found=found)
    zone = _zone(asked.zone)
    more = asked.limit + 1  # whether there are older ones
    listed = await call.desk.read(_listed, wanted, asked.before, more, zone)
    some = listed[: asked.limit]
    return Incidents(incidents=some, next=some[-1].id if len(listed) > len(some) else None)


_STATES = {"open": GOING, "ended": ENDED, "all": None}


@table.get("/api/v1/incidents/{id}", roles=READERS, query=Zoned, answer=Whole)
async def get_incident(call: Call) -> Whole:
    """Return one incident: its summary, alerts, attempts, questions, pages and timeline."""
    return await _whole(call, call.asked(Zoned).zone)


@table.get("/incidents", roles=READERS, query=Paged, produces=HTML)
async def show_incidents(call: Call) -> web.Response:
    """Return a page that lists incidents, newest first, each in a sentence."""
    asked, found = call.asked(Paged), await _page(call)
    views = {
        state: address("/incidents", state=state, project=asked.project, q=asked.q)
        for state in _STATES
    }
    return render(
        call,
        "incidents.html",
        asked=asked,
        found=found,
        views=views,
        older=older(call, asked, found.next),
    )


@table.get("/incidents/{id}", roles=READERS, produces=HTML)
async def show_incident(call: Call) -> web.Response:
    """Return a page that shows one incident."""
    incident = await _whole(call, "+00:00")
    reasons = await call.desk.read(_explained, incident.id, call.desk.now())
    days = {each.at[:10] for each in incident.timeline}
    return render(
        call,
        "incident.html",
        incident=incident,
        reasons=reasons,
        dated=len(days) > 1,
        spoken=_spoken,
    )


def _spoken(seconds: float | None) -> str:
    return "" if seconds is None else event.spoken(timedelta(seconds=seconds))


async def _whole(call: Call, zone: str) -> Whole:
    number = call.number()
    found = await call.desk.read(_read, number, _zone(zone))
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no incident {number}")
    return found


def _zone(written: str) -> timezone:
    sign, hours, minutes = written[0], int(written[1:3]), int(written[4:])
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if sign == "-" else offset)


def _explained(db: sqlite3.Connection, number: int, now: datetime) -> list[Why]:
    return [why(each) for each in explained.explained(db, number, limit=REASONS, now=now)]


def _listed(
    db: sqlite3.Connection, wanted: Wanted, before: int | None, limit: int, zone: timezone
) -> list[Incident]:
    found = stories.page(db, wanted, before=before, limit=limit)
    return [shown.listed(each, zone) for each in found]


def _read(db: sqlite3.Connection, number: int, zone: timezone) -> Whole | None:
    story = stories.whole(db, number)
    if story is None:
        return None
    details = stories.details(db, number, limit=shown.SHOWN)
    return shown.whole(story, details, zone)
