"""The exporter's own metrics, built from the one table of names."""

import os
import resource
import time
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from time import perf_counter
from types import coroutine
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from orchestrator import clock
from orchestrator.metrics import METRICS

Made = TypeVar("Made", Counter, Gauge)
Result = TypeVar("Result")

# seconds; fine enough to read a p99 of 50 ms off them
LAGS = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 5.0)
SCRAPES = (0.0005, 0.001, 0.002, 0.005, 0.0075, 0.01, 0.0125, 0.015, 0.02, 0.03, 0.05, 0.1, 0.5)


class Void(StrEnum):
    """Why a result was thrown away: a label of a metric."""

    LATE = "late"  # we were behind
    RESOURCES = "resources"  # there was no socket, port or memory to ask with


class Process(Collector):
    """What this process uses.

    prometheus_client has a collector for it, which also counts open files, by listing them: with
    a connection a project that takes 4 of the 15 ms that a scrape of 5,000 may take.
    """

    def __init__(self) -> None:
        self._began = clock.now().timestamp()

    def collect(self) -> Iterator[Metric]:
        """Yield the families; their names are those of every Prometheus client."""
        name = "process_cpu_seconds_total"
        yield CounterMetricFamily(name, METRICS[name].help, value=time.process_time())
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        yield _gauge("process_resident_memory_bytes", pages * resource.getpagesize())
        yield _gauge("process_start_time_seconds", self._began)


def _gauge(name: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, METRICS[name].help, value=value)


class Instruments:
    """Every metric of one running exporter, in a registry of its own."""

    def __init__(self, *, version: str, shard: str) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(Process())
        self._make(Gauge, "exporter_build_info").labels(version).set(1)
        self._make(Gauge, "exporter_shard_info").labels(shard).set(1)
        self._make(Gauge, "exporter_host_cpus").set(_cpus())
        self._make(Gauge, "exporter_host_memory_bytes").set(_memory())
        self.projects = self._make(Gauge, "exporter_projects")
        self.lag = self._histogram("exporter_tick_lag_seconds", LAGS)
        self.worst_lag = self._make(Gauge, "exporter_tick_lag_max_seconds")
        self.last_tick = self._make(Gauge, "exporter_last_tick_timestamp_seconds")
        self.due = self._make(Counter, "exporter_probes_due_total")
        self.asked = self._make(Counter, "exporter_probes_total")
        self.skipped = self._make(Counter, "exporter_probes_skipped_total")
        self.void = self._make(Counter, "exporter_probes_void_total")
        for reason in Void:
            self.void.labels(reason)
        self.in_flight = self._make(Gauge, "exporter_probes_in_flight")
        self.failures = self._make(Counter, "exporter_failures_total")
        self.scrapes = self._histogram("exporter_scrape_seconds", SCRAPES)
        self.reloaded = self._make(Gauge, "exporter_config_last_reload_successful")
        self.reloaded_at = self._make(
            Gauge, "exporter_config_last_reload_success_timestamp_seconds"
        )

    def reloaded_well(self, at: datetime) -> None:
        """Note that the configuration was read and taken at that instant."""
        self.reloaded.set(1)
        self.reloaded_at.set(at.timestamp())

    def begin(self, endpoints: Iterable[str]) -> None:
        """Count the turns of each of these from 0: a rise from nothing is none to Prometheus."""
        for endpoint in endpoints:
            self.due.labels(endpoint)
            self.asked.labels(endpoint)
            self.skipped.labels(endpoint)

    def _make(self, kind: type[Made], name: str) -> Made:
        metric = METRICS[name]
        return kind(name, metric.help, metric.labels, registry=self.registry)

    def _histogram(self, name: str, buckets: tuple[float, ...]) -> Histogram:
        metric = METRICS[name]
        return Histogram(name, metric.help, metric.labels, buckets=buckets, registry=self.registry)


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@coroutine
def on_the_loop(
    work: Coroutine[Any, Any, Result], observe: Callable[[float], object]
) -> Generator[Any, Any, Result]:
    """Run *work*, and *observe* the seconds that it held the event loop, its waits left out."""
    spent = 0.0
    step: Callable[[], object] = partial(work.send, None)
    try:
        while True:
            began = perf_counter()
            try:
                waits_for = step()
            finally:
                spent += perf_counter() - began
            try:
                step = partial(work.send, (yield waits_for))
            except BaseException as error:  # noqa: BLE001  a cancellation is handed on, too
                step = partial(work.throw, error)
    except StopIteration as done:
        result: Result = done.value
        return result
    finally:
        observe(spent)
