"""What the exporter tells of itself."""

from orchestrator.metric import Kind, Metric

_C, _G, _H = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

EXPORTER = (
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
    Metric(
        "exporter_host_cpus", _G, "exporter", "Processors of the machine that the exporter may use."
    ),
    Metric("exporter_host_memory_bytes", _G, "exporter", "Memory of the machine."),
)
