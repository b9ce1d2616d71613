"""The fleet: is anything wrong, where, and is somebody asked? The page that Grafana begins with."""

from typing import Final

from grafanalib import core

from dashboards import annotations, fleet_curves, limits, links, state, variables, waiting
from dashboards.fleet_figures import FIRING, figures
from dashboards.layout import Section, band
from dashboards.limits import NEUTRAL
from dashboards.look import About, Column, Look
from dashboards.panels import Panel, bargauge, now, query, rows, stat, state_timeline, table
from dashboards.variables import SCOPE
from dashboards.whole import whole

_PROJECT: Final = links.of_curve("The project", links.PROJECT)
_INSIDE: Final = links.drill("Internals", links.INTERNALS)


def fleet(webhook: str) -> core.Dashboard:
    """Return the overview of all projects."""
    return whole(
        links.FLEET,
        "Fleet",
        "Is anything wrong with the fleet, where, and is somebody asked?",
        (
            Section(
                bands=(
                    band(4, *figures()),
                    band(6, (6, _grid()), (12, _timeline()), (6, _closest())),
                    band(7, (14, _projects()), (10, _alerts())),
                    band(6, (9, waiting.questions(16)), (9, waiting.incidents(17)), (6, _stack())),
                )
            ),
            fleet_curves.section(),
        ),
        choices=[
            variables.CLIENT,
            variables.PROJECTS,
            variables.choice(
                "severity", "Severity", 'label_values(ALERTS{alertname!="Watchdog"}, severity)'
            ),
        ],
        marks=[
            annotations.ACTIONS,
            annotations.FAILED_ACTIONS,
            annotations.DEPLOYMENTS,
            annotations.MAINTENANCE,
            annotations.ALERTS,
        ],
        webhook=webhook,
    )


def _grid() -> Panel:
    about = About(
        id=10,
        title="Projects",
        unit="short",
        shows="Every project, with the state that it is in now.",
        good="healthy; paused and maintenance are somebody's choice.",
        act="Click the project.",
        empty="no project",
        runbook="ProjectDown",
    )
    look = Look(words=state.WORDS, links=(_PROJECT,))
    return stat(about, [now(state.worst(SCOPE), "{{project}}")], look)


def _timeline() -> Panel:
    about = About(
        id=11,
        title="States",
        unit="short",
        shows="The state of every project over the time; a gap is where nobody looked.",
        good="One long green band each.",
        act="Compare with the marks: what was done, or deployed, just before?",
        empty="no project",
        runbook="ProjectFlapping",
    )
    look = Look(words=state.WORDS, links=(_PROJECT,))
    return state_timeline(about, [query(state.worst(SCOPE), "{{project}}")], look)


def _closest() -> Panel:
    about = About(
        id=12,
        title="Closest to a limit",
        unit="percentunit",
        shows="The usages that are the largest part of the project's own threshold.",
        good="Below 100 %, which is where the alert begins.",
        act="Click the project: does it grow, or does it swing?",
        empty="no usage",
        runbook="ProjectHighMemory",
    )
    used = " or ".join(
        f'label_replace({metric}{{{SCOPE}}}, "resource", "{resource}", "", "")'
        for resource, metric in (
            ("cpu", "project_cpu_usage_ratio"),
            ("memory", "project_memory_usage_ratio"),
            ("errors", "project_error_ratio"),
        )
    )
    expr = (
        f"topk(6, max by (project, resource) ({used})"
        " / max by (project, resource) (project_threshold_ratio > 0))"
    )
    steps = limits.above(orange=0.8, red=1)
    look = Look(steps=steps, links=(_PROJECT,), low=0, high=1.2, decimals=0)
    return bargauge(about, [now(expr, "{{project}} {{resource}}")], look)


def _projects() -> Panel:
    about = About(
        id=13,
        title="Every project",
        unit="short",
        shows="How each project is: alerts, errors, the slow end of its answers, uptime, budget.",
        good="No color but green.",
        act="Click the name for the project, the alerts for its incidents, the budget for its SLO.",
        empty="-",
        runbook="ProjectDown",
    )
    up = f"project:project_up:max{{{SCOPE}}}"
    fired = f'ALERTS{{alertstate="firing", severity=~"$severity", {SCOPE}}}'
    slow = f"quantile_over_time(0.95, project_probe_duration_seconds{{{SCOPE}}}[$__range])"
    queries = [
        rows(state.worst(SCOPE)),
        rows(f"count by (project) ({fired}) or 0 * max by (project) (project_up{{{SCOPE}}})"),
        rows(f"max by (project) (project_error_ratio{{{SCOPE}}})"),
        rows(f"max by (project) ({slow})"),
        rows(f"max by (project) (avg_over_time({up}[$__range]))"),
        rows(f"max by (project) (project:error_budget_remaining:ratio30d{{{SCOPE}}})"),
    ]
    return table(about, queries, _columns(), by="project", order="Alerts")


def _columns() -> tuple[Column, ...]:
    incidents = links.page("Its incidents", "/incidents?state=all&project=${__data.fields.Project}")
    to_project = links.of_cell("The project", links.PROJECT, "Project")
    to_slo = links.of_cell("Its budget", links.SLO, "Project")
    errors = Look(steps=limits.ERRORS, decimals=1)
    budget = Look(steps=limits.BUDGET, decimals=0, links=(to_slo,))
    return (
        Column(of="project", title="Project", look=Look(links=(to_project,))),
        Column(of="A", title="State", unit="short", look=Look(words=state.WORDS), width=110),
        Column(
            of="B",
            title="Alerts",
            unit="short",
            look=Look(steps=limits.ANY, links=(incidents,)),
            width=80,
        ),
        Column(of="C", title="Errors", unit="percentunit", look=errors, width=90),
        Column(of="D", title="p95", unit="s", look=Look(steps=NEUTRAL, decimals=3), width=90),
        Column(of="E", title="Uptime", unit="percentunit", look=Look(decimals=2), width=100),
        Column(of="F", title="Budget", unit="percentunit", look=budget, width=90),
    )


def _alerts() -> Panel:
    about = About(
        id=14,
        title="Firing alerts",
        unit="s",
        shows="What fires, since when. An empty project means one of our own programs.",
        good="Nothing.",
        act="Read the page docs/runbooks/<alert>.md, and click the project.",
        empty="nothing fires",
    )
    labels = "alertname, severity, project"
    since = f'ALERTS_FOR_STATE{{{FIRING}}} and ignoring (alertstate) ALERTS{{alertstate="firing"}}'
    columns = (
        Column(of="alertname", title="Alert"),
        Column(of="severity", title="Severity", look=Look(words=state.SEVERITIES), width=90),
        Column(
            of="project",
            title="Project",
            look=Look(links=(links.of_cell("The project", links.PROJECT, "Project"),)),
        ),
        Column(of="A", title="For", unit="s", look=Look(decimals=0), width=90),
    )
    return table(about, [rows(f"time() - max by ({labels}) ({since})")], columns, order="For")


def _stack() -> Panel:
    about = About(
        id=15,
        title="Ourselves",
        unit="short",
        shows="Whether Prometheus reaches each of our own programs, by its job.",
        good="up, every one.",
        act="Without the exporter nothing is seen, without the webhook nothing is repaired.",
        empty="no target",
        runbook="WebhookAbsent",
    )
    return stat(
        about,
        [now("min by (job) (up)", "{{job}}")],
        Look(words=state.REACHED, links=(_INSIDE,)),
    )
