"""What the webhook tells of itself, and of the projects in its care."""

from orchestrator.metric import Kind, Metric, Status

_C, _G, _H = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

WEBHOOK = (
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
        "From the committed alert to the proof of its repair; with buckets of 30 s and beyond.",
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
    Metric(
        "webhook_reconcile_last_success_timestamp_seconds",
        _G,
        "webhook",
        "When what Alertmanager shows was last compared with what is known here;"
        " 0 before the first time.",
        status=Status.PLANNED,
    ),
    Metric(
        "webhook_queue_length",
        _G,
        "webhook",
        "Due work that nobody has taken up.",
        status=Status.PLANNED,
    ),
    Metric(
        "webhook_queue_age_seconds",
        _G,
        "webhook",
        "How long the oldest due work has waited, 0 when none waits.",
        status=Status.PLANNED,
    ),
    Metric(
        "webhook_breaker_open",
        _G,
        "webhook",
        "Set to 1 while the action is not tried on the project any more, else to 0.",
        ("project", "action"),
        status=Status.PLANNED,
    ),
    Metric(
        "webhook_approval_age_seconds",
        _G,
        "webhook",
        "How long the oldest approval has waited, 0 when none waits.",
        status=Status.PLANNED,
    ),
    Metric(
        "webhook_analyzer_budget_used_ratio",
        _G,
        "webhook",
        "Money that the analyzer has spent, of what it may spend, 0 to 1 and beyond.",
        ("budget",),
        status=Status.PLANNED,
    ),
    Metric(
        "orchestrator_project_maintenance",
        _G,
        "webhook",
        "Set to 1 while the project is in maintenance, to 0 for every other project: always there.",
        ("project",),
        status=Status.PLANNED,
    ),
)
