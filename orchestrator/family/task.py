"""What the webhook tells of agents and their tasks."""

from orchestrator.metric import Kind, Metric, Status

_C, _G = Kind.COUNTER, Kind.GAUGE

TASK = (
    Metric(
        "agent_last_heartbeat_timestamp_seconds",
        _G,
        "webhook",
        "When the agent was last heard of; it ends when the agent is signed off.",
        ("agent",),
        status=Status.PLANNED,
    ),
    Metric(
        "task_deadline_timestamp_seconds",
        _G,
        "webhook",
        "The earliest deadline of the tasks that are not finished; absent when all are.",
        ("kind",),
        status=Status.PLANNED,
    ),
    Metric(
        "task_oldest_pending_timestamp_seconds",
        _G,
        "webhook",
        "When the oldest task that nobody has begun was handed in; absent when there is none.",
        ("kind",),
        status=Status.PLANNED,
    ),
    Metric(
        "tasks_finished_total",
        _C,
        "webhook",
        "Tasks that have ended, the failed ones among them;"
        " 0 from the start for every kind that is configured.",
        ("kind",),
        status=Status.PLANNED,
    ),
    Metric(
        "tasks_failed_total",
        _C,
        "webhook",
        "Tasks that have failed; 0 from the start for every kind that is configured.",
        ("kind",),
        status=Status.PLANNED,
    ),
)
