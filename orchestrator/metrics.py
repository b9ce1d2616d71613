"""Every metric of every program: its name, kind, labels and help, and whether it exists yet.

Rules, dashboards and their lints read this table, so a metric that no program declares here is a
mistake that a test finds, not an alert that never fires.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The Prometheus type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Status(StrEnum):
    """Whether a program exports the metric today."""

    EXPORTED = "exported"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric family. A counter's name ends in `_total`, as it stands on the page."""

    name: str
    kind: Kind
    program: str
    help: str
    labels: tuple[str, ...] = ()
    status: Status = Status.EXPORTED


_C, _G, _H = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

_ALL = (
    # exporter, one series a project
    Metric("project_up", _G, "exporter", "Whether the project answers for itself.", ("project",)),
    Metric(
        "project_probe_duration_seconds",
        _G,
        "exporter",
        "How long the last health probe took.",
        ("project",),
    ),
    Metric(
        "project_probe_failures_total",
        _C,
        "exporter",
        "Health probes that failed, by what went wrong.",
        ("project", "reason"),
    ),
    Metric(
        "project_reads_total",
        _C,
        "exporter",
        "Good answers read from an endpoint of the project.",
        ("project", "endpoint"),
    ),
    # exporter, about itself
    Metric(
        "exporter_build_info", _G, "exporter", "Constant 1, with the running version.", ("version",)
    ),
    Metric("exporter_projects", _G, "exporter", "Projects that are configured."),
    # webhook
    Metric(
        "webhook_build_info", _G, "webhook", "Constant 1, with the running version.", ("version",)
    ),
    Metric(
        "webhook_notifications_total",
        _C,
        "webhook",
        "Notifications of Alertmanager that were stored, by their status.",
        ("status",),
    ),
    Metric(
        "webhook_alerts_total",
        _C,
        "webhook",
        "Alerts in stored notifications, by what each one meant to us.",
        ("meaning",),
    ),
    Metric(
        "webhook_invalid_total",
        _C,
        "webhook",
        "Notifications that were refused, by reason.",
        ("reason",),
    ),
    Metric(
        "webhook_request_duration_seconds",
        _H,
        "webhook",
        "From the last byte of a notification to its answer.",
    ),
    Metric(
        "webhook_actions_total", _C, "webhook", "Actions whose intent was committed.", ("action",)
    ),
    Metric(
        "webhook_actions_failed_total",
        _C,
        "webhook",
        "Actions that failed or did not help.",
        ("action",),
    ),
    Metric(
        "webhook_recovery_seconds",
        _H,
        "webhook",
        "From the committed alert to the proof of its repair.",
        status=Status.PLANNED,
    ),
    Metric(
        "webhook_incidents_open",
        _G,
        "webhook",
        "Incidents that have not ended, by state.",
        ("state",),
    ),
    Metric(
        "webhook_stage_heartbeat_timestamp_seconds",
        _G,
        "webhook",
        "When a stage last went round its loop.",
        ("stage",),
    ),
    Metric(
        "webhook_stage_failures_total",
        _C,
        "webhook",
        "Errors that a stage survived.",
        ("stage",),
    ),
    Metric("webhook_audit_rows", _G, "webhook", "Rows of the audit; it only ever grows."),
    Metric(
        "webhook_audit_head", _G, "webhook", "The first 48 bits of the newest audit row's hash."
    ),
)

METRICS = {metric.name: metric for metric in _ALL}
