"""`orchestrator act`: ask for one action on one project, and see what comes of it."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import quote

import click

from orchestrator import hub
from orchestrator.cli.online import (
    GOING_ON,
    INTERRUPTED,
    REFUSED,
    UNREACHABLE,
    Hub,
    local,
    online,
    plain,
    zone,
)
from orchestrator.hub import Json, Refused, Unreachable
from orchestrator.length import Length

EVERY = 0.5  # seconds between two looks
_OVER = ("completed", "failed", "unknown")  # states of an action that is not under way any more


@dataclass(slots=True, eq=False)
class _Watch:
    """A request that is watched, from one event to the next."""

    hub: Hub
    number: int
    incident: int
    after: int  # the last event that was shown
    last: Json = field(default_factory=dict)  # the request as it was seen last
    refused: bool = False  # as an event of it said

    def look(self) -> bool:
        """Show what is new, and tell whether that was the end; raise Unreachable or Refused."""
        where = self.hub.address
        now = hub.asked(where, "GET", f"/api/v1/requests/{self.number}")
        while True:
            query = {"after": str(self.after), "limit": "500"}
            page = hub.asked(where, "GET", "/api/v1/events", query=query)
            self._show(page["events"])
            if page["next"] == self.after:
                break
            self.after = page["next"]
        self.last = now  # asked before the events: what ended it was among them
        return now["outcome"] in ("refused", "expired") or now["action_state"] in _OVER

    def _show(self, events: list[Json]) -> None:
        if self.hub.as_json:
            return
        for each in events:
            if each["incident"] == self.incident and not self._of_refusal(each):
                click.echo(f"{local(each['at'])}  {_told(each)}")

    def _of_refusal(self, event: Json) -> bool:
        """Tell whether it says that the request is refused; the last line says so with more."""
        if event["name"] == "RequestRefused" and event["data"].get("request") == self.number:
            self.refused = True
            return True
        return self.refused and event["name"] == "IncidentClosed"


@click.command()
@click.argument("project")
@click.argument("action")
@click.option("--reason", required=True, help="Why; it is kept, and shown to others.")
@click.option(
    "--force",
    metavar="GUARD",
    multiple=True,
    help="Do it although this guard would hold it; once for each guard.",
)
@click.option(
    "--wait",
    "length",
    type=Length(),
    default="2m",
    show_default=True,
    help="How long to wait for what comes of it.",
)
@click.option("--no-wait", is_flag=True, help="Do not wait for that at all.")
@online
def act(
    *,
    hub: Hub,
    project: str,
    action: str,
    reason: str,
    force: tuple[str, ...],
    length: timedelta,
    no_wait: bool,
) -> None:
    """Do ACTION on PROJECT, and see whether it helps.

    It goes through the same guards as a repair. What one of them holds is refused at once, with the
    guard's name and its end; --force with that name does it nevertheless. The kill switch, a dry
    run and `mode: observe` cannot be forced. It is proven as a repair is; where no alert is open,
    by the project itself.

    \b
    Examples:
      orchestrator act email-blast restart_service --reason "hangs since the import"
      orchestrator act email-blast restart_service --reason "again" --force cooldown
      orchestrator act billing command:reindex --reason "ticket 4711" --no-wait

    \b
    Exit status: 0 proven, 1 refused or failed, 2 a wrong option, 3 still going on,
    4 the webhook cannot be reached, 5 not allowed, 130 interrupted.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    body = {"action": action, "reason": reason, "force": list(force)}
    asked = hub.post(f"/api/v1/projects/{quote(project, safe='')}/actions", body)
    if no_wait:
        hub.show(asked, lambda: [f"request {asked['request']}, incident {asked['incident']}"])
        sys.exit(GOING_ON)
    watch = _Watch(hub, asked["request"], asked["incident"], asked["after"])
    try:
        over = _follow(watch, length)
    except KeyboardInterrupt:
        click.echo(f"orchestrator: {_going(watch)}", err=True)
        sys.exit(INTERRUPTED)
    hub.show(watch.last, lambda: _ended(watch.last) if over else [_going(watch)])
    if not over:
        sys.exit(GOING_ON)
    if watch.last["action_state"] != "completed":
        sys.exit(REFUSED)


def _follow(watch: _Watch, length: timedelta) -> bool:
    """Look until it has ended, or *length* is over; a webhook that is away may come back."""
    until = time.monotonic() + length.total_seconds()
    while True:
        away: Unreachable | Refused | None = None
        try:
            if watch.look():
                return True
        except Unreachable as error:
            away = error
        except Refused as error:
            if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:  # then it ends as others do
                watch.hub.get(f"/api/v1/requests/{watch.number}")
            away = error
        if time.monotonic() >= until:
            if away is None:
                return False
            click.echo(f"orchestrator: {plain(str(away))}; {_going(watch)}", err=True)
            sys.exit(UNREACHABLE)
        time.sleep(EVERY)


def _going(watch: _Watch) -> str:
    return (
        f"request {watch.number} of incident {watch.incident} goes on;"
        f" `orchestrator incident {watch.incident}` tells what comes of it"
    )


def _ended(request: Json) -> Iterator[str]:
    """Say how it ended, and what can be done about a guard."""
    what = f"{plain(request['action'])} on {plain(request['project'])}"
    if request["outcome"] == "taken":
        state = "is proven" if request["action_state"] == "completed" else request["action_state"]
        yield f"{what}: {state}" + _because(request["action_state"], request["action_detail"])
        return
    yield f"{what}: {request['outcome']}" + _because("", request["why"])
    if request["guard"] is None:
        return
    end = request["until"]
    until = f" until {local(end, day=True)} {zone(end)}" if end else ""
    hint = f"; --force {request['guard']} does it nevertheless"
    yield f"held by {request['guard']}{until}{hint if request['forcible'] else ''}"


def _because(state: str, detail: str | None) -> str:
    return f": {plain(detail)}" if detail and state != "completed" else ""


def _told(event: Json) -> str:
    """Say what happened, in one line that cannot steer a terminal."""
    data = event["data"]
    said = next((data[key] for key in _SAYS if data.get(key)), "")
    action = f" {data['action']}" if data.get("action") else ""
    over = f" (overriding {data['overrode']})" if data.get("overrode") else ""
    changed = f" from {data['from']} to {data['to']}" if data.keys() >= _CHANGED else ""
    return plain(f"{event['name']}{action}{changed}{over}{': ' if said else ''}{said}")


_SAYS = ("text", "detail", "how", "reason", "question", "summary")  # the first that an event has
_CHANGED = {"from", "to"}  # what an event has that tells of a change
