"""What the webhook tells of itself, and of the projects in its care."""

from orchestrator.metric import Kind, Metric

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
        "webhook_duplicate_alerts_total",
        _C,
        "webhook",
        "Alerts in stored notifications that were copies of what we knew.",
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
        "webhook_action_duration_seconds",
        _H,
        "webhook",
        "From the committed intent of an action to its end, proof included.",
        ("action",),
    ),
    Metric(
        "webhook_recovery_seconds",
        _H,
        "webhook",
        "From the committed alert to the proof of its repair, less what was waited for people.",
        ("trouble",),
    ),
    Metric(
        "webhook_action_timestamp_seconds",
        _G,
        "webhook",
        "When an action was last begun on a project, and last ended so; the newest 1000.",
        ("project", "action", "result"),
    ),
    Metric("webhook_episodes_open", _G, "webhook", "Alerts that fire, as far as we know."),
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
    Metric(
        "webhook_stage_up", _G, "webhook", "Set to 1 while a stage runs, else to 0.", ("stage",)
    ),
    Metric(
        "webhook_event_loop_lag_seconds",
        _H,
        "webhook",
        "How much later than asked the event loop went on, looked at four times a second.",
    ),
    Metric(
        "webhook_event_loop_lag_max_seconds",
        _G,
        "webhook",
        "The longest such lag since the start.",
    ),
    Metric(
        "webhook_audit_rows",
        _G,
        "webhook",
        "The number of the newest row of the audit; it only ever grows, also when the oldest go.",
    ),
    Metric(
        "webhook_audit_head", _G, "webhook", "The first 48 bits of the newest audit row's hash."
    ),
    Metric(
        "webhook_reconcile_last_success_timestamp_seconds",
        _G,
        "webhook",
        "When what Alertmanager shows was last compared with what is known here;"
        " 0 before the first time.",
    ),
    Metric(
        "webhook_reconcile_discrepancies_total",
        _C,
        "webhook",
        "Differences between what Alertmanager shows and what was known here, by kind.",
        ("kind",),
    ),
    Metric(
        "webhook_reconcile_failures_total",
        _C,
        "webhook",
        "Times that an Alertmanager gave no answer that could be compared.",
    ),
    Metric(
        "webhook_last_watchdog_timestamp_seconds",
        _G,
        "webhook",
        "When the alert Watchdog last came, the proof of the way to us; 0 before the first time.",
    ),
    Metric(
        "webhook_incident_opened_timestamp_seconds",
        _G,
        "webhook",
        "When each incident that has not ended was opened; of the newest 50.",
        ("incident", "project", "state"),
    ),
    Metric("webhook_queue_length", _G, "webhook", "Due work that nobody has taken up."),
    Metric(
        "webhook_queue_age_seconds",
        _G,
        "webhook",
        "How long the oldest due work has waited, 0 when none waits.",
    ),
    Metric(
        "webhook_guard_holding",
        _G,
        "webhook",
        "Open incidents in which nothing is done for now, by the guard that holds them.",
        ("guard",),
    ),
    Metric(
        "webhook_guard_holds_total",
        _C,
        "webhook",
        "Times that a guard began to hold an incident.",
        ("guard",),
    ),
    Metric(
        "webhook_breaker_open",
        _G,
        "webhook",
        "Set to 1 while the action is not tried on the project any more, else to 0.",
        ("project", "action"),
    ),
    Metric("webhook_approvals_waiting", _G, "webhook", "Questions that nobody has answered yet."),
    Metric(
        "webhook_approval_age_seconds",
        _G,
        "webhook",
        "How long the oldest approval has waited, 0 when none waits.",
    ),
    Metric(
        "webhook_approval_asked_timestamp_seconds",
        _G,
        "webhook",
        "When each question that nobody has answered yet was asked; of the newest 50.",
        ("approval", "project", "action"),
    ),
    Metric(
        "webhook_approvals_answered_total",
        _C,
        "webhook",
        "Questions that have ended, by how.",
        ("answer",),
    ),
    Metric(
        "webhook_restraint_active",
        _G,
        "webhook",
        "Restraints that hold now, by kind, whether or not they hold an incident.",
        ("kind",),
    ),
    Metric(
        "webhook_pages_open", _G, "webhook", "What people are being told of, by kind.", ("kind",)
    ),
    Metric(
        "webhook_dry_run",
        _G,
        "webhook",
        "Set to 1 while everything is only decided and recorded, by --dry-run, else to 0.",
    ),
    Metric(
        "webhook_config_last_reload_successful",
        _G,
        "webhook",
        "Whether the configuration in force is the one that was last found.",
    ),
    Metric(
        "webhook_config_last_reload_success_timestamp_seconds",
        _G,
        "webhook",
        "When the configuration in force was read.",
    ),
    Metric(
        "webhook_token_file_last_reload_successful",
        _G,
        "webhook",
        "Whether the tokens in force are those of the file as it is; 1 without a file.",
    ),
    Metric(
        "orchestrator_project_maintenance",
        _G,
        "webhook",
        "Set to 1 while the project is in maintenance, to 0 for every other project: always there.",
        ("project",),
    ),
)
