"""A figure of a project's own becomes a metric in base units, or is told why it cannot."""

import pytest

from orchestrator.gauge import UNITS, gauge
from orchestrator.metrics import METRICS
from orchestrator.project import Gauge


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("response_rate_ratio", "business.response_rate"),
        ("a", "a"),
        ("a" * 60, "x" * 200),
        ("emails", "business.emails_sent"),
        ("open_ratio", "a.ratio"),
        ("wait_seconds", "queue.seconds"),
        ("rooms", "http_rooms"),
        ("minutes_used", "minutes.used"),  # only the last word tells the unit
        ("sum_of_all", "a.b"),
    ],
)
def test_a_figure_without_a_unit_of_ours_is_taken_as_it_is(name: str, source: str) -> None:
    assert gauge(name, source) == Gauge(name=name, source=source, times=1, per=1)


@pytest.mark.parametrize(
    ("source", "name", "value", "converted"),
    [
        ("a.percent", "a_ratio", 50, 0.5),
        ("open_percent", "a_ratio", 12.5, 0.125),
        ("a.us", "a_seconds", 2_500_000, 2.5),
        ("a.ms", "a_seconds", 250, 0.25),
        ("lag_MS", "a_seconds", 250, 0.25),
        ("a.milliseconds", "a_seconds", 250, 0.25),
        ("a.minutes", "a_seconds", 2, 120),
        ("a.hours", "a_seconds", 1.5, 5400),
        ("a.days", "a_seconds", 2, 172_800),
        ("a.kb", "a_bytes", 2, 2000),
        ("a.mb", "a_bytes", 2, 2_000_000),
        ("a.gb", "a_bytes", 2, 2_000_000_000),
        ("a.kib", "a_bytes", 2, 2048),
        ("a.mib", "a_bytes", 2, 2_097_152),
        ("a.gib", "a_bytes", 2, 2_147_483_648),
    ],
)
def test_a_unit_becomes_its_base_unit(
    source: str, name: str, value: float, converted: float
) -> None:
    made = gauge(name, source)
    assert (made.name, value * made.times / made.per) == (name, converted)


@pytest.mark.parametrize(("unit", "base"), [(unit, said[0]) for unit, said in UNITS.items()])
def test_the_name_of_a_converted_figure_ends_in_its_base_unit(unit: str, base: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        gauge("lag", f"queue.{unit}")
    assert str(refused.value) == (
        f"queue.{unit} is in {unit}, which becomes {base}; end the name in _{base}"
    )


@pytest.mark.parametrize("name", ["", "A", "1a", "_a", "a-b", "a.b", "é", "a" * 61, "a\n", "a:b"])
def test_a_name_that_prometheus_does_not_know_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        gauge(name, "a")
    assert str(refused.value) == (
        f"{name!r} is no name of a metric; use a-z, 0-9 and _, 60 at most"
    )


@pytest.mark.parametrize("ending", ["total", "count", "sum", "bucket", "info"])
def test_a_name_that_says_another_type_is_refused(ending: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        gauge(f"mails_{ending}", "a")
    assert str(refused.value) == (
        "a gauge does not end in _total or _count or _sum or _bucket or _info"
    )


OURS = [name.removeprefix("project_") for name in METRICS if name.startswith("project_")]


@pytest.mark.parametrize("name", [each for each in OURS if not each.endswith(("_total", "info"))])
def test_a_metric_of_our_own_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        gauge(name, "a")
    assert str(refused.value) == f"project_{name} is a metric of the orchestrator's own"


@pytest.mark.parametrize("name", OURS)
def test_none_of_our_own_can_be_written_over(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        gauge(name, "a")


def test_the_prefix_is_not_written() -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        gauge("project_lag", "a")
    assert str(refused.value) == "project_ is put before it; write lag"


@pytest.mark.parametrize("source", ["", ".", "a.", ".a", "a..b", "a b", "a\n", "a\t.b", "x" * 201])
def test_a_source_that_is_no_path_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        gauge("a", source)
    assert str(refused.value) == f"{source!r} is no path like business.response_rate"
