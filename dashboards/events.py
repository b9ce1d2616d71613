"""Events: what happens seldom, as bars, each as high as the number of times that it happened.

A rate of it reads wrong: one restart would be several bars of 1.33 a minute, for Prometheus
extrapolates, and each point looks back over several others.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dashboards.look import About, Look
from dashboards.panels import Panel, PromTarget, query, timeseries

STEP: Final = "1m"  # the least that a bar stands for


def risen(counter: str, by: str) -> str:
    """Return how much *counter*, a metric with its matchers, has risen since the bar before.

    It is exact. A series that is new counts from 0, and a restart, which begins at 0, for nothing.
    """
    total = f"sum by ({by}) ({counter})"
    return f"clamp_min({total} - (sum by ({by}) ({counter} offset $__interval) or {total} * 0), 0)"


def count(counter: str, by: str, legend: str = "") -> PromTarget:
    """Return the query of the times that *counter* has risen, by its labels *by*.

    Only of what has in the time that is shown: the rest has no row in the legend. But that has its
    zeros: Grafana makes bars as wide as the points of a series are apart.
    """
    each = risen(counter, by)
    expr = f"{each} and max_over_time({each}[$__range:$__interval] @ end()) > 0"
    return query(expr, legend, every=STEP)


def events(about: About, queries: Sequence[PromTarget], look: Look | None = None) -> Panel:
    """Return the bars of *queries*, each made by `count`, above each other."""
    shown = replace(look or Look(), low=0, decimals=0, is_stacked=True)
    return timeseries(about, queries, shown, style="bars")
