"""A call: one attempt at a model, from what is reserved for it to what became of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from webhook.analyzer.price import Usage


class Outcome(StrEnum):
    """What became of a call: a label of our metrics."""

    OK = "ok"
    REFUSAL = "refusal"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    UNEXPECTED_STOP = "unexpected_stop"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    SERVER_ERROR = "server_error"
    AUTH = "auth"
    QUOTA = "quota"
    BAD_REQUEST = "bad_request"
    ABORTED = "aborted"  # by ourselves: the program ends


class Window(StrEnum):
    """What a budget is for: a label of our metrics."""

    HOUR = "hour"  # calls
    DAY = "day"  # dollars
    MONTH = "month"  # dollars


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """No call may be made."""

    window: Window  # which budget is used up
    why: str  # for people


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A call that is over, as far as we know of it."""

    model: str  # that was asked for
    outcome: Outcome
    cost: int | None  # nano-dollars; None: nobody knows, so it counts as what was reserved
    seconds: float
    reserved: int = 0  # nano-dollars, before it was made
    status: int | None = None  # of HTTP; None: no answer
    retry_after: float | None = None  # seconds, as the answer asked for
    message: str = ""  # the id of the answer
    request_id: str = ""
    stop_reason: str = ""
    refusal: str = ""  # its category
    usage: Usage | None = None

    @property
    def counted(self) -> int:
        """What it counts as in budgets, in nano-dollars."""
        return self.reserved if self.cost is None else self.cost


Reserve = Callable[[str, int], Awaitable[int | Denied]]  # model, nano-dollars -> number of the call
Settle = Callable[[int, Ended], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Where the calls of one analysis are paid from. Reserving and settling must not get lost."""

    reserve: Reserve
    settle: Settle
