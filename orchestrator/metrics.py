"""Every metric of every program: its name, kind, labels and help, and whether it exists yet.

Rules, dashboards and their lints read this table, so a metric that no program declares here is a
mistake that a test finds, not an alert that never fires. `family` has its rows.
"""

from orchestrator.family.analyzer import ANALYZER
from orchestrator.family.exporter import EXPORTER
from orchestrator.family.process import PROCESS
from orchestrator.family.project import PROJECT
from orchestrator.family.stack import STACK
from orchestrator.family.task import TASK
from orchestrator.family.webhook import WEBHOOK
from orchestrator.metric import EVERY, Kind, Metric, Status

__all__ = ["EVERY", "METRICS", "Kind", "Metric", "Status", "exported"]

_ALL = (*PROJECT, *EXPORTER, *WEBHOOK, *ANALYZER, *TASK, *PROCESS, *STACK)

METRICS = {metric.name: metric for metric in _ALL}


def exported(program: str) -> dict[str, Metric]:
    """Return by their names the metrics that are on the page of *program* today."""
    return {
        name: metric
        for name, metric in METRICS.items()
        if metric.program in {program, EVERY} and metric.status is Status.EXPORTED
    }
