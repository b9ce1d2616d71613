"""Processes: what the programs use of their machine, which versions run, and since when."""

from typing import Final

from dashboards import alarm, limits, links
from dashboards.layout import Section, band
from dashboards.look import About, Column, Look
from dashboards.panels import Panel, query, rows, table, timeseries

_OURS: Final = 'job=~"exporter-resources|webhook"'
_SILENT: Final = "no program answers"


def process() -> Section:
    """Return what the programs use, and what they are."""
    return Section(
        id=170,
        title="Processes",
        is_folded=True,
        bands=(
            band(8, (6, _cpu()), (6, _memory()), (6, _bytes()), (6, _files())),
            band(7, (24, _versions())),
        ),
    )


def _cpu() -> Panel:
    about = About(
        id=71,
        title="CPU of the machine",
        unit="percentunit",
        shows="What exporter and webhook use of the processors of the exporter's machine.",
        good="Below the line.",
        act="Use longer intervals for what is not urgent.",
        empty=_SILENT,
        runbook="OrchestratorOverhead",
    )
    expr = (
        f"sum by (job) (rate(process_cpu_seconds_total{{{_OURS}}}[$__rate_interval]))"
        " / on () group_left () max(exporter_host_cpus)"
    )
    look = Look(steps=alarm.line("OrchestratorOverhead"), low=0)
    return timeseries(about, [query(expr, "{{job}}")], look)


def _memory() -> Panel:
    about = About(
        id=72,
        title="Memory of the machine",
        unit="percentunit",
        shows="What exporter and webhook hold of the memory of the exporter's machine.",
        good="Below the line.",
        act="Use shards on several machines.",
        empty=_SILENT,
        runbook="OrchestratorOverhead",
    )
    expr = (
        f"sum by (job) (process_resident_memory_bytes{{{_OURS}}})"
        " / on () group_left () max(exporter_host_memory_bytes)"
    )
    look = Look(steps=alarm.line("OrchestratorOverhead"), low=0)
    return timeseries(about, [query(expr, "{{job}}")], look)


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
    return timeseries(about, queries, Look(low=0))


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
    look = Look(steps=limits.above(orange=0.5, red=0.9), low=0, high=1)
    return timeseries(about, [query(expr, "{{job}}")], look)


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
    reloaded = "config_last_reload_success_timestamp_seconds"
    queries = [
        rows("max by (instance, version) (webhook_build_info or exporter_build_info)"),
        rows("max by (instance, shard) (exporter_shard_info)"),
        rows(f"time() - max by (instance) (process_start_time_seconds{{{_OURS}}})"),
        rows(f"time() - max by (instance) (webhook_{reloaded} or exporter_{reloaded})"),
    ]
    look = Look(links=(links.drill("The fleet", links.FLEET, "client", "project"),))
    columns = [
        Column(of="instance", title="Program", look=look),
        Column(of="version", title="Version"),
        Column(of="shard", title="Shard"),
        Column(of="C", title="Runs for", unit="s"),
        Column(of="D", title="Configuration is old", unit="s"),
    ]
    return table(about, queries, columns, by="instance")
