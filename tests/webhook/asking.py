"""What a person asks for, in the tests."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.webhook.make import NOW
from tests.webhook.waiting import MINUTE
from tests.webhook.world import case
from webhook.action import Action
from webhook.case import Case
from webhook.guard import Surroundings
from webhook.incident import Episode, Incident
from webhook.request import TAKE_WITHIN, Request
from webhook.restraint import Kind, Restraint

FAR = TAKE_WITHIN


def request(**changes: Any) -> Request:  # noqa: ANN401  any field of it
    """Make ann's request for a restart of email-blast."""
    given: dict[str, Any] = {
        "id": 1,
        "project": "email-blast",
        "action": "restart_service",
        "reason": "it hangs",
        "forced": (),
        "asked_by": "ann",
        "asked_at": NOW,
        "expires_at": NOW + timedelta(minutes=5),
        "incident": 1,
    }
    return Request(**{**given, **changes})


ALONE: tuple[Episode, ...] = ()  # no alert was ever part of it
TAKEN = request().taken("key-1", (), at=NOW)
RESTRAINED = {
    kind: Surroundings(
        restraints=(
            Restraint(
                id=1,
                kind=kind,
                project=None,
                reason="moving",
                set_by="bob",
                starts_at=None,
                ends_at=NOW + MINUTE,
            ),
        )
    )
    for kind in Kind
}


def asked(
    wanted: Request | None = None,
    incident: Incident | None = None,
    *,
    episodes: tuple[Episode, ...] | None = None,
    action: Action | None = None,
    attempts: tuple[Action, ...] = (),
    interrupted: bool = False,
) -> Case:
    """Make a case with a request: an open one for a restart, when nothing else is said."""
    made = case(incident, action=action, attempts=attempts, interrupted=interrupted)
    found = made.episodes if episodes is None else episodes
    return replace(made, episodes=found, request=wanted or request())
