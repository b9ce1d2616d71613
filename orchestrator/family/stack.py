"""What Prometheus and Alertmanager tell, as far as our rules read it."""

from orchestrator.metric import Kind, Metric, Status

_C, _G = Kind.COUNTER, Kind.GAUGE

STACK = (
    Metric(
        "up",
        _G,
        "prometheus",
        "Whether the last scrape of the target was answered.",
        ("instance", "job"),
        status=Status.THEIRS,
    ),
    Metric(
        "prometheus_rule_evaluation_failures_total",
        _C,
        "prometheus",
        "Rules that could not be evaluated.",
        ("rule_group",),
        status=Status.THEIRS,
    ),
    Metric(
        "prometheus_rule_group_iterations_missed_total",
        _C,
        "prometheus",
        "Evaluations of a group that were left out because the one before was not over.",
        ("rule_group",),
        status=Status.THEIRS,
    ),
    Metric(
        "alertmanager_notifications_total",
        _C,
        "alertmanager",
        "Notifications that were tried.",
        ("integration",),
        status=Status.THEIRS,
    ),
    Metric(
        "alertmanager_notifications_failed_total",
        _C,
        "alertmanager",
        "Notifications that failed; Alertmanager says the reason since 0.26.",
        ("integration", "reason"),
        status=Status.THEIRS,
    ),
)
