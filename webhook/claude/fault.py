"""A fault: what an answer that is no message means, by its status and its headers."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from webhook.analyzer.call import Outcome

_BY_STATUS: Final = {
    401: Outcome.AUTH,
    402: Outcome.QUOTA,
    403: Outcome.AUTH,
    408: Outcome.SERVER_ERROR,
    429: Outcome.RATE_LIMITED,
    503: Outcome.OVERLOADED,
    529: Outcome.OVERLOADED,
}
SERVERS_OWN: Final = 500  # this status and all above
GAVE_UP: Final = 408  # who waits for the model; the model may go on
UNBILLED: Final = frozenset({500, 503, 529})  # Anthropic's own; others are of who stands before it
ASKED_ELSEWHERE: Final = 300  # this status and all above say that no model was asked
LIMIT: Final = "spend_limit_reached"  # how the codes of spent limits end
SELF_SET: Final = "specified api usage limits"  # a limit of our own; it has no code


def outcome(status: int, body: bytes) -> Outcome:
    """Say what *status* means; a spent limit hides behind 429 and 400."""
    found = _BY_STATUS.get(status)
    if found is None:
        found = Outcome.SERVER_ERROR if status >= SERVERS_OWN else Outcome.BAD_REQUEST
    if found in {Outcome.RATE_LIMITED, Outcome.BAD_REQUEST}:
        code, message = _error(body)
        if code.endswith(LIMIT) or SELF_SET in message.lower():
            return Outcome.QUOTA
    return found


def cost(status: int) -> int | None:
    """Return what such an answer costs: nothing where surely no model was asked, else unknown."""
    refused = ASKED_ELSEWHERE <= status < SERVERS_OWN and status != GAVE_UP
    return 0 if refused or status in UNBILLED else None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return for how many seconds the answer asks us to wait; None: it names no time to come.

    It stands in milliseconds, in seconds or as a date; *headers* have names in small letters.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _seconds(headers.get(name, ""), unit, now)
        if seconds is not None and math.isfinite(seconds) and seconds > 0:
            return seconds
    return None


def _seconds(written: str, unit: float, now: datetime) -> float | None:
    try:
        return float(written) * unit
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(written)
        return (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None


def _error(body: bytes) -> tuple[str, str]:
    """Return the code and the message of an error, as far as it has them."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    match found:
        case {"error": {"message": str(message), **rest}}:
            details = rest.get("details")
            code = details.get("error_code") if isinstance(details, dict) else None
            return code if isinstance(code, str) else "", message
        case _:
            return "", ""
