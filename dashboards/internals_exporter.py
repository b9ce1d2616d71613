"""The exporter: whether it asks everybody in time, and what it makes of the answers."""

from typing import Final

from dashboards import alarm, limits
from dashboards.events import count, events
from dashboards.layout import Section, band
from dashboards.look import About, Look
from dashboards.panels import Panel, query, timeseries

_SILENT: Final = "no exporter answers"


def exporter() -> Section:
    """Return what the exporter tells of itself."""
    return Section(
        id=130,
        title="The exporter",
        is_folded=True,
        bands=(
            band(9, (8, _probes()), (8, _void()), (8, _wrong())),
            band(9, (8, _lag()), (8, _scrapes()), (8, _load())),
            band(9, (12, _answered()), (12, _brought())),
        ),
    )


def _probes() -> Panel:
    about = About(
        id=31,
        title="Questions a second",
        unit="short",
        shows="Turns that were due, questions that were asked, turns left out, and good answers.",
        good="As many asked and good as due, and none left out.",
        act="Left out: the project answers too slowly, or the machine is too busy.",
        empty=_SILENT,
        runbook="ExporterNotProbing",
    )
    queries = [
        query(
            f"sum by (endpoint) (rate({metric}[$__rate_interval]))",
            f"{{{{endpoint}}}}, {name}",
        )
        for metric, name in (
            ("exporter_probes_due_total", "due"),
            ("exporter_probes_total", "asked"),
            ("exporter_probes_skipped_total", "left out"),
            ("project_reads_total", "good"),
        )
    ]
    return timeseries(about, queries, Look(low=0, decimals=2), legend="list")


def _void() -> Panel:
    about = About(
        id=32,
        title="Answers thrown away",
        unit="percentunit",
        shows="Turns whose result says more of the exporter than of the project: of each exporter,"
        " as a share of those that were due; and of them all by reason.",
        good="0. The former verdicts stand meanwhile.",
        act="`late`: the machine is too busy; `resources`: see `ulimit -Hn`.",
        empty="nothing was thrown away",
        runbook="ExporterNotProbing",
    )
    void, due = (
        f"rate(exporter_probes_{each}_total[$__rate_interval])" for each in ("void", "due")
    )
    queries = [
        query(f"sum by (instance) ({void}) / sum by (instance) ({due})", "{{instance}}"),
        query(f"sum by (reason) ({void}) / on () group_left () sum({due})", "{{reason}}"),
    ]
    look = Look(steps=alarm.line("ExporterNotProbing"), low=0, high=1, decimals=1)
    return timeseries(about, queries, look, points=True)


def _wrong() -> Panel:
    about = About(
        id=33,
        title="Answers that were wrong",
        unit="short",
        shows="How many answers of projects were not good, and what was wrong with them: at"
        " `/health`, and at the other endpoints. Each bar is a minute or more. Of all projects.",
        good="None.",
        act="docs/endpoint-contract.md tells each reason; the project's page shows whose it is.",
        empty="every answer was good",
        runbook="ProjectDown",
    )
    queries = [
        count("project_probe_failures_total", "reason", "health: {{reason}}"),
        count("project_read_failures_total", "endpoint, reason", "{{endpoint}}: {{reason}}"),
    ]
    return events(about, queries)


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


def _answered() -> Panel:
    about = About(
        id=37,
        title="Time of a scrape, as Prometheus sees it",
        unit="s",
        shows="How long the slowest target of each job took to answer Prometheus.",
        good="Far below the line.",
        act="At the line, `exporter-health` is no answer any more, and all projects look unknown:"
        " use shards.",
        empty="Prometheus scrapes nothing",
        runbook="ExporterAbsent",
    )
    look = Look(steps=limits.above(red=alarm.SCRAPED_WITHIN), low=0)
    return timeseries(
        about, [query("max by (job) (scrape_duration_seconds)", "{{job}}")], look, legend="right"
    )


def _brought() -> Panel:
    about = About(
        id=38,
        title="Samples of a scrape",
        unit="short",
        shows="How many samples the targets of each job bring at a time.",
        good="Level; some thirty a project from `exporter-resources`.",
        act="A climb that goes on: a label has too many values; see which job it is.",
        empty="Prometheus scrapes nothing",
        runbook="ExporterAbsent",
    )
    look = Look(low=0, decimals=0)
    return timeseries(
        about, [query("sum by (job) (scrape_samples_scraped)", "{{job}}")], look, legend="right"
    )
