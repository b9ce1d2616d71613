"""The table of metrics keeps Prometheus' conventions, and ours."""

import re
from pathlib import Path

import pytest

from orchestrator import metrics
from orchestrator.gauge import ENDINGS
from orchestrator.metrics import EVERY, METRICS, Kind, Metric, Status, exported

OURS = {"exporter", "webhook", EVERY}
ABOUT = {  # how the names of each program begin
    "exporter": {"exporter", "project"},
    "webhook": {
        *("webhook", "orchestrator", "agent", "task", "tasks", "process"),
        *("claude", "analyzer"),
    },
    EVERY: {"process"},
    "prometheus": {"prometheus", "up", "scrape"},
    "alertmanager": {"alertmanager"},
    "grafana": {"grafana"},
}
EACH = pytest.mark.parametrize("metric", METRICS.values(), ids=str)


def test_no_metric_is_declared_twice() -> None:
    assert [metric.name for metric in metrics._ALL] == list(METRICS)


@EACH
def test_a_name_is_one_of_prometheus(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", metric.name)


@EACH
def test_counters_and_they_alone_end_in_total(metric: Metric) -> None:
    assert metric.name.endswith("_total") is (metric.kind is Kind.COUNTER)


@EACH
def test_time_is_in_seconds(metric: Metric) -> None:
    assert not re.search(r"_(ms|milliseconds|minutes|hours|days)(_|$)", metric.name)


@EACH
def test_help_is_one_sentence(metric: Metric) -> None:
    assert re.fullmatch(r"[A-Z][^\n]*[^.\s]\.", metric.help)


@EACH
def test_a_name_begins_with_who_or_what_it_is_about(metric: Metric) -> None:
    assert metric.name.split("_")[0] in ABOUT[metric.program]


@EACH
def test_what_is_theirs_is_of_another_program_and_all_else_of_ours(metric: Metric) -> None:
    assert (metric.status is Status.THEIRS) is (metric.program not in OURS)


@EACH
def test_labels_stand_once_and_are_none_of_prometheus_own(metric: Metric) -> None:
    is_of_a_target = metric.name == "up" or metric.name.startswith("scrape_")
    prometheus_own = {"le", "quantile"} | (set() if is_of_a_target else {"instance", "job"})
    assert sorted(set(metric.labels) - prometheus_own) == sorted(metric.labels)


@EACH
def test_what_is_about_a_project_says_which(metric: Metric) -> None:
    about_one = metric.name.startswith(("project_", "orchestrator_project_"))
    assert not about_one or "project" in metric.labels


def test_a_program_exports_its_own_and_that_of_every_program() -> None:
    both = exported("exporter").keys() & exported("webhook").keys()
    assert both == {
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
    }


def test_what_is_exported_by_nobody_is_planned_or_theirs() -> None:
    by_ours = exported("exporter").keys() | exported("webhook").keys()
    others = [METRICS[name].status for name in METRICS.keys() - by_ours]
    assert set(others) == {Status.PLANNED, Status.THEIRS}


def test_every_name_that_is_kept_for_later_is_in_the_configuration_page() -> None:
    page = Path(__file__).parents[2] / "docs/configuration.md"
    [told] = re.findall(r"kept for later: (.+)\.", page.read_text(encoding="utf-8"))
    assert {f"project_{name}" for name in re.findall(r"`(\w+)`", told)} == {
        name
        for name, metric in METRICS.items()
        if name.startswith("project_") and metric.status is Status.PLANNED
        if not name.endswith(ENDINGS)
    }
