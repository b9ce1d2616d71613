"""The catalogue: every remedy there is, and what a step of a playbook stands for."""

from collections.abc import Mapping

from orchestrator.commands import Command
from orchestrator.errors import OrchestratorError
from webhook.remedies import (
    clear_cache,
    command,
    pause_service,
    restart_service,
    resume_service,
    rollback_deployment,
    start_service,
    stop_service,
)
from webhook.remedy import Remedy

CATALOGUE: dict[str, Remedy] = {
    each.name: each
    for each in (
        restart_service.REMEDY,
        pause_service.REMEDY,
        resume_service.REMEDY,
        clear_cache.REMEDY,
        rollback_deployment.REMEDY,
        start_service.REMEDY,
        stop_service.REMEDY,
    )
}


class UnknownStep(OrchestratorError):
    """A step is neither in the catalogue nor a command of orchestrator.yml."""

    def __init__(self, step: str, known: tuple[str, ...]) -> None:
        super().__init__(f"{step!r} is no action; known: {', '.join(known)}")
        self.step, self.known = step, known


def remedy(step: str, commands: Mapping[str, Command]) -> Remedy:
    """Return what *step* of a playbook stands for; raise UnknownStep.

    *commands* are those of orchestrator.yml, by their names; a step calls one `command:<name>`.
    """
    if step in CATALOGUE:
        return CATALOGUE[step]
    name = step.removeprefix(command.PREFIX)
    if name == step or name not in commands:
        raise UnknownStep(step, (*CATALOGUE, *(command.PREFIX + each for each in commands)))
    return command.remedy(name, commands[name])
