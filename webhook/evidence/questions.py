"""The questions: what Prometheus is asked for an alert; nothing of the alert's text is in them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

MOST: Final = 6  # questions for one alert
POINTS: Final = 60  # of a window
SOON, LONG = timedelta(minutes=30), timedelta(minutes=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question: a figure of a project over a window of time."""

    name: str
    unit: str
    query: str  # PromQL
    window: timedelta

    @property
    def step(self) -> timedelta:
        """The time between two points."""
        return self.window / POINTS


def _of(metric: str, more: str = "") -> str:
    """Return the one series of a project, whichever exporters tell of it."""
    return f"max by (project) ({metric}{{project=$project{more}}})"


# A name -> its unit, and its query. `$project` stands for the project's name, quoted.
_KNOWN: Final[Mapping[str, tuple[str, str]]] = {
    "up": ("1 up, 0 down", _of("project_up")),
    "latency": ("s", _of("project_probe_duration_seconds")),
    "slow_after": ("s", _of("project_slow_after_seconds")),
    "cpu": ("ratio", _of("project_cpu_usage_ratio")),
    "memory": ("ratio", _of("project_memory_usage_ratio")),
    "errors": ("ratio", _of("project_error_ratio")),
    "cpu_threshold": ("ratio", _of("project_threshold_ratio", ',resource="cpu"')),
    "memory_threshold": ("ratio", _of("project_threshold_ratio", ',resource="memory"')),
    "errors_threshold": ("ratio", _of("project_threshold_ratio", ',resource="errors"')),
    "requests": ("1/s", _of("project_requests_per_second")),
    "queue": ("items", _of("project_queue_length")),
    "cache": ("bytes", _of("project_cache_bytes")),
    "failed_probes": (
        "in 5 minutes",
        "sum by (project) (increase(project_probe_failures_total{project=$project}[5m]))",
    ),
    "changes": (
        "went down or came back, in 30 minutes",
        "max by (project) (changes(project_up{project=$project}[30m]))",
    ),
}
DEPENDENCIES: Final = "dependencies_up"  # asked of whatever depends on something
_PARENTS: Final = ("1 all up, 0 one is down", "min(project_up{project=~$parents})")

# The most telling first: where a project depends on others, the last may have no room.
_ASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "ProjectDown": ("up", "failed_probes", "latency", "memory", "cpu", "requests"),
    "ProjectDegraded": ("latency", "errors", "cpu", "memory", "requests", "queue"),
    "ProjectSlow": ("latency", "slow_after", "cpu", "requests", "queue", "memory"),
    "ProjectFlapping": ("up", "changes", "failed_probes", "memory", "cpu", "latency"),
    "ProjectUnstable": ("up", "changes", "failed_probes", "memory", "cpu", "latency"),
    "ProjectHighErrorRate": ("errors", "errors_threshold", "requests", "latency", "cpu", "memory"),
    "ProjectDeploymentFailed": ("up", "errors", "latency", "requests", "cpu", "memory"),
    "ProjectHighCPU": ("cpu", "cpu_threshold", "requests", "latency", "queue", "errors"),
    "ProjectOverCPULimit": ("cpu", "cpu_threshold", "requests", "latency", "queue", "errors"),
    "ProjectHighMemory": ("memory", "memory_threshold", "cache", "requests", "cpu", "errors"),
    "ProjectOverMemoryLimit": ("memory", "memory_threshold", "cache", "requests", "cpu", "errors"),
    "ProjectMemoryExhaustionPredicted": (
        "memory",
        "memory_threshold",
        "cache",
        "requests",
        "queue",
        "cpu",
    ),
    "ProjectQueueBacklog": ("queue", "requests", "errors", "latency", "cpu", "memory"),
    "ProjectTrafficAnomalous": ("requests", "cpu", "errors", "latency", "queue", "memory"),
    "ProjectErrorBudgetBurnFast": ("up", "changes", "failed_probes", "latency", "errors", "cpu"),
    "ProjectErrorBudgetBurnSlow": ("up", "changes", "failed_probes", "latency", "errors", "cpu"),
}
ALERTS: Final = frozenset(_ASKED)  # that rules of ours raise
_DEFAULT: Final = ("up", "latency", "cpu", "memory", "errors", "requests")
_SLOWLY: Final = frozenset(  # what comes about over longer
    {
        "ProjectFlapping",
        "ProjectMemoryExhaustionPredicted",
        "ProjectQueueBacklog",
        "ProjectTrafficAnomalous",
        "ProjectErrorBudgetBurnFast",
        "ProjectErrorBudgetBurnSlow",
    }
)


def asked(alertname: str, project: str, depends_on: Sequence[str] = ()) -> tuple[Question, ...]:
    """Return what is asked about *project*, six questions at most, the most telling first."""
    names = _ASKED.get(alertname, _DEFAULT)
    if depends_on:
        names = (names[0], DEPENDENCIES, *names[1:])
    window = LONG if alertname in _SLOWLY else SOON
    return tuple(_question(name, project, depends_on, window) for name in names[:MOST])


def _question(name: str, project: str, parents: Sequence[str], window: timedelta) -> Question:
    unit, query = _PARENTS if name == DEPENDENCIES else _KNOWN[name]
    either = "|".join(re.escape(each) for each in sorted(parents))
    query = query.replace("$parents", quoted(either)).replace("$project", quoted(project))
    return Question(name=name, unit=unit, query=query, window=window)


def quoted(text: str) -> str:
    """Return *text* as a string of PromQL, which nothing in it can end."""
    return json.dumps(text)
