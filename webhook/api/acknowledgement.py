"""Acknowledgement: somebody takes what people were asked about."""

from http import HTTPStatus

from webhook.api.operation import Answer, Body, Call, Reason, Table
from webhook.problem import Problem
from webhook.store import acknowledgement, rows
from webhook.store.acknowledgement import NotEscalated, Taken, UnknownIncident
from webhook.token import OPERATORS

table = Table("incidents")


class Acknowledge(Body):
    """Why, or what is going to be done about it."""

    reason: Reason


class Taking(Answer):
    """Who has the incident, and since when."""

    incident: int
    acknowledged_by: str
    acknowledged_at: str | None


@table.post(
    "/api/v1/incidents/{id}/acknowledge",
    roles=OPERATORS,
    body=Acknowledge,
    answer=Taking,
    refuses=(404, 409),
)
async def acknowledge(call: Call) -> Answer:
    """Take an escalated incident, so that others see that it is in somebody's hands.

    Its page goes on, and says so, until the incident ends. To say it twice changes nothing; what
    another has taken is refused, naming them.
    """
    try:
        held = await call.desk.store(
            acknowledgement.acknowledge,
            call.number(),
            by=call.caller.name,
            reason=call.said(Acknowledge).reason,
            at=call.desk.now(),
        )
    except UnknownIncident as error:
        raise Problem(HTTPStatus.NOT_FOUND, str(error)) from error
    except NotEscalated as error:
        raise Problem(HTTPStatus.CONFLICT, str(error), state=error.state) from error
    except Taken as error:
        said = {"acknowledged_by": error.by, "acknowledged_at": rows.text(error.at)}
        raise Problem(HTTPStatus.CONFLICT, str(error), **said) from error
    call.desk.news()
    return Taking(
        incident=call.number(), acknowledged_by=held.by, acknowledged_at=rows.text(held.at)
    )
