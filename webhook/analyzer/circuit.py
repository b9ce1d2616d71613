"""The circuit: when a model that does not answer is left alone, and when it is tried again.

1. Closed: it is asked. Three failures in a row open it.
2. Open: it is not asked, for a minute, then for two, four, ... up to a quarter of an hour; or
   until the instant that it named itself; or for an hour, when it refused our key or our account.
3. Half-open: one call finds out. Its success closes the circuit, its failure opens it again.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

FAILURES: Final = 3
FIRST: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(minutes=15)
REFUSED: Final = timedelta(hours=1)  # nothing mends a wrong key but people
NAMED: Final = timedelta(days=1)  # the longest that a server may name
PROBE: Final = timedelta(minutes=1)  # a call that finds out, and is never heard of again

_DOUBLINGS: Final = 4  # after which LONGEST is passed


class State(StrEnum):
    """How a circuit stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Circuit:
    """What is remembered of one model. Lives as long as the program."""

    failures: int = 0  # in a row
    opened: int = 0  # times in a row
    open_until: datetime | None = None
    probing_until: datetime | None = None

    def state(self, now: datetime) -> State:
        """Say how it stands at *now*."""
        if self.open_until is None:
            return State.CLOSED
        return State.OPEN if now < self.open_until else State.HALF_OPEN

    def asks(self, now: datetime) -> "Circuit | None":
        """Return the circuit with one more call on its way; None: none may be made now."""
        match self.state(now):
            case State.CLOSED:
                return self
            case State.OPEN:
                return None
            case State.HALF_OPEN:
                if self.probing_until is not None and now < self.probing_until:
                    return None
                return replace(self, probing_until=now + PROBE)

    def unasked(self) -> "Circuit":
        """Return the circuit after `asks`, and no call was made."""
        return replace(self, probing_until=None)

    def answered(self) -> "Circuit":
        """Return the circuit after an answer, whatever it says: somebody is there."""
        return Circuit()

    def failed(self, now: datetime) -> "Circuit":
        """Return the circuit after a call without an answer."""
        if self.state(now) is State.OPEN:  # a call that was on its way when others opened it
            return self
        failures = self.failures + 1
        if self.state(now) is State.CLOSED and failures < FAILURES:
            return replace(self, failures=failures)
        wait = min(FIRST * (1 << min(self.opened, _DOUBLINGS)), LONGEST)
        return Circuit(failures=failures, opened=self.opened + 1, open_until=now + wait)

    def named(self, now: datetime, wait: timedelta) -> "Circuit":
        """Return the circuit after an answer that asks to be left alone for *wait*."""
        return self._open(now + min(wait, NAMED))

    def refused(self, now: datetime) -> "Circuit":
        """Return the circuit after an answer that refuses our key, or says that we cannot pay."""
        return self._open(now + REFUSED)

    def _open(self, until: datetime) -> "Circuit":
        if self.open_until is not None:
            until = max(until, self.open_until)
        return Circuit(failures=self.failures, opened=self.opened, open_until=until)
