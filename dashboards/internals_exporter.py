"""The exporter: whether it asks everybody in time, and what it makes of the answers."""

from typing import Final

from dashboards import alarm, limits
from dashboards.layout import Section, band
from dashboards.look import About, Look
from dashboards.panels import Panel, query, timeseries
from dashboards.variables import SCOPE

_SILENT: Final = "no exporter answers"


def exporter() -> Section:
    """Return what the exporter tells of itself."""
    return Section(
        id=130,
        title="The exporter",
        is_folded=True,
        bands=(
            band(8, (8, _probes()), (8, _void()), (8, _wrong())),
            band(8, (8, _lag()), (8, _scrapes()), (8, _load())),
        ),
    )


def _probes() -> Panel:
    about = About(
        id=31,
        title="Questions",
        unit="cps",
        shows="Turns a second that were due, questions that were asked, and turns left out.",
        good="As many asked as due, and none left out.",
        act="Left out: the project answers too slowly, or the machine is too busy.",
        empty=_SILENT,
        runbook="ExporterNotProbing",
    )
    queries = [
        query(
            f"sum by (endpoint) (rate(exporter_probes_{metric}[$__rate_interval]))",
            f"{{{{endpoint}}}}, {name}",
        )
        for metric, name in (
            ("due_total", "due"),
            ("total", "asked"),
            ("skipped_total", "left out"),
        )
    ]
    return timeseries(about, queries, Look(low=0))


def _void() -> Panel:
    about = About(
        id=32,
        title="Answers thrown away",
        unit="percentunit",
        shows="Turns, of all that were due, whose result says more of the exporter than of the"
        " project; by reason.",
        good="0. The former verdicts stand meanwhile.",
        act="`late`: the machine is too busy; `resources`: see `ulimit -Hn`.",
        empty="nothing was thrown away",
        runbook="ExporterNotProbing",
    )
    expr = (
        "sum by (reason) (rate(exporter_probes_void_total[$__rate_interval]))"
        " / on () group_left () sum(rate(exporter_probes_due_total[$__rate_interval]))"
    )
    look = Look(steps=alarm.line("ExporterNotProbing"), low=0, high=1)
    return timeseries(about, [query(expr, "{{reason}}")], look)


def _wrong() -> Panel:
    about = About(
        id=33,
        title="Answers of projects",
        unit="cps",
        shows="Good answers a second, and what was wrong with the others, of all projects.",
        good="Good ones alone.",
        act="docs/endpoint-contract.md tells each reason; the project's page shows whose it is.",
        empty=_SILENT,
        runbook="ProjectDown",
    )
    queries = [
        query(f"sum by ({by}) (rate({metric}{{{SCOPE}}}[$__rate_interval]))", legend)
        for metric, by, legend in (
            ("project_reads_total", "endpoint", "{{endpoint}}, good"),
            ("project_probe_failures_total", "reason", "health: {{reason}}"),
            ("project_read_failures_total", "endpoint, reason", "{{endpoint}}: {{reason}}"),
        )
    ]
    return timeseries(about, queries, Look(low=0))


def _lag() -> Panel:
    about = About(
        id=34,
        title="Lag of the timing wheel",
        unit="s",
        shows="How late its slots came, how late at most since the start, and how long ago the last"
        " one was.",
        good="p99 below 50 ms; the last one less than a second ago.",
        act="Use shards, or longer intervals.",
        empty=_SILENT,
        runbook="ExporterNotProbing",
    )
    lag = "sum by (le) (rate(exporter_tick_lag_seconds_bucket[$__rate_interval]))"
    queries = [
        query(f"histogram_quantile(0.99, {lag})", "p99"),
        query("max(exporter_tick_lag_max_seconds)", "latest"),
        query(
            "max(timestamp(exporter_last_tick_timestamp_seconds)"
            " - exporter_last_tick_timestamp_seconds)",
            "last one, at the scrape",
        ),
    ]
    return timeseries(about, queries, Look(steps=limits.above(red=1), low=0))


def _scrapes() -> Panel:
    about = About(
        id=35,
        title="Time of a scrape, p95",
        unit="s",
        shows="Time of the event loop that a scrape took, in which nobody is asked.",
        good="Below 15 ms for 5,000 projects.",
        act="Use shards.",
        empty=_SILENT,
    )
    took = "sum by (le, part) (rate(exporter_scrape_seconds_bucket[$__rate_interval]))"
    return timeseries(about, [query(f"histogram_quantile(0.95, {took})", "{{part}}")], Look(low=0))


def _load() -> Panel:
    about = About(
        id=36,
        title="Projects and open questions",
        unit="short",
        shows="Projects that each exporter watches, and turns that are not over.",
        good="Far fewer open turns than projects.",
        act="Many: projects hang, and each one takes its whole timeout.",
        empty=_SILENT,
    )
    queries = [
        query("sum by (instance) (exporter_projects)", "{{instance}}, projects"),
        query("sum by (instance) (exporter_probes_in_flight)", "{{instance}}, open"),
    ]
    return timeseries(about, queries, Look(low=0, decimals=0))
