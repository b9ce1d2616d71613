"""Events: what happened, page by page."""

from webhook.api.operation import Answer, Call, Newer, Table
from webhook.store import history
from webhook.token import READERS

table = Table("events")


class Event(Answer):
    """One thing that happened; docs/events.md explains each name."""

    id: int
    at: str
    name: str
    project: str  # none: it is about all of them
    incident: int | None
    data: dict[str, str | int | float | None]


class Events(Answer):
    """A page; `next` is the `after` of the next one, also when there is none yet."""

    events: list[Event]
    next: int


@table.get("/api/v1/events", roles=READERS, query=Newer, answer=Events)
async def list_events(call: Call) -> Events:
    """Return events after an id, oldest first."""
    asked = call.asked(Newer)
    found = await call.desk.read(history.events, after=asked.after, limit=asked.limit)
    events = [Event.model_validate(each) for each in found]
    return Events(events=events, next=events[-1].id if events else asked.after)
