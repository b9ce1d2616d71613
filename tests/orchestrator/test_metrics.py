"""The table of metrics keeps Prometheus' conventions, and ours."""

import re

import pytest

from orchestrator import metrics
from orchestrator.metrics import METRICS, Kind, Metric

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
    assert metric.name.split("_")[0] in {metric.program, "project"}


@EACH
def test_labels_stand_once_and_are_none_of_prometheus_own(metric: Metric) -> None:
    assert sorted(set(metric.labels) - {"instance", "job", "le", "quantile"}) == sorted(
        metric.labels
    )
