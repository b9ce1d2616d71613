"""`orchestrator status`: the whole fleet on one screen."""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import click

from orchestrator import clock, duration
from orchestrator.cli.online import REFUSED, Hub, local, online, plain, table, zone
from orchestrator.cli.restraint import line
from orchestrator.hub import Json

AGAIN = 2.0  # seconds between two looks of --watch
INTERRUPTED = 130
WELL = "healthy"
WIDE = 100  # characters of a reason in the table


@click.command()
@click.option("--all", "every", is_flag=True, help="List the projects that are well, too.")
@click.option("--watch", is_flag=True, help="Look again every two seconds, until Ctrl-C.")
@online
def status(*, hub: Hub, every: bool, watch: bool) -> None:
    """Show how everything is: the webhook, the fleet, what is open, held, and waits for people.

    Projects that are well are counted; the others are listed.

    \b
    Examples:
      orchestrator status
      orchestrator status --watch
      orchestrator status --json | jq .needs

    \b
    Exit status: 0 nothing needs people, 1 something does or the webhook refused, 2 a wrong option,
    4 the webhook cannot be reached, 5 not allowed, 130 interrupted.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    if watch and hub.as_json:
        raise click.UsageError("--watch is for people; ask again by yourself for --json")
    try:
        while watch:
            _show(hub, every=every, afresh=True)
            time.sleep(AGAIN)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(REFUSED if _show(hub, every=every, afresh=False) else 0)


def _show(hub: Hub, *, every: bool, afresh: bool) -> bool:
    """Look once, and tell whether something needs people."""
    seen = hub.get("/api/v1/fleet")
    if afresh:
        click.clear()
    hub.show(seen, lambda: screen(seen, every=every))
    return bool(seen["needs"])


def screen(seen: Json, *, every: bool) -> Iterator[str]:
    """Write *seen*, an answer of /api/v1/fleet, for people."""
    yield _webhook(seen["webhook"])
    yield _fleet(seen)
    yield from _section(_projects(seen, every=every))
    if (beyond := sum(seen["open"].values()) - len(seen["incidents"])) > 0:
        yield f"and {beyond} more open incidents: orchestrator incidents --open"
    yield from _section(_approvals(seen["approvals"]))
    yield from _section([line(each) for each in seen["restraints"]])
    yield ""
    if not seen["needs"]:
        yield "All is well." if _well(seen) else "Nothing needs people now."
        return
    yield "What needs people:"
    yield from (plain(f"- {each}") for each in seen["needs"])


def _well(seen: Json) -> bool:
    """Tell whether every project is healthy, nothing goes on, and nothing is held."""
    states = {each["state"] for each in seen["projects"]}
    return states <= {WELL} and not seen["incidents"] and not seen["restraints"]


def _section(lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield ""
        yield from found


def _webhook(own: Json) -> str:
    oldest = max((each["age_seconds"] for each in own["stages"]), default=0.0)
    going = own["behind"] or f"{len(own['stages'])} stages go round, each within {oldest:.0f} s"
    waits = {0: "nothing waits", 1: "1 waits"}.get(own["queue"], f"{own['queue']} wait")
    dry = "; DRY RUN: nothing is done" if own["dry_run"] else ""
    read = "" if own["config_read"] else "; its newest configuration was refused"
    return plain(f"webhook {own['version']}: {going}; {waits} in its queue{dry}{read}")


def _fleet(seen: Json) -> str:
    many = Counter(each["state"] for each in seen["projects"])
    order = [WELL, "degraded", "paused", "down", "unknown"]
    told = [
        f"{many[state]} {state}" for state in (*order, *(many.keys() - {*order})) if many[state]
    ]
    silent = "" if seen["prometheus"]["answers"] else "; Prometheus does not answer"
    projects = "project" if len(seen["projects"]) == 1 else "projects"
    return plain(f"fleet: {len(seen['projects'])} {projects}: {', '.join(told)}{silent}")


def _projects(seen: Json, *, every: bool) -> Iterator[str]:
    incidents = {each["project"]: each for each in seen["incidents"]}
    spent: dict[str, list[str]] = {}
    for each in seen["budgets"]:
        tripped = ", breaker open" if each["breaker_open"] else ""
        left = f"{each['action']}: {each['left']} left{tripped}"
        spent.setdefault(each["project"], []).append(left)
    known = {each["name"]: each for each in seen["projects"]}
    left_over = {name: {"mode": "", "state": "not configured"} for name in incidents.keys() - known}
    listed = [
        (
            name,
            each["mode"],
            each["state"],
            *_incident(incidents.get(name), seen["at"]),
            spent.get(name),
        )
        for name, each in sorted({**known, **left_over}.items())
        if every or each["state"] not in (WELL, "unknown") or name in incidents or name in spent
    ]
    if listed:
        head = ("PROJECT", "MODE", "STATE", "INCIDENT", "FOR", "ATTEMPTS", "WHY")
        rows = [
            (name, mode, state, number, long, "; ".join(tries or []), why)
            for name, mode, state, number, long, why, tries in listed
        ]
        yield from table([head, *rows])


def _incident(of: Json | None, at: str) -> tuple[str, str, str]:
    """Say its number and state, for how long it is open, and what holds it."""
    if of is None:
        return "", "", ""
    long = datetime.fromisoformat(at) - datetime.fromisoformat(of["opened_at"])
    taken = f"taken by {of['acknowledged_by']}; " if of["acknowledged_by"] else ""
    why = f"{taken}{of['held'] or ', '.join(of['alerts'])}"
    cut = why if len(why) <= WIDE else f"{why[: WIDE - 1]}\N{HORIZONTAL ELLIPSIS}"
    return f"{of['id']} {of['state']}", _long(long), cut


def _long(length: timedelta) -> str:
    return duration.text(timedelta(seconds=max(round(length.total_seconds()), 0)))


def _approvals(waiting: Iterable[Json]) -> Iterator[str]:
    for each in waiting:
        until = local(each["expires_at"], day=_another_day(each["expires_at"]))
        named = f"{until} {zone(each['expires_at'])}"
        yield plain(f"approval {each['id']}, until {named}: {each['question']}")


def _another_day(instant: str) -> bool:
    return datetime.fromisoformat(instant).astimezone().date() != clock.now().astimezone().date()
