"""The watchdog's copy: an alert that always fires, so its absence says that alerts are lost.

The people are told through Alertmanager's API, for what is broken is the way from Prometheus to
us, and that one may be whole.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from webhook.alert import OURS, WATCHDOG, Alert, Status
from webhook.stage import Bell

PERIOD = timedelta(seconds=60)  # between two copies: rules/alertmanager.yml, its repeat_interval
PERIODS = 3  # a restart of Prometheus or of Alertmanager costs one or two
EVERY = 5.0  # seconds between two looks

LABELS = {"alertname": "WatchdogMissing", "severity": "critical", "source": OURS}
ANNOTATIONS = {
    "summary": "Alerts do not reach the webhook.",
    "description": (
        "The Watchdog always fires and is sent each minute, and for three minutes none came."
        " Prometheus does not evaluate its rules, does not reach Alertmanager, or Alertmanager"
        " does not reach the webhook. Until it comes again, nothing is repaired but what the"
        " webhook finds in Alertmanager by itself."
    ),
    "runbook_url": "docs/runbooks/Watchdog.md",
}


def barks(alert: Alert) -> bool:
    """Tell whether it is the alert that always fires; its end is what we listen for in vain."""
    return alert.name == WATCHDOG and alert.status is Status.FIRING


def missed(last_seen: float | None, started: float, now: float) -> bool:
    """Say whether three copies in a row did not come; in seconds of a monotonic clock.

    Before the first copy it counts from our own start, so a restart begins anew.
    """
    since = started if last_seen is None else last_seen
    return now - since > (PERIODS * PERIOD).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What missing the watchdog needs from the world."""

    monotonic: Callable[[], float]
    raise_alarm: Callable[[], Awaitable[object]]  # once, however often it is called
    settle: Callable[[], Awaitable[object]]


class Watchdog:
    """Notes when the last copy came, and raises the alarm when none does."""

    def __init__(self, effects: Effects, *, every: float = EVERY) -> None:
        self._effects, self._bell, self._every = effects, Bell(), every
        self._started = effects.monotonic()
        self._last: float | None = None
        self._raised: bool | None = None  # not known at the start: the page may be of an older life

    def seen(self) -> None:
        """Note that a copy came."""
        self._last = self._effects.monotonic()
        self._bell.ring()

    async def once(self) -> None:
        """Look once, then wait for the next copy, or for the time of the next look."""
        await self.look()
        await self._bell.wait(self._every)

    async def look(self) -> None:
        """Raise the alarm, or settle it, where that is not yet done."""
        gone = missed(self._last, self._started, self._effects.monotonic())
        if gone == self._raised or not (gone or self._last is not None):
            return
        await (self._effects.raise_alarm() if gone else self._effects.settle())
        self._raised = gone
