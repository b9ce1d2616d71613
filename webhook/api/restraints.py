"""Restraints: holds, maintenance and the kill switch, set and lifted by people."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from orchestrator import clock, duration
from webhook.api import known
from webhook.api.operation import LAST, Answer, Body, Call, Older, Reason, Table
from webhook.problem import Problem
from webhook.restraint import Kind, Restraint, Span, Unfit, span
from webhook.store import restraints, rows
from webhook.token import OPERATORS, READERS

table = Table("restraints")


def _instant(raw: object) -> datetime:
    if not isinstance(raw, str) or len(raw) > 40:  # noqa: PLR2004  no instant is that long
        raise ValueError("not an instant; write it like 2026-11-21T08:56:57Z")
    return clock.read(raw)


def _length(raw: object) -> timedelta:
    if not isinstance(raw, str) or len(raw) > 40:  # noqa: PLR2004  nor is a length
        raise ValueError(f"not a duration; {duration.FORM}")
    return duration.parse(raw)


Instant = Annotated[datetime, BeforeValidator(_instant, json_schema_input_type=str)]
Length = Annotated[timedelta, BeforeValidator(_length, json_schema_input_type=str)]
Named = Annotated[str, Field(min_length=1, max_length=63)]


class Restrain(Body):
    """Whom to leave alone, until when, and why."""

    kind: Kind
    project: Named | None = Field(default=None, description="none: every project")
    reason: Reason
    starts_at: Instant | None = Field(default=None, description="maintenance only; none: now")
    ends_at: Instant | None = None
    length: Length | None = Field(
        default=None, alias="for", description="like 2h, from the start; instead of `ends_at`"
    )


class RestraintShown(Answer):
    """A restraint as it stands."""

    id: int
    kind: Kind
    project: str | None  # none: every project
    state: str  # in_force, planned, over, lifted
    reason: str
    set_by: str
    set_at: str | None
    starts_at: str | None  # none: since it was set
    ends_at: str | None
    lifted_by: str | None
    lifted_at: str | None


class Restraints(Answer):
    """Restraints, newest first."""

    restraints: list[RestraintShown]
    next: int | None


class WhichRestraints(Older):
    """Which restraints."""

    kind: Literal["hold", "maintenance", "kill_switch"] | None = None
    project: Named | None = Field(default=None, description="and those of every project")
    all: bool = Field(default=False, description="also those that are over or lifted")


def shown(of: Restraint, at: datetime) -> RestraintShown:
    """Return it as it is answered."""
    return RestraintShown(
        id=of.id,
        kind=of.kind,
        project=of.project,
        state=of.state(at),
        reason=of.reason,
        set_by=of.set_by,
        set_at=rows.text(of.set_at),
        starts_at=rows.text(of.starts_at),
        ends_at=rows.text(of.ends_at),
        lifted_by=of.lifted_by,
        lifted_at=rows.text(of.lifted_at),
    )


@table.get("/api/v1/restraints", roles=READERS, query=WhichRestraints, answer=Restraints)
async def list_restraints(call: Call) -> Answer:
    """Return what people have said is to be left alone, newest first.

    Those in force and those planned; with `all`, also those that are over.
    """
    asked, now = call.asked(WhichRestraints), call.desk.now()
    found = await call.desk.read(
        restraints.page,
        kind=Kind(asked.kind) if asked.kind else None,
        project=asked.project,
        current=not asked.all,
        before=LAST if asked.before is None else asked.before,
        limit=asked.limit,
        at=now,
    )
    more = found[-1].id if len(found) == asked.limit else None
    return Restraints(restraints=[shown(each, now) for each in found], next=more)


@table.get("/api/v1/restraints/{id}", roles=READERS, answer=RestraintShown, refuses=(404,))
async def show_restraint(call: Call) -> Answer:
    """Return one restraint."""
    found = await call.desk.read(restraints.one, call.number())
    return shown(_there(call, found), call.desk.now())


@table.post(
    "/api/v1/restraints",
    roles=OPERATORS,
    body=Restrain,
    answer=RestraintShown,
    status=HTTPStatus.CREATED,
    refuses=(404,),
)
async def restrain(call: Call) -> Answer:
    """Leave a project, or all of them, alone for a while.

    Once this is answered, nothing new is begun on them. It ends by itself; 30 days at most. One
    more about the same project stands beside the first, and each binds until its own end.
    """
    said, now = call.said(Restrain), call.desk.now()
    if said.project is not None:
        known.project(call.desk.config(), said.project)
    when = _span(said, now)
    number = await call.desk.store(
        restraints.add,
        said.kind,
        said.project,
        reason=said.reason,
        by=call.caller.name,
        starts_at=when.starts_at,
        ends_at=when.ends_at,
        at=now,
    )
    call.desk.news()
    return shown(_there(call, await call.desk.read(restraints.one, number)), now)


def _span(said: Restrain, now: datetime) -> Span:
    try:
        return span(
            said.kind,
            said.project,
            starts_at=said.starts_at,
            ends_at=said.ends_at,
            length=said.length,
            now=now,
        )
    except Unfit as error:
        raise Problem(HTTPStatus.BAD_REQUEST, str(error)) from error


@table.post(
    "/api/v1/restraints/{id}/lift", roles=OPERATORS, answer=RestraintShown, refuses=(404, 409)
)
async def lift(call: Call) -> Answer:
    """End a restraint now, and let what it held be decided anew."""
    number, now = call.number(), call.desk.now()
    lifted = await call.desk.store(restraints.lift, number, by=call.caller.name, at=now)
    found = _there(call, await call.desk.read(restraints.one, number))
    if not lifted:
        by = f" by {found.lifted_by}" if found.lifted_by else ""
        kind = found.kind.replace("_", " ")
        said = f"{kind} {number} is {found.state(now)}{by} already"
        raise Problem(HTTPStatus.CONFLICT, said)
    call.desk.news()
    return shown(found, now)


def _there(call: Call, found: Restraint | None) -> Restraint:
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no restraint {call.number()}")
    return found
