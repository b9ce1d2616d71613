"""A case: an incident with all that a decision on it needs."""

from dataclasses import dataclass

from webhook.action import Action
from webhook.analyzer.analysis import Analysis
from webhook.approval import Approval
from webhook.incident import Episode, Incident
from webhook.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A claimed incident with all that a decision on it needs."""

    incident: Incident
    episodes: tuple[Episode, ...]  # since it was opened the last time
    action: Action | None  # the one under way, or waiting for people
    attempts: tuple[Action, ...]  # executed on the project and not forgiven, oldest first
    approval: Approval | None = None  # of that action
    shadowed: tuple[Action, ...] = ()  # recorded instead of taken, since it was opened
    request: Request | None = None  # of a person: the open one, or the one that became that action
    analyses: tuple[Analysis, ...] = ()  # that were asked for since it was opened, oldest first
    interrupted: bool = False  # the program ended in the middle of its last step
