"""Acting by hand: a person asks for one action on one project, and hears what came of it."""

from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from webhook.api import known
from webhook.api.operation import Answer, Body, Call, Reason, Table
from webhook.catalogue import UnknownStep, remedy
from webhook.plain import line
from webhook.problem import Problem
from webhook.request import FORCIBLE, CannotForce, forcing
from webhook.store import requests
from webhook.store.requests import UnderWay
from webhook.token import OPERATORS, READERS

REASON = 500  # characters

table = Table("actions by hand")

_Word = Annotated[str, Field(min_length=1, max_length=100)]


class Act(Body):
    """What shall be done, why, and in spite of which guards."""

    action: Annotated[_Word, Field(description="of the catalogue, or `command:<name>`")]
    reason: Reason
    force: Annotated[
        tuple[_Word, ...],
        Field(max_length=20, description="guards that shall not hold it, by their names"),
    ] = ()


class Accepted(Answer):
    """It is about to be done or refused; ask for the request to hear which."""

    request: int
    incident: int
    after: int  # of /api/v1/events: what follows is what becomes of it


class RequestShown(Answer):
    """A request of a person, and what became of it."""

    id: int
    project: str
    action: str
    reason: str
    forced: list[str]
    asked_by: str
    asked_at: str
    expires_at: str
    incident: int
    ended_at: str | None
    outcome: str | None  # taken, refused, expired; none: nobody has taken it up yet
    why: str | None  # it was not taken
    guard: str | None  # that held it
    forcible: bool  # whether that guard may be overridden
    until: str | None  # when that ends by itself
    overrode: list[str]  # of the forced guards, those that would have held it
    key: str | None  # of the action
    action_state: str | None  # completed: it was proven
    action_detail: str | None
    incident_state: str
    incident_held: str | None


@table.post(
    "/api/v1/projects/{project}/actions",
    roles=OPERATORS,
    body=Act,
    answer=Accepted,
    status=HTTPStatus.ACCEPTED,
    refuses=(404, 409),
)
async def act(call: Call) -> Answer:
    """Ask for an action on a project.

    It goes through the same guards as a repair, is sent under a key of its own, and is proven like
    any other. What a guard holds is refused at once, and never waits: ask again, or name the guard
    in `force`. The kill switch, a dry run and `mode: observe` cannot be overridden. Where something
    goes on with the project already, this is refused with 409.
    """
    said, config, at = call.said(Act), call.desk.config(), call.desk.now()
    project = known.project(config, call.word("project"))
    try:
        action = remedy(said.action, config.commands).name
        forced = forcing(said.force)
    except (UnknownStep, CannotForce) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, str(error)) from error
    try:
        asked = await call.desk.store(
            requests.ask,
            project.name,
            action,
            reason=line(said.reason, REASON),
            forced=forced,
            by=call.caller.name,
            at=at,
        )
    except UnderWay as error:
        raise Problem(HTTPStatus.CONFLICT, str(error)) from error
    call.desk.news()
    return Accepted(request=asked.request.id, incident=asked.request.incident, after=asked.after)


@table.get("/api/v1/requests/{id}", roles=READERS, answer=RequestShown, refuses=(404,))
async def show_request(call: Call) -> Answer:
    """Return what a person asked for, and what became of it."""
    found = await call.desk.read(requests.told, call.number())
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no request {call.number()}")
    return RequestShown.model_validate(found | {"forcible": found["guard"] in FORCIBLE})
