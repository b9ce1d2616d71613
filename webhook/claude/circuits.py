"""The circuits of all models: whether one is asked, and what a call makes of that."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from webhook.analyzer import circuit
from webhook.analyzer.call import Ended, Outcome
from webhook.analyzer.circuit import Circuit, State
from webhook.claude.course import REFUSES_US, SILENT

logger = logging.getLogger(__name__)


class Circuits:
    """What is remembered of each model. Lives as long as the program."""

    def __init__(self, models: Iterable[str]) -> None:
        self._each = dict.fromkeys(models, Circuit())

    def states(self, now: datetime) -> Mapping[str, State]:
        """Say of each model how its circuit stands."""
        return {model: each.state(now) for model, each in self._each.items()}

    def open_until(self, model: str) -> datetime | None:
        """Return the instant before which *model* is not asked; None: it is asked."""
        return self._each[model].open_until

    def claim(self, model: str, now: datetime) -> bool:
        """Say whether *model* may be asked now; if so, a call of it is on its way."""
        asking = self._each[model].asks(now)
        if asking is not None:
            self._each[model] = asking
        return asking is not None

    def unclaim(self, model: str) -> None:
        """Take back that a call is on its way: it was not made."""
        self._each[model] = self._each[model].unasked()

    def note(self, call: Ended, now: datetime) -> None:
        """Take in what became of a call."""
        if call.outcome in REFUSES_US:  # each model has the same key, and the same bill
            for model in self._each:
                self._each[model] = self._each[model].refused(now)
            logger.warning(
                "claude refuses us", extra={"outcome": call.outcome, "status": call.status}
            )
        elif call.outcome in SILENT:
            self._each[call.model] = self._each[call.model].failed(now)
        elif call.outcome is not Outcome.ABORTED:
            self._each[call.model] = self._each[call.model].answered()

    def leave(self, call: Ended, now: datetime) -> None:
        """Ask the model of *call* no more before the instant that it has named, if it has."""
        if call.retry_after is not None:
            longest = circuit.NAMED.total_seconds()
            wait = timedelta(seconds=min(call.retry_after, longest))
            self._each[call.model] = self._each[call.model].named(now, wait)
