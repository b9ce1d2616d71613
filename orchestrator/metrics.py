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
    # exporter, of each project
    Metric("project_up", _G, "exporter", "Whether the project answers for itself.", ("project",)),
    Metric(
        "project_state",
        _G,
        "exporter",
        "Set to 1 for the state that the project is in, and to 0 for the others.",
        ("project", "state"),
    ),
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
        "Health probes with something wrong, by what it was.",
        ("project", "reason"),
    ),
    Metric(
        "project_reads_total",
        _C,
        "exporter",
        "Good answers read from an endpoint of the project.",
        ("project", "endpoint"),
    ),
    Metric(
        "project_read_failures_total",
        _C,
        "exporter",
        "Answers of /metrics and /status with something wrong, by what it was.",
        ("project", "endpoint", "reason"),
    ),
    Metric(
        "project_info",
        _G,
        "exporter",
        "Constant 1, with the release that runs and what may be done to it.",
        ("project", "version", "mode"),
    ),
    Metric(
        "project_threshold_ratio",
        _G,
        "exporter",
        "The usage, 0 to 1, above which the rules call a resource's too high.",
        ("project", "resource"),
    ),
    Metric(
        "project_cpu_usage_ratio",
        _G,
        "exporter",
        "Processor time in use, of what the project may use, 0 to 1.",
        ("project",),
    ),
    Metric(
        "project_memory_usage_ratio",
        _G,
        "exporter",
        "Memory in use, of what the project may use, 0 to 1.",
        ("project",),
    ),
    Metric(
        "project_error_ratio",
        _G,
        "exporter",
        "Requests of the last minute that failed by the project's fault, 0 to 1.",
        ("project",),
    ),
    Metric(
        "project_requests_per_second",
        _G,
        "exporter",
        "Requests a second, over the last minute.",
        ("project",),
    ),
    Metric(
        "project_queue_length", _G, "exporter", "Entries that wait to be worked on.", ("project",)
    ),
    Metric("project_cache_bytes", _G, "exporter", "What clear_cache would drop.", ("project",)),
    Metric(
        "project_deployed_timestamp_seconds",
        _G,
        "exporter",
        "When the release that runs was deployed.",
        ("project",),
    ),
    # exporter, about itself
    Metric(
        "exporter_build_info", _G, "exporter", "Constant 1, with the running version.", ("version",)
    ),
    Metric(
        "exporter_shard_info",
        _G,
        "exporter",
        "Constant 1, with the shard of the fleet that is watched here.",
        ("shard",),
    ),
    Metric("exporter_projects", _G, "exporter", "Projects that are watched here."),
    Metric(
        "exporter_tick_lag_seconds",
        _H,
        "exporter",
        "How late a slot of the timing wheel came.",
    ),
    Metric(
        "exporter_tick_lag_max_seconds",
        _G,
        "exporter",
        "The latest that a slot has come since the start.",
    ),
    Metric(
        "exporter_last_tick_timestamp_seconds",
        _G,
        "exporter",
        "When the timing wheel last turned.",
    ),
    Metric(
        "exporter_probes_due_total",
        _C,
        "exporter",
        "Times that it was a project's turn to be asked.",
        ("endpoint",),
    ),
    Metric(
        "exporter_probes_total",
        _C,
        "exporter",
        "Questions asked, confirmations included.",
        ("endpoint",),
    ),
    Metric(
        "exporter_probes_skipped_total",
        _C,
        "exporter",
        "Turns that were left out because the one before was not over.",
        ("endpoint",),
    ),
    Metric(
        "exporter_probes_void_total",
        _C,
        "exporter",
        "Turns whose result was thrown away because the exporter itself was at fault.",
        ("reason",),
    ),
    Metric("exporter_probes_in_flight", _G, "exporter", "Turns that are not over."),
    Metric(
        "exporter_failures_total", _C, "exporter", "Errors of our own that the exporter survived."
    ),
    Metric(
        "exporter_scrape_seconds",
        _H,
        "exporter",
        "Time of the event loop that one scrape took.",
        ("part",),
    ),
    Metric(
        "exporter_config_last_reload_successful",
        _G,
        "exporter",
        "Whether the configuration in force is the one that was last found.",
    ),
    Metric(
        "exporter_config_last_reload_success_timestamp_seconds",
        _G,
        "exporter",
        "When the configuration in force was read.",
    ),
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
