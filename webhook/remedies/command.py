"""command: run a program of ours that `commands` in orchestrator.yml allows."""

from orchestrator.commands import Command
from webhook.remedy import IS_PAUSED, Look, Remedy, Way

PREFIX = "command:"  # a playbook's step is `command:<name>`


def why_not(look: Look) -> str | None:
    """Refuse for a paused project, as every other repair."""
    return IS_PAUSED if look.paused else None


def remedy(name: str, command: Command) -> Remedy:
    """Return the remedy that runs *command*, which orchestrator.yml calls *name*."""
    return Remedy(
        name=PREFIX + name,
        done=PREFIX + name,
        way=Way.COMMAND,
        disruptive=command.disruptive,
        precondition=why_not,
        repeatable=command.repeatable,
    )
