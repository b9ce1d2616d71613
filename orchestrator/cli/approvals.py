"""`orchestrator approvals`, `approve`, `reject`: the questions that repairs ask of people."""

from collections.abc import Iterator

import click

from orchestrator.cli.online import Hub, local, online, plain, table, zone
from orchestrator.hub import Json

PATH = "/api/v1/approvals"
REASON = click.option("--reason", required=True, help="Why; it is kept, and shown to others.")


@click.command()
@click.option("--all", "every", is_flag=True, help="Also those that were answered or are off.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--before", type=click.IntRange(1), help="Only those with a lower number.")
@online
def approvals(*, hub: Hub, every: bool, limit: int, before: int | None) -> None:
    """List the repairs that wait for somebody's word, newest first.

    \b
    Examples:
      orchestrator approvals
      orchestrator approvals --all --limit 10
      orchestrator approvals --json

    \b
    Exit status: 0 listed, 1 refused, 2 a wrong option, 4 the webhook cannot be reached,
    5 not allowed.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    state = "all" if every else "waiting"
    answer = hub.get(PATH, state=state, limit=limit, before=before)
    hub.show(answer, lambda: _listed(answer, state))


@click.command()
@click.argument("number", metavar="ID", type=click.IntRange(0, 10**18 - 1))
@REASON
@online
def approve(*, hub: Hub, number: int, reason: str) -> None:
    """Allow the repair that question ID is about.

    It is refused when somebody was faster, when the question has expired, and when what it is
    about is not so any more. All is looked at once more before anything is done.

    \b
    Examples:
      orchestrator approve 12 --reason "seen, go"
      orchestrator approve 12 --reason "seen, go" --json

    \b
    Exit status: 0 recorded, 1 refused, 2 a wrong option, 4 the webhook cannot be reached,
    5 not allowed.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    _decide(hub, number, "approve", reason)


@click.command()
@click.argument("number", metavar="ID", type=click.IntRange(0, 10**18 - 1))
@REASON
@online
def reject(*, hub: Hub, number: int, reason: str) -> None:
    """Forbid the repair that question ID is about; people are asked to repair instead.

    \b
    Examples:
      orchestrator reject 12 --reason "it is payday"
      orchestrator reject 12 --reason "it is payday" --json

    \b
    Exit status: 0 recorded, 1 refused, 2 a wrong option, 4 the webhook cannot be reached,
    5 not allowed.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    _decide(hub, number, "reject", reason)


def _decide(hub: Hub, number: int, verdict: str, reason: str) -> None:
    """Answer exactly the question that there is now."""
    asked = hub.get(f"{PATH}/{number}")
    said = {"reason": reason, "bound": asked["bound"]}
    answer = hub.post(f"{PATH}/{number}/{verdict}", said)
    hub.show(answer, lambda: _recorded(answer))


def _listed(answer: Json, state: str) -> Iterator[str]:
    found = answer["approvals"]
    if not found:
        yield "nothing waits for an answer" if state == "waiting" else "nobody was ever asked"
        return
    until = f"UNTIL ({zone(*(each['expires_at'] for each in found))})"
    head = ("ID", "STATE", "PROJECT", "ACTION", "AGAINST", "INCIDENT", until, "BY")
    yield from table([head, *(_row(each) for each in found)])
    if answer["next"] is not None:
        yield f"older ones: --before {answer['next']}"


def _row(asked: Json) -> tuple[str, ...]:
    return (
        str(asked["id"]),
        asked["state"],
        asked["project"],
        asked["action"],
        asked["alertname"],
        str(asked["incident"]),
        local(asked["expires_at"], day=True),
        asked["decided_by"] or "",
    )


def _recorded(asked: Json) -> Iterator[str]:
    yield plain(
        f"approval {asked['id']}, {asked['action']} on {asked['project']}:"
        f" {asked['state']} by {asked['decided_by'] or ''}: {asked['reason'] or ''}"
    )
    yield plain(
        f"incident {asked['incident']}, against {asked['alertname']}, attempt {asked['attempt']}"
    )
