"""The curves of the fleet: how all projects have been, each a line, folded away until asked for."""

from typing import Final

from dashboards import limits, links
from dashboards.layout import Section, band
from dashboards.limits import NEUTRAL, Steps
from dashboards.look import About, Look
from dashboards.panels import Panel, query, timeseries
from dashboards.variables import SCOPE

_PROJECT: Final = links.of_curve("The project", links.PROJECT)


def section() -> Section:
    """Return the section, with the limits that a project has that names none of its own."""
    return Section(
        id=100,
        title="Curves of all projects",
        is_folded=True,
        bands=(
            band(9, (8, _errors()), (8, _cpu()), (8, _memory())),
            band(9, (8, _uptime()), (8, _answers()), (8, _requests())),
        ),
    )


def _curve(about: About, metric: str, steps: Steps, *, high: float | None = None) -> Panel:
    expr = f"max by (project) ({metric}{{{SCOPE}}})"
    decimals = 1 if about.unit == "percentunit" else None
    look = Look(steps=steps, links=(_PROJECT,), low=0, high=high, decimals=decimals)
    return timeseries(about, [query(expr, "{{project}}")], look)


def _errors() -> Panel:
    about = About(
        id=101,
        title="Errors",
        unit="percentunit",
        shows="The share of the requests of the last minute that failed by the project's fault.",
        good="Below the line, which is the limit of a project that has none of its own.",
        act="Open the project: is it one release, or one thing that it depends on?",
        empty="no project says it",
        runbook="ProjectHighErrorRate",
    )
    return _curve(about, "project_error_ratio", limits.ERRORS)


def _cpu() -> Panel:
    about = About(
        id=102,
        title="CPU",
        unit="percentunit",
        shows="Processor time in use, of what each project may use.",
        good="Below the line, which is the limit of a project that has none of its own.",
        act="Open the project: does its traffic explain it?",
        empty="no project says it",
        runbook="ProjectHighCPU",
    )
    return _curve(about, "project_cpu_usage_ratio", limits.CPU, high=1)


def _memory() -> Panel:
    about = About(
        id=103,
        title="Memory",
        unit="percentunit",
        shows="Memory in use, of what each project may use.",
        good="Below the line, and level: what only ever grows is a leak.",
        act="Open the project; clearing its cache or restarting it wins time.",
        empty="no project says it",
        runbook="ProjectHighMemory",
    )
    return _curve(about, "project_memory_usage_ratio", limits.MEMORY, high=1)


def _uptime() -> Panel:
    about = About(
        id=104,
        title="Uptime, the hour before",
        unit="percentunit",
        shows="The share of the hour before that each project was up, maintenance left out.",
        good="100 %, and never below the objective, 99 % where a project has none of its own.",
        act="See how much is left of its budget.",
        empty="nobody has looked yet",
        runbook="ProjectErrorBudgetBurnFast",
    )
    expr = f"max by (project) (project:project_up:mean1h{{{SCOPE}}})"
    steps = limits.below(red=limits.OBJECTIVE)
    # From 0 on, nothing could be seen of what matters.
    look = Look(steps=steps, links=(_PROJECT,), soft_low=0.9, high=1, decimals=1)
    return timeseries(about, [query(expr, "{{project}}")], look)


def _answers() -> Panel:
    about = About(
        id=105,
        title="Health answers",
        unit="s",
        shows="How long each project took to answer the last question about its health.",
        good="Level, and below a second, unless it says otherwise itself.",
        act="Open the project: slow answers come before none.",
        empty="no answer",
        runbook="ProjectSlow",
    )
    return _curve(about, "project_probe_duration_seconds", NEUTRAL)


def _requests() -> Panel:
    about = About(
        id=106,
        title="Requests",
        unit="reqps",
        shows="Requests a second to each project, over the last minute.",
        good="As at this time of other days.",
        act="None at all, or many more: ask who calls it.",
        empty="no project says it",
        runbook="ProjectTrafficAnomalous",
    )
    return _curve(about, "project_requests_per_second", NEUTRAL)
