"""Hands off: `orchestrator hold`, `release` and `kill-switch`."""

import sys
from datetime import timedelta

import click

from orchestrator import duration
from orchestrator.cli.known import stranger
from orchestrator.cli.online import REFUSED, Hub, online, plain
from orchestrator.cli.restraint import LENGTH, REASON, RESTRAINTS, in_force, lift, line


@click.command()
@click.argument("project")
@click.option("--for", "length", type=LENGTH, required=True, help="For how long, like 2h.")
@REASON
@online
def hold(*, hub: Hub, project: str, length: timedelta, reason: str) -> None:
    """Leave PROJECT alone for a while: what it needs is decided and told, and nothing is done.

    A command that is on its way is not called back. A second hold stands beside the first.

    \b
    Examples:
      orchestrator hold email-blast --for 2h --reason "moving its database"

    \b
    Exit status: 0 held, 1 refused, 2 a wrong option, 4 the webhook cannot be reached,
    5 not allowed.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    said = {"kind": "hold", "project": project, "for": duration.text(length), "reason": reason}
    made = hub.post(RESTRAINTS, said)
    hub.show(made, lambda: [line(made)])


@click.command()
@click.argument("project")
@online
def release(*, hub: Hub, project: str) -> None:
    """End every hold of PROJECT, and let it be repaired again.

    \b
    Examples:
      orchestrator release email-blast

    \b
    Exit status: 0 released, 1 it was not held, 2 a wrong option, 4 the webhook cannot be reached,
    5 not allowed.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    found = [each for each in in_force(hub, kind="hold") if each["project"] == project]
    lifted = lift(hub, found)
    if lifted:
        hub.show({"lifted": lifted}, lambda: [plain(f"{project} is released")])
        return
    hub.show({"lifted": []}, lambda: [plain(f"{project} is not held{stranger(hub, project)}")])
    sys.exit(REFUSED)


@click.command(name="kill-switch")
@click.argument("to", type=click.Choice(["on", "off", "state"]), default="state")
@click.option("--for", "length", type=LENGTH, help="For how long, like 30m; with `on`.")
@click.option("--reason", help="Why; with `on`.")
@online
def kill_switch(*, hub: Hub, to: str, length: timedelta | None, reason: str | None) -> None:
    """Let nothing at all be done, anywhere, for a while; or say whether that is so.

    Once `on` is answered, nothing new is begun. What is under way is looked after to its end. A
    second `on` stands beside the first, and never makes it shorter; `off` ends them all.

    \b
    Examples:
      orchestrator kill-switch on --for 30m --reason "the monitor is wrong"
      orchestrator kill-switch
      orchestrator kill-switch off

    \b
    Exit status: 0 done, and without an argument that it is off; 1 refused, and without an argument
    that it is on; 2 a wrong option, 4 the webhook cannot be reached, 5 not allowed.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    if to == "on":
        if length is None or reason is None:
            raise click.UsageError("on needs --for and --reason")
        said = {"kind": "kill_switch", "for": duration.text(length), "reason": reason}
        made = hub.post(RESTRAINTS, said)
        hub.show(made, lambda: [line(made)])
        return
    if length is not None or reason is not None:
        raise click.UsageError("--for and --reason go with `on`")
    found = in_force(hub, kind="kill_switch")
    if to == "off":
        lifted = lift(hub, found)
        hub.show({"lifted": lifted}, lambda: ["the kill switch is off"])
        return
    lines = [line(each) for each in found] or ["the kill switch is off"]
    hub.show({"restraints": found}, lambda: lines)
    sys.exit(REFUSED if found else 0)
