"""The board as Prometheus metrics, in the two parts that are scraped at different intervals."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from exporter.schedule import Board
from orchestrator.metrics import METRICS, Kind

Family = CounterMetricFamily | GaugeMetricFamily


class Health(Collector):
    """`project_up` alone, so that a scrape a second costs Prometheus next to nothing."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def collect(self) -> Iterator[Family]:
        """Yield the families of `collect[]=health`; a project not asked yet has no series."""
        up = _family("project_up")
        for project, verdict in self._board.verdicts.items():
            up.add_metric([project.name], float(verdict.up))
        yield up


class Resources(Collector):
    """All the rest: what changes slowly, and what the exporter says of itself."""

    def __init__(self, board: Board, *, version: str, projects: Callable[[], int]) -> None:
        self._board = board
        self._version = version
        self._projects = projects

    def collect(self) -> Iterator[Family]:
        """Yield the families of `collect[]=resources`."""
        duration = _family("project_probe_duration_seconds")
        for project, verdict in self._board.verdicts.items():
            duration.add_metric([project.name], verdict.seconds)
        yield duration
        reads = _family("project_reads_total")
        for project, count in self._board.reads.items():
            reads.add_metric([project.name, "health"], count)
        yield reads
        failures = _family("project_probe_failures_total")
        for (project, reason), count in self._board.failures.items():
            failures.add_metric([project.name, reason], count)
        yield failures
        configured = _family("exporter_projects")
        configured.add_metric([], self._projects())
        yield configured
        build = _family("exporter_build_info")
        build.add_metric([self._version], 1)
        yield build


def registry(*collectors: Collector) -> CollectorRegistry:
    """Gather *collectors* into a registry of their own; importing registers nothing."""
    gathered = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        gathered.register(collector)
    return gathered


def _family(name: str) -> Family:
    metric = METRICS[name]
    if metric.kind is Kind.COUNTER:
        return CounterMetricFamily(name, metric.help, labels=metric.labels)
    return GaugeMetricFamily(name, metric.help, labels=metric.labels)
