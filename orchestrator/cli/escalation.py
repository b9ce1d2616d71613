"""`orchestrator escalation`: what people were asked about."""

import click

from orchestrator.cli.online import Hub, local, online, plain, zone
from orchestrator.cli.restraint import REASON


@click.group()
def escalation() -> None:
    """Answer for what people were asked about."""


@escalation.command()
@click.argument("incident", type=int)
@REASON
@online
def ack(*, hub: Hub, incident: int, reason: str) -> None:
    """Take INCIDENT, so that others see that it is in somebody's hands.

    Its page goes on until the incident ends, and says who has it.

    \b
    Examples:
      orchestrator escalation ack 12 --reason "looking at the database"

    \b
    Exit status: 0 taken, 1 refused (nobody was asked about it, or another has it), 2 a wrong
    option, 4 the webhook cannot be reached, 5 not allowed.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    made = hub.post(f"/api/v1/incidents/{incident}/acknowledge", {"reason": reason})
    by, at = plain(made["acknowledged_by"]), made["acknowledged_at"]
    hub.show(made, lambda: [f"incident {incident} is {by}'s since {local(at)} {zone(at)}"])
