"""An approval: a question to people about one action, good for exactly that and not for long."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.commands import Command
from orchestrator.config import Config
from orchestrator.guards import Guards
from orchestrator.project import Project
from webhook.catalogue import remedy
from webhook.incident import Episode
from webhook.remedies.command import PREFIX
from webhook.remedy import Remedy


class Decision(StrEnum):
    """How a question ended. An expiry is neither a yes nor a no."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One question. `bound` is the hash of what it is about; another thing needs another one."""

    id: int
    action: str  # the key of the action
    incident: int
    project: str
    bound: str
    question: str
    asked_at: datetime
    expires_at: datetime
    decision: Decision | None = None
    decided_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a person says to a question."""

    decision: Decision
    by: str
    reason: str
    bound: str | None = None  # of the question as the person saw it; None: they do not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An approval before it is asked."""

    bound: str
    text: str
    expires_at: datetime


def binding(config: Config, project: Project, name: str, episode: Episode) -> str:
    """Return what a question about the action *name* is bound to under *config*.

    Raises UnknownStep for an action that there is not.
    """
    return bound(
        remedy(name, config.commands),
        project,
        config.guards.of(project.name, name),
        episode,
        config.commands.get(name.removeprefix(PREFIX)),
    )


def bound(
    remedy: Remedy, project: Project, guards: Guards, episode: Episode, command: Command | None
) -> str:
    """Return the hash (SHA-256, hex) of action, target, evidence and policy.

    Whoever says yes says it to a restart of this process for this outage under these rules; a
    changed file, another outage or another target is another question.
    """
    said = {
        "action": [remedy.name, remedy.way, remedy.goal, remedy.disruptive],
        "command": None if command is None else [*command.argv, str(command.timeout)],
        "target": [project.name, project.url, project.control.url],
        "evidence": [episode.alertname, episode.fingerprint, episode.id],
        "policy": [
            {key: str(value) for key, value in asdict(guards).items()},
            project.critical,
            project.observed,
        ],
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
