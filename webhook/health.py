"""Health: how the webhook itself is, kept once a minute for those who look back."""

import asyncio
from math import inf

from orchestrator.clock import Clock
from webhook.instruments import Instruments
from webhook.store import history
from webhook.store.database import Store

EVERY = 60.0  # seconds
PAUSE = 10.0  # seconds between two rounds; a stage that waits for a whole minute seems to stand

KEPT = (
    "webhook_incidents_open",
    "webhook_guard_holding",
    "webhook_episodes_open",
    "webhook_queue_length",
    "webhook_queue_age_seconds",
    "webhook_approvals_waiting",
    "webhook_breaker_open",
    "webhook_pages_open",
    "webhook_audit_rows",
    "webhook_stage_up",
    "webhook_stage_failures_total",
    "webhook_reconcile_failures_total",
    "webhook_event_loop_lag_max_seconds",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
)


class Health:
    """Keeps a snapshot of the metrics each minute. Lives as long as the webhook."""

    def __init__(
        self,
        store: Store,
        instruments: Instruments,
        now: Clock,
        *,
        every: float = EVERY,
        pause: float = PAUSE,
    ) -> None:
        self._store, self._instruments, self._now = store, instruments, now
        self._every, self._pause = every, pause
        self._next = -inf  # by the loop's clock, which nobody sets back

    async def once(self) -> None:
        """Keep a snapshot if it is time for one, and wait for a while. A round of a stage."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._next:
            self._next = (
                loop.time() + self._every
            )  # first, so that a full disk is tried once a minute
            await self._keep()
        await asyncio.sleep(min(self._pause, self._next - loop.time()))

    async def _keep(self) -> None:
        at, instruments = self._now(), self._instruments
        instruments.show(await self._store(history.figures, now=at, window=instruments.window))
        await self._store(history.keep, snapshot(instruments), at=at)


def snapshot(instruments: Instruments) -> dict[str, float]:
    """Return the metrics that are worth it, named as on their page; what is 0 is left out."""
    ours = instruments.registry.restricted_registry(KEPT).collect()
    return {
        _spelled(sample.name, sample.labels): sample.value
        for family in (*ours, *instruments.process.collect())  # it has no names to be asked by
        for sample in family.samples
        if sample.name in KEPT and sample.value
    }


def _spelled(name: str, labels: dict[str, str]) -> str:
    inner = ", ".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{inner}}}" if inner else name
