"""`orchestrator maintenance`: work on projects, announced."""

from datetime import timedelta

import click

from orchestrator import clock, duration
from orchestrator.cli.online import Hub, local, online, table, zone
from orchestrator.cli.restraint import (
    LENGTH,
    REASON,
    RESTRAINTS,
    WHEN,
    in_force,
    line,
    spanned,
    whom,
)
from orchestrator.hub import Json


@click.group()
def maintenance() -> None:
    """Announce work on a project: nothing is repaired meanwhile, and its alerts do not fire."""


@maintenance.command(name="add")
@click.argument("project", required=False)
@click.option("--all", "everybody", is_flag=True, help="Of every project.")
@click.option("--from", "starts", type=WHEN, help="When it begins; now, when left out.")
@click.option("--for", "length", type=LENGTH, help="For how long, like 2h.")
@click.option("--to", "ends", type=WHEN, help="When it ends, instead of --for.")
@REASON
@online
def add_maintenance(
    *,
    hub: Hub,
    project: str | None,
    everybody: bool,
    starts: str | None,
    length: timedelta | None,
    ends: str | None,
    reason: str,
) -> None:
    """Announce maintenance of PROJECT, or with --all of every one.

    Times are those of this machine's zone, unless they name another. One without a day is for
    --from the next one, or that of less than an hour ago, which means now; for --to it is the
    first after the begin.

    \b
    Examples:
      orchestrator maintenance add email-blast --for 2h --reason "new database"
      orchestrator maintenance add --all --from 22:00 --to 02:00 --reason "the switch in rack 2"

    \b
    Exit status: 0 announced, 1 refused, 2 a wrong option, 4 the webhook cannot be reached,
    5 not allowed.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    if everybody == (project is not None):
        raise click.UsageError("name a project, or say --all")
    if (length is None) == (ends is None):
        raise click.UsageError("say either --for or --to")
    begin, end = spanned(starts, ends, now=clock.now().astimezone())
    said = {"kind": "maintenance", "project": project, "reason": reason}
    lasting = None if length is None else duration.text(length)
    when = {"starts_at": begin, "for": lasting, "ends_at": end}
    made = hub.post(RESTRAINTS, {**said, **{key: each for key, each in when.items() if each}})
    hub.show(made, lambda: [line(made)])


@maintenance.command(name="list")
@online
def list_maintenance(*, hub: Hub) -> None:
    """List the maintenance that is under way or announced.

    \b
    Examples:
      orchestrator maintenance list
      orchestrator maintenance list --json

    \b
    Exit status: 0 listed, 2 a wrong option, 4 the webhook cannot be reached, 5 not allowed.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    found = in_force(hub, kind="maintenance")
    hub.show({"restraints": found}, lambda: _listed(found))


@maintenance.command(name="end")
@click.argument("number", type=int)
@online
def end_maintenance(*, hub: Hub, number: int) -> None:
    """End maintenance NUMBER now, or call it off.

    \b
    Examples:
      orchestrator maintenance end 3

    \b
    Exit status: 0 ended, 1 refused, 2 a wrong option, 4 the webhook cannot be reached,
    5 not allowed.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    known = hub.found(f"{RESTRAINTS}/{number}")
    if known is None:
        hub.refuse(f"there is no maintenance {number}")
    if known["kind"] != "maintenance":
        hub.refuse(f"{number} is no maintenance but a {known['kind'].replace('_', ' ')}")
    made = hub.post(f"{RESTRAINTS}/{number}/lift")
    hub.show(made, lambda: [f"maintenance {number} of {whom(made)} has ended"])


def _listed(found: list[Json]) -> list[str]:
    if not found:
        return ["no maintenance is under way or announced"]
    begins = [each["starts_at"] or each["set_at"] for each in found]
    named = zone(*begins, *(each["ends_at"] for each in found))
    head = ("NUMBER", "PROJECT", "STATE", f"FROM ({named})", "TO", "BY", "REASON")
    rows = [
        (
            str(each["id"]),
            whom(each),
            each["state"].replace("_", " "),
            local(begin, day=True),
            local(each["ends_at"], day=True),
            each["set_by"],
            each["reason"],
        )
        for each, begin in zip(found, begins, strict=True)
    ]
    return table([head, *rows])
