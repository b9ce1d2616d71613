"""A change: what one step makes of an incident, stored whole or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from webhook.action import Action, State
from webhook.analyzer.analysis import Ruling, Situation
from webhook.approval import Decision, Question
from webhook.briefing import Briefing
from webhook.event import Event
from webhook.incident import Incident
from webhook.request import Request

_ENDS = {State.EXPIRED: Decision.EXPIRED, State.CANCELLED: Decision.WITHDRAWN}


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
    reason: str = ""  # for the audit
    question: Question | None = None  # to people, about the new action
    request: Request | None = None  # of a person, as it has ended with this
    page: Briefing | None = None  # what people are told from now on
    at_most: int | None = None  # repairs under way elsewhere, or it is not stored
    consults: Situation | None = None  # the analyzer is asked about this
    ruling: Ruling | None = None  # what was decided on its answer
    forgive: datetime | None = None  # people have healed it: its attempts count no more, unless
    # others were forgiven after this instant; else what falls and rises by itself is restarted on

    @property
    def closes(self) -> Decision | None:
        """How the question about its action ends with it, if that still waits for an answer."""
        dropped = self.action_became[-1].state if self.action_was and self.action_became else None
        return _ENDS.get(dropped) if dropped else None
