"""The webhook's own metrics, built from the one table of names."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from orchestrator.metrics import METRICS
from webhook import action as law
from webhook.action import Action
from webhook.alert import Status
from webhook.approval import Decision
from webhook.catalogue import CATALOGUE
from webhook.change import Change
from webhook.gauges import Gauges, Tripped
from webhook.guard import GUARDS
from webhook.meters import Meters
from webhook.recovery import Recovery, Trouble
from webhook.store.history import Figures
from webhook.store.intake import Meaning
from webhook.store.particulars import Particulars
from webhook.store.reconciliation import Kind

Made = TypeVar("Made", Counter, Gauge)

COPIES = frozenset({Meaning.REPEATED, Meaning.LATE})
RELOAD = "reload"  # what fails like a stage, and is none: each of those begins with itself
REFUSED = ("json", "version", "schema", "encoding", "too_large", "cut_short")  # notifications

# seconds
ANSWERS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
REPAIRS = (1, 2, 5, 10, 15, 20, 30, 45, 60, 120, 300, 600)
LAGS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)


class Instruments:
    """Every metric of one running webhook, in a registry of its own."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self.process = ProcessCollector(registry=self.registry)
        self._gauge("webhook_build_info").labels(version).set(1)
        self._gauges = Gauges(self._gauge)
        self._make_for_receiving()
        self._make_for_repairs()
        self._make_for_stages()
        self.analyzer = Meters(self.registry)

    def _make_for_receiving(self) -> None:
        self.notifications = self._counter("webhook_notifications_total", Status)
        self.alerts = self._counter("webhook_alerts_total", Meaning)
        self.duplicates = self._counter("webhook_duplicate_alerts_total")
        self.invalid = self._counter("webhook_invalid_total", REFUSED)
        self.answer = self._histogram("webhook_request_duration_seconds", ANSWERS)
        self.watchdog_at = self._gauge("webhook_last_watchdog_timestamp_seconds")
        self.tokens_read = self._gauge("webhook_token_file_last_reload_successful")
        self.tokens_read.set(1)  # without a file there is none that could be refused

    def _make_for_repairs(self) -> None:
        self.actions = self._counter("webhook_actions_total")
        self.actions_failed = self._counter("webhook_actions_failed_total")
        self.action_duration = self._histogram("webhook_action_duration_seconds", REPAIRS)
        self._begin_actions(CATALOGUE)
        self.recovery = self._histogram("webhook_recovery_seconds", REPAIRS, Trouble)
        self.answers = self._counter("webhook_approvals_answered_total", Decision)
        self.holds = self._counter("webhook_guard_holds_total", GUARDS)
        self.reconciled_at = self._gauge("webhook_reconcile_last_success_timestamp_seconds")
        self.discrepancies = self._counter("webhook_reconcile_discrepancies_total", Kind)
        self.reconcile_failures = self._counter("webhook_reconcile_failures_total")

    def _make_for_stages(self) -> None:
        self.heartbeat = self._gauge("webhook_stage_heartbeat_timestamp_seconds")
        self.stage_up = self._gauge("webhook_stage_up")
        self.stage_failures = self._counter("webhook_stage_failures_total", [RELOAD])
        self.lag = self._histogram("webhook_event_loop_lag_seconds", LAGS)
        self.worst_lag = self._gauge("webhook_event_loop_lag_max_seconds")
        self._worst_lag = 0.0
        self.dry_run = self._gauge("webhook_dry_run")
        self._reloaded = self._gauge("webhook_config_last_reload_successful")
        self._reloaded_at = self._gauge("webhook_config_last_reload_success_timestamp_seconds")

    @property
    def window(self) -> timedelta:
        """For how long an attempt counts for a breaker, at most."""
        return self._gauges.window

    @property
    def projects(self) -> frozenset[str]:
        """Those of the configuration in force, and no others are told of by name."""
        return self._gauges.projects

    def follow(
        self,
        projects: Collection[str],
        *,
        window: timedelta,
        tripped: Tripped,
        at: datetime,
        commands: Iterable[str] = (),
    ) -> None:
        """Note that a configuration is in force from *at* on, and what is needed of it.

        *commands* are the actions that it has beside the catalogue, by their whole names.
        """
        self._gauges.follow(frozenset(projects), window, tripped)
        self._begin_actions(commands)
        self._reloaded.set(1)
        self._reloaded_at.set(at.timestamp())

    def refused(self) -> None:
        """Note that a new configuration was refused; the one before stays in force."""
        self._reloaded.set(0)

    def show(self, figures: Figures) -> None:
        """Set the gauges that tell what the database holds."""
        self._gauges.show(figures)

    def tell(self, particulars: Particulars) -> None:
        """Set the gauges that tell of single questions, incidents and actions."""
        self._gauges.tell(particulars)

    def received(self, status: Status, meanings: Mapping[Meaning, int]) -> None:
        """Count a stored notification, and what its alerts meant."""
        self.notifications.labels(status).inc()
        for meaning, count in meanings.items():
            self.alerts.labels(meaning).inc(count)
            if meaning in COPIES:
                self.duplicates.inc(count)

    def stepped(self, change: Change) -> None:
        """Count what a committed step did."""
        was = change.action_was and change.action_was.state
        for action in change.action_became:
            if action.state is not was:
                self._acted(action)
        before, after = change.before, change.after
        if after.held_by is not None and after.held_by != before.held_by:
            self.holds.labels(after.held_by).inc()

    def recovered(self, healed: Recovery) -> None:
        """Note a repair that is proven."""
        self.recovery.labels(healed.trouble).observe(healed.took.total_seconds())

    def answered(self, how: Decision) -> None:
        """Count a question to people that has ended."""
        self.answers.labels(how).inc()

    def _begin_actions(self, names: Iterable[str]) -> None:
        for name in names:
            self.actions.labels(name)
            self.actions_failed.labels(name)
            self.action_duration.labels(name)

    def _acted(self, action: Action) -> None:
        if action.state is law.State.EXECUTING:
            self.actions.labels(action.name).inc()
        if action.state is law.State.FAILED:
            self.actions_failed.labels(action.name).inc()
        if action.executed_at is not None and action.finished_at is not None:
            took = _seconds(action.finished_at - action.executed_at)
            self.action_duration.labels(action.name).observe(took)

    @contextmanager
    def running(self, stage: str) -> Iterator[None]:
        """Show that *stage* runs, for as long as the block does."""
        self.stage_up.labels(stage).set(1)
        self.stage_failures.labels(stage)  # from 0, or the first would be no rise
        try:
            yield
        finally:
            self.stage_up.labels(stage).set(0)

    def lagged(self, seconds: float) -> None:
        """Note how much later than asked the event loop went on."""
        self._worst_lag = max(self._worst_lag, seconds)
        self.worst_lag.set(self._worst_lag)
        self.lag.observe(seconds)

    def _counter(self, name: str, known: Iterable[str] = ()) -> Counter:
        """Make one that shows *known* from the start: a rise from nothing is none to Prometheus."""
        made = self._make(Counter, name)
        for each in known:
            made.labels(each)
        return made

    def _gauge(self, name: str) -> Gauge:
        return self._make(Gauge, name)

    def _make(self, kind: type[Made], name: str) -> Made:
        metric = METRICS[name]
        return kind(name, metric.help, metric.labels, registry=self.registry)

    def _histogram(
        self, name: str, buckets: Sequence[float], known: Iterable[str] = ()
    ) -> Histogram:
        metric = METRICS[name]
        made = Histogram(name, metric.help, metric.labels, buckets=buckets, registry=self.registry)
        for each in known:
            made.labels(each)
        return made


def _seconds(length: timedelta) -> float:
    """Return *length*, which a clock that was set back must not make negative."""
    return max(length.total_seconds(), 0.0)
