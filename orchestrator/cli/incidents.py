"""`orchestrator incidents` and `incident`: what became of the alerts."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import click

from orchestrator import duration
from orchestrator.cli import why
from orchestrator.cli.known import stranger
from orchestrator.cli.online import Hub, local, online, plain, table, zone
from orchestrator.hub import Json

PATH = "/api/v1/incidents"


@click.command()
@click.option("--open", "going", is_flag=True, help="Only those that go on.")
@click.option("--project", help="Only those of this project.")
@click.option("--search", "words", help="Only those of which all these words were said.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--before", type=click.IntRange(1), help="Only those with a lower number.")
@online
def incidents(
    *,
    hub: Hub,
    going: bool,
    project: str | None,
    words: str | None,
    limit: int,
    before: int | None,
) -> None:
    """List incidents, newest first.

    What is searched are the project, the alerts with their texts, what was done and said by the
    webhook, what commands printed, and people's reasons. A word is found by its begin, too.

    \b
    Examples:
      orchestrator incidents --open
      orchestrator incidents --project email-blast --limit 10
      orchestrator incidents --search "disk full"
      orchestrator incidents --json

    \b
    Exit status: 0 listed, 1 refused, 2 a wrong option, 4 the webhook cannot be reached,
    5 not allowed.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    state = "open" if going else "all"
    answer = hub.get(PATH, state=state, project=project, q=words, limit=limit, before=before)
    if answer["incidents"]:
        hub.show(answer, lambda: _listed(answer))
        return
    nothing = "nothing goes on" if going else "there is none"
    hub.show(answer, lambda: [plain(nothing + stranger(hub, project))])


@click.command()
@click.argument("number", metavar="ID", type=click.IntRange(0, 10**18 - 1))
@click.option("--why", "asked_why", is_flag=True, help="Tell why the analyzer decided as it did.")
@online
def incident(*, hub: Hub, number: int, asked_why: bool) -> None:
    """Tell the whole of incident ID: in a few sentences, then moment by moment.

    With --why: what the analyzer was asked, the evidence, what it answered, each condition of
    acting without a human, what was decided, and what happened after.

    \b
    Examples:
      orchestrator incident 12
      orchestrator incident 12 --why
      orchestrator incident 12 --json

    \b
    Exit status: 0 told, 1 there is none or it was refused, 2 a wrong option, 4 the webhook cannot
    be reached, 5 not allowed.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    if asked_why:
        _explained(hub, number)
        return
    answer = hub.get(f"{PATH}/{number}") if hub.as_json else _in_our_zone(hub, number)
    hub.show(answer, lambda: _told(answer))


def _in_our_zone(hub: Hub, number: int) -> Json:
    """Return an incident in words of the zone that was ours then: it may be another season."""
    opened = hub.get(f"{PATH}/{number}")["opened_at"]
    return hub.get(f"{PATH}/{number}", zone=_offset(opened))


def _explained(hub: Hub, number: int) -> None:
    answer = hub.get(f"{PATH}/{number}/analyses")
    head = [] if hub.as_json else [*_head(_in_our_zone(hub, number))]
    hub.show(answer, lambda: [*head, "", *why.told(answer["analyses"])])


def _offset(instant: str) -> str:
    """Return how far this machine's zone was from UTC then, as the API wants it."""
    written = datetime.fromisoformat(instant).astimezone().strftime("%z")
    return f"{written[:3]}:{written[3:5]}"


def _listed(answer: Json) -> Iterator[str]:
    found = answer["incidents"]
    opened = f"OPENED ({zone(*(each['opened_at'] for each in found))})"
    head = ("ID", "STATE", "PROJECT", opened, "ENDED", "DOWN", "ATTEMPTS", "HELD BY")
    yield from table([head, *(_row(each) for each in found)])
    if answer["next"] is not None:
        yield f"older ones: --before {answer['next']}"


def _row(of: Json) -> tuple[str, ...]:
    begun = [each for each in of["actions"] if each["executed_at"]]
    return (
        str(of["id"]),
        of["state"],
        of["project"],
        local(of["opened_at"], day=True),
        local(of["ended_at"], day=True),
        _length(of["downtime_seconds"]),
        str(len(begun)),
        of["held_by"] or "",
    )


def _length(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return duration.text(timedelta(seconds=seconds if seconds < 60 else round(seconds)))  # noqa: PLR2004  a minute


def _head(of: Json) -> Iterator[str]:
    yield f"incident {of['id']}, {of['state'].replace('_', ' ')}: {plain(of['project'])}"
    yield plain(of["summary"])


def _told(of: Json) -> Iterator[str]:
    yield from _head(of)
    if of["timeline"]:
        yield ""
        head = (f"TIME ({zone(*(each['at'] for each in of['timeline']))})", "AFTER", "TOOK", "WHAT")
        yield from table([head, *(_moment(each) for each in of["timeline"])])
    for title, lines in (
        ("attempts", _attempts(of)),
        ("asked", _questions(of)),
        ("people were told", _pages(of)),
    ):
        yield from ("", f"{title}:", *lines) if lines else ()


def _moment(each: Json) -> tuple[str, ...]:
    return (
        local(each["at"], day=True),
        f"+{_length(each['after_seconds'])}",
        _length(each["took_seconds"]),
        each["what"],
    )


def _attempts(of: Json) -> list[str]:
    lines = []
    for each in of["attempts"]:
        by = f", asked for by {each['asked_by']}" if each["asked_by"] else ""
        against = f" against {each['alertname']}" if each["alertname"] else ""
        when = local(each["executed_at"] or each["created_at"], day=True)
        said = f"{when}  {each['action']}{against}{by}: {each['state']}"
        lines.append(plain(f"{said}: {each['detail']}" if each["detail"] else said))
        lines += [f"  | {plain(line)}" for line in each["output"].splitlines()]
    return [f"  {each}" for each in lines]


def _questions(of: Json) -> list[str]:
    return [
        "  "
        + plain(
            f"approval {each['id']}, {each['state']}"
            + (f" by {each['decided_by']}" if each["decided_by"] else "")
            + (f": {each['reason']}" if each["reason"] else f": {each['question']}")
        )
        for each in of["approvals"]
    ]


def _pages(of: Json) -> list[str]:
    return [
        "  "
        + plain(
            f"{each['kind']} from {local(each['started_at'], day=True)}"
            + (f" to {local(each['ended_at'], day=True)}" if each["ended_at"] else " on")
            + f": {each['reason']}"
        )
        for each in of["pages"]
    ]
