"""What a person asks for, in the tests."""

from datetime import timedelta
from typing import Any

from tests.webhook.make import NOW
from webhook.request import TAKE_WITHIN, Request

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
