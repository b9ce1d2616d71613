"""The webhook's own metrics, built from the one table of names."""

from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from orchestrator.metrics import METRICS
from webhook.incident import ENDED, State
from webhook.store.history import Figures

Made = TypeVar("Made", Counter, Gauge, Histogram)

ANSWER_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds


class Instruments:
    """Every metric of one running webhook, in a registry of its own."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.notifications = self._make(Counter, "webhook_notifications_total")
        self.alerts = self._make(Counter, "webhook_alerts_total")
        self.invalid = self._make(Counter, "webhook_invalid_total")
        self.answer = Histogram(
            "webhook_request_duration_seconds",
            METRICS["webhook_request_duration_seconds"].help,
            buckets=ANSWER_BUCKETS,
            registry=self.registry,
        )
        self.actions = self._make(Counter, "webhook_actions_total")
        self.actions_failed = self._make(Counter, "webhook_actions_failed_total")
        self.incidents = self._make(Gauge, "webhook_incidents_open")
        self.heartbeat = self._make(Gauge, "webhook_stage_heartbeat_timestamp_seconds")
        self.stage_failures = self._make(Counter, "webhook_stage_failures_total")
        self.audit_rows = self._make(Gauge, "webhook_audit_rows")
        self.audit_head = self._make(Gauge, "webhook_audit_head")
        self._make(Gauge, "webhook_build_info").labels(version).set(1)

    def show(self, figures: Figures) -> None:
        """Set the gauges that tell what the database holds."""
        for state in State:
            if state not in ENDED:
                self.incidents.labels(state).set(figures.incidents.get(state, 0))
        self.audit_rows.set(figures.audit_rows)
        self.audit_head.set(int(figures.audit_head[:12], 16))

    def _make(self, kind: type[Made], name: str) -> Made:
        metric = METRICS[name]
        return kind(name, metric.help, metric.labels, registry=self.registry)
