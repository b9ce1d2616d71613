"""A case: an incident with all that a decision on it needs, and what a step makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from webhook.action import Action
from webhook.event import Event
from webhook.incident import Episode, Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A claimed incident with all that a decision on it needs."""

    incident: Incident
    episodes: tuple[Episode, ...]
    action: Action | None  # the one under way
    attempts: tuple[Action, ...]  # executed on the project, oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one step makes of an incident, and of at most one action.

    `action_was` is the action as it was read (None: it is new), `action_became` the states that
    it went through, in order; each is audited and the last is stored.
    """

    before: Incident
    after: Incident
    action_was: Action | None = None
    action_became: Sequence[Action] = ()
    events: Sequence[Event] = ()
    reason: str = ""  # for the people who are asked, when it escalates
