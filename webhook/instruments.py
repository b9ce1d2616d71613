"""The webhook's own metrics, built from the one table of names."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from orchestrator.metrics import METRICS
from webhook import action as law
from webhook.action import Action
from webhook.alert import Status
from webhook.catalogue import CATALOGUE
from webhook.change import Change
from webhook.guard import GUARDS
from webhook.incident import ENDED, State
from webhook.meters import OTHER, Meters
from webhook.remedies.command import PREFIX
from webhook.store.history import Figures, Single
from webhook.store.intake import Meaning
from webhook.store.reconciliation import Kind

Made = TypeVar("Made", Counter, Gauge)

# project, action, its attempts (oldest first), now: whether it is not tried any more
Tripped = Callable[[str, str, Sequence[Action], datetime], bool]

COPIES = frozenset({Meaning.REPEATED, Meaning.LATE})
PAGES = ("escalation", "approval", "fleet", "watchdog")  # the kinds that there are from the start

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
        self.actions = self._counter("webhook_actions_total", CATALOGUE)
        self.actions_failed = self._counter("webhook_actions_failed_total", CATALOGUE)
        self.action_duration = self._histogram("webhook_action_duration_seconds", REPAIRS)
        self.recovery = self._histogram("webhook_recovery_seconds", REPAIRS)
        self.holds = self._counter("webhook_guard_holds_total", GUARDS)
        self.reconciled_at = self._gauge("webhook_reconcile_last_success_timestamp_seconds")
        self.discrepancies = self._counter("webhook_reconcile_discrepancies_total", Kind)
        self.reconcile_failures = self._counter("webhook_reconcile_failures_total")

    def _make_for_stages(self) -> None:
        self.heartbeat = self._gauge("webhook_stage_heartbeat_timestamp_seconds")
        self.stage_up = self._gauge("webhook_stage_up")
        self.stage_failures = self._counter("webhook_stage_failures_total")
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

    def follow(
        self, projects: Collection[str], *, window: timedelta, tripped: Tripped, at: datetime
    ) -> None:
        """Note that a configuration is in force from *at* on, and what the gauges need of it."""
        self._gauges.follow(frozenset(projects), window, tripped)
        self._reloaded.set(1)
        self._reloaded_at.set(at.timestamp())

    def refused(self) -> None:
        """Note that a new configuration was refused; the one before stays in force."""
        self._reloaded.set(0)

    def show(self, figures: Figures) -> None:
        """Set the gauges that tell what the database holds."""
        self._gauges.show(figures)

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
        if after.state is State.RESOLVED and after.ended_at is not None:
            self.recovery.observe(_seconds(after.ended_at - before.opened_at))

    def _acted(self, action: Action) -> None:
        if action.state is law.State.EXECUTING:
            self.actions.labels(action.name).inc()
            self.actions_failed.labels(action.name)  # from 0, or the first would be no rise
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

    def _histogram(self, name: str, buckets: Sequence[float]) -> Histogram:
        metric = METRICS[name]
        return Histogram(name, metric.help, metric.labels, buckets=buckets, registry=self.registry)


class Gauges:
    """What the database holds, as gauges. No project has one that the configuration has not."""

    def __init__(self, gauge: Callable[[str], Gauge]) -> None:
        self.window = timedelta(0)
        self._tripped: Tripped = lambda _project, _action, _attempts, _now: False
        self._projects: frozenset[str] = frozenset()
        self._in_maintenance: frozenset[str] = frozenset()
        self._tried: set[tuple[str, str]] = set()
        self._incidents = Tally(
            gauge("webhook_incidents_open"), [each for each in State if each not in ENDED]
        )
        self._holding = Tally(gauge("webhook_guard_holding"), GUARDS)
        self._pages = Tally(gauge("webhook_pages_open"), PAGES)
        self._episodes = gauge("webhook_episodes_open")
        self._queue = gauge("webhook_queue_length")
        self._queue_age = gauge("webhook_queue_age_seconds")
        self._approvals = gauge("webhook_approvals_waiting")
        self._approval_age = gauge("webhook_approval_age_seconds")
        self._questions = Singles(gauge("webhook_approval_asked_timestamp_seconds"), _action)
        self._troubles = Singles(gauge("webhook_incident_opened_timestamp_seconds"), str)
        self._breaker = gauge("webhook_breaker_open")
        self._maintenance = gauge("orchestrator_project_maintenance")
        self._audit_rows = gauge("webhook_audit_rows")
        self._audit_head = gauge("webhook_audit_head")

    def follow(self, projects: frozenset[str], window: timedelta, tripped: Tripped) -> None:
        """Show these projects from now on, and no others."""
        self.window, self._tripped = window, tripped
        for project in self._projects - projects:
            self._maintenance.remove(project)
        for project in projects - self._projects:
            self._maintenance.labels(project).set(0)
        for pair in [each for each in self._tried if each[0] not in projects]:
            self._tried.remove(pair)
            self._breaker.remove(*pair)
        self._projects = projects
        self._in_maintenance &= projects

    def show(self, figures: Figures) -> None:
        """Set all of them."""
        self._incidents.show(figures.incidents)
        self._holding.show(figures.holding)
        self._pages.show(figures.pages)
        self._episodes.set(figures.episodes)
        self._queue.set(figures.queue.many)
        self._queue_age.set(figures.queue.age(figures.at).total_seconds())
        self._approvals.set(figures.approvals.many)
        self._approval_age.set(figures.approvals.age(figures.at).total_seconds())
        self._questions.show(self._ours(figures.questions))
        self._troubles.show(self._ours(figures.troubles))
        self._audit_rows.set(figures.audit_rows)
        self._audit_head.set(_number(figures.audit_head))
        self._show_maintenance(figures.maintenance)
        self._show_breakers(figures.attempts, figures.at)

    def _ours(self, singles: Iterable[Single]) -> list[Single]:
        return [each for each in singles if each.project in self._projects]

    def _show_maintenance(self, names: Collection[str | None]) -> None:
        """Set only what has changed: of thousands of projects few do."""
        now = self._projects if None in names else self._projects.intersection(names)
        for project in now ^ self._in_maintenance:
            self._maintenance.labels(project).set(project in now)
        self._in_maintenance = now

    def _show_breakers(self, attempts: Iterable[Action], now: datetime) -> None:
        mine: dict[tuple[str, str], list[Action]] = defaultdict(list)
        for each in attempts:
            if each.project in self._projects:
                mine[each.project, each.name].append(each)
        self._tried |= mine.keys()
        for project, action in self._tried:
            tried = mine.get((project, action), [])
            shown = bool(tried) and self._tripped(project, action, tried, now)
            self._breaker.labels(project, action).set(shown)


class Tally:
    """A gauge by one label, which goes back to 0 where there is nothing any more."""

    def __init__(self, gauge: Gauge, known: Iterable[str]) -> None:
        self._gauge = gauge
        self._known = dict.fromkeys(known)  # not a set: a page in the same order each time

    def show(self, many: Mapping[str, int]) -> None:
        """Set it for everything that is there, or ever was."""
        self._known |= dict.fromkeys(many)
        for each in self._known:
            self._gauge.labels(each).set(many.get(each, 0))


class Singles:
    """A gauge of single things by their numbers, each of which goes with the thing itself."""

    def __init__(self, gauge: Gauge, word: Callable[[str], str]) -> None:
        self._gauge, self._word = gauge, word
        self._shown: set[tuple[str, ...]] = set()

    def show(self, singles: Iterable[Single]) -> None:
        """Show these from now on, and no others."""
        since = {
            (str(each.id), each.project, self._word(each.told)): each.since for each in singles
        }
        for gone in self._shown - since.keys():
            self._gauge.remove(*gone)
        for labels, at in since.items():
            self._gauge.labels(*labels).set(at.timestamp())
        self._shown = set(since)


def _action(name: str) -> str:
    """Return *name* if a playbook may have it, so that no other word can become a label."""
    return name if name in CATALOGUE or name.startswith(PREFIX) else OTHER


def _number(digest: str) -> int:
    """Return the first 48 bits of *digest*; -1 where somebody has put something else there."""
    try:
        return int(digest[:12], 16)
    except ValueError:
        return -1


def _seconds(length: timedelta) -> float:
    """Return *length*, which a clock that was set back must not make negative."""
    return max(length.total_seconds(), 0.0)
