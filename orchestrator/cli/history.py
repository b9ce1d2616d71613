"""`orchestrator history`: what happened between two times."""

from collections.abc import Iterator

import click

from orchestrator import clock
from orchestrator.cli.known import stranger
from orchestrator.cli.online import Hub, local, online, plain, table, zone
from orchestrator.cli.past import Past
from orchestrator.hub import Json

PATH = "/api/v1/history"
PAGE = 500  # entries that the webhook is asked for at once
WHEN = Past()


@click.command()
@click.option("--project", help="Of this project, and what concerned the whole fleet.")
@click.option("--from", "begin", type=WHEN, required=True, help="The begin, like 14:00 or 2h.")
@click.option("--to", "end", type=WHEN, help="The end; now, when left out.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1_000, show_default=True)
@online
def history(*, hub: Hub, project: str | None, begin: str, end: str | None, limit: int) -> None:
    """Tell what happened between two times, oldest first.

    A time is that of this machine's zone, unless it names another: 14:00, "2 PM",
    "2026-11-21 14:00", 2026-11-21T13:00:00Z. One without a day is today's, or yesterday's when it
    is still to come. A length like 2h is so long ago.

    \b
    Examples:
      orchestrator history --project email-blast --from "2 PM" --to "3 PM"
      orchestrator history --from 2h
      orchestrator history --from "2026-11-21 14:00" --to "2026-11-21 15:00" --json

    \b
    Exit status: 0 told, 1 refused, 2 a wrong option, 4 the webhook cannot be reached,
    5 not allowed.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    until = end or clock.written(clock.now())
    if begin >= until:
        raise click.UsageError(f"nothing lies between {_shown(begin)} and {_shown(until)}")
    answer = _read(hub, project, begin, until, limit)
    if answer["history"]:
        hub.show(answer, lambda: _listed(answer))
        return
    nothing = f"nothing is known to have happened from {_shown(begin)} to {_shown(until)}"
    hub.show(answer, lambda: [plain(nothing + stranger(hub, project))])


def _read(hub: Hub, project: str | None, begin: str, until: str, limit: int) -> Json:
    found: list[Json] = []
    after = None
    while True:
        asked = {"project": project, "from": begin, "to": until, "after": after}
        page = hub.get(PATH, **asked, limit=min(PAGE, limit - len(found)))
        found += page["history"]
        after = page["next"]
        if after is None or len(found) >= limit:
            return {"history": found, "next": after}


def _shown(instant: str) -> str:
    return f"{local(instant, day=True)} {zone(instant)}"


def _listed(answer: Json) -> Iterator[str]:
    found = answer["history"]
    head = (f"TIME ({zone(*(each['at'] for each in found))})", "PROJECT", "INCIDENT", "WHAT")
    yield from table([head, *(_row(each) for each in found)])
    if answer["next"] is not None:
        last = local(found[-1]["at"], day=True)
        yield f"there is more: go on with --from {plain(last)!r}, or raise --limit"


def _row(of: Json) -> tuple[str, ...]:
    number = of["incident"]
    return (
        local(of["at"], day=True),
        of["project"] or "all",
        "" if number is None else str(number),
        of["what"],
    )
