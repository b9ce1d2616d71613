"""Processes: what the programs use of their machine, which versions run, and since when."""

from typing import Final

from dashboards import alarm, limits, links
from dashboards.layout import Section, band
from dashboards.look import About, Column, Look
from dashboards.panels import Panel, query, rows, table, timeseries

_OURS: Final = 'job=~"exporter-resources|webhook"'
_SILENT: Final = "no program answers"
# Of the last one nothing says when its configuration was read.
_PROGRAMS: Final = ("webhook", "exporter", "prometheus", "alertmanager", "grafana")
_BUILDS: Final = " or ".join(f"{each}_build_info" for each in _PROGRAMS)


def process() -> Section:
    """Return what the programs use, and what they are."""
    return Section(
        id=170,
        title="Processes",
        is_folded=True,
        bands=(
            band(8, (12, _cpu()), (12, _memory())),
            band(8, (12, _bytes()), (12, _files())),
            band(7, (24, _versions())),
        ),
    )


def _cpu() -> Panel:
    about = About(
        id=71,
        title="CPU of the machine",
        unit="percentunit",
        shows="What exporter and webhook use of the processors of the exporter's machine.",
        good="Together below the line.",
        act="Use longer intervals for what is not urgent.",
        empty=_SILENT,
        runbook="OrchestratorOverhead",
    )
    used = f"rate(process_cpu_seconds_total{{{_OURS}}}[$__rate_interval])"
    return _shares(about, used, "max(exporter_host_cpus)")


def _memory() -> Panel:
    about = About(
        id=72,
        title="Memory of the machine",
        unit="percentunit",
        shows="What exporter and webhook hold of the memory of the exporter's machine.",
        good="Together below the line.",
        act="Use shards on several machines.",
        empty=_SILENT,
        runbook="OrchestratorOverhead",
    )
    used = f"process_resident_memory_bytes{{{_OURS}}}"
    return _shares(about, used, "max(exporter_host_memory_bytes)")


def _shares(about: About, used: str, of: str) -> Panel:
    """Return what each program takes, and what both do, which is what the rule judges."""
    queries = [
        query(f"sum by (job) ({used}) / on () group_left () {of}", "{{job}}"),
        query(f"sum({used}) / {of}", "together"),
    ]
    look = Look(steps=alarm.line("OrchestratorOverhead"), low=0, decimals=2)
    return timeseries(about, queries, look, legend="right")


def _bytes() -> Panel:
    about = About(
        id=73,
        title="Memory",
        unit="bytes",
        shows="Memory that each program holds, and that the webhook has asked for.",
        good="Level after the first hour.",
        act="A climb that goes on is a leak: tell us, with the version.",
        empty=_SILENT,
    )
    queries = [
        query("sum by (job) (process_resident_memory_bytes)", "{{job}}"),
        query('sum by (job) (process_virtual_memory_bytes{job="webhook"})', "{{job}}, asked for"),
    ]
    return timeseries(about, queries, Look(low=0), legend="right")


def _files() -> Panel:
    about = About(
        id=74,
        title="Open files",
        unit="percentunit",
        shows="Files and connections that a program has open, of those that it may.",
        good="Below a half.",
        act="Raise `ulimit -n`, and see who keeps connections open.",
        empty=_SILENT,
    )
    expr = "max by (job) (process_open_fds) / max by (job) (process_max_fds)"
    look = Look(steps=limits.above(orange=0.5, red=0.9), low=0, high=1, decimals=1)
    return timeseries(about, [query(expr, "{{job}}")], look, legend="right")


def _versions() -> Panel:
    about = About(
        id=75,
        title="What runs",
        unit="s",
        shows="Each program with its version, its part of the fleet, for how long it has run, and"
        " how old the configuration is that it goes by.",
        good="One version, and no program that has just begun.",
        act="One that begins again and again: its log says why it ends.",
        empty=_SILENT,
        runbook="ExporterReloadFailed",
    )
    reloaded = " or ".join(
        f"{each}_config_last_reload_success_timestamp_seconds" for each in _PROGRAMS[:4]
    )
    queries = [
        rows(f"max by (instance, job, version) ({_BUILDS})"),
        rows("max by (instance, shard) (exporter_shard_info)"),
        rows("time() - max by (instance) (process_start_time_seconds)"),
        rows(f"time() - max by (instance) ({reloaded})"),
    ]
    look = Look(links=(links.drill("The fleet", links.FLEET, "project"),))
    columns = [
        Column(of="instance", title="Program", look=look),
        Column(of="job", title="Job"),
        Column(of="version", title="Version"),
        Column(of="shard", title="Shard"),
        Column(of="C", title="Runs for", unit="dtdhms"),
        Column(of="D", title="Configuration is old", unit="dtdhms"),
    ]
    return table(about, queries, columns, by="instance")
