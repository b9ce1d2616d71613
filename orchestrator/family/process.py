"""What our programs tell of their processes, with the names and words of prometheus_client."""

from orchestrator.metric import EVERY, Kind, Metric

_C, _G = Kind.COUNTER, Kind.GAUGE

PROCESS = (
    Metric(
        "process_cpu_seconds_total", _C, EVERY, "Total user and system CPU time spent in seconds."
    ),
    Metric("process_resident_memory_bytes", _G, EVERY, "Resident memory size in bytes."),
    Metric(
        "process_start_time_seconds",
        _G,
        EVERY,
        "Start time of the process since unix epoch in seconds.",
    ),
    # of the library's own collector, which costs a fleet's exporter too much
    Metric("process_virtual_memory_bytes", _G, "webhook", "Virtual memory size in bytes."),
    Metric("process_open_fds", _G, "webhook", "Number of open file descriptors."),
    Metric("process_max_fds", _G, "webhook", "Maximum number of open file descriptors."),
)
