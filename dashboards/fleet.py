"""The fleet: is anything wrong, where, and is somebody asked? The page that Grafana begins with."""

from typing import Final

from grafanalib import core

from dashboards import (
    annotations,
    fleet_alerts,
    fleet_curves,
    limits,
    links,
    state,
    variables,
    waiting,
)
from dashboards.fleet_figures import figures
from dashboards.layout import Section, band
from dashboards.look import About, Column, Look, Order, Sizes
from dashboards.panels import Panel, bargauge, now, query, rows, stat, state_timeline, table
from dashboards.variables import SCOPE, Places
from dashboards.whole import whole

_PROJECT: Final = links.of_curve("The project", links.PROJECT)
_INSIDE: Final = links.drill("Internals", links.INTERNALS)


_TILES: Final = Sizes(name=12, value=14)
_NEAR: Final = limits.above(orange=0.8, red=1)
_USED: Final = " or ".join(
    f'label_replace({metric}{{{SCOPE}}}, "resource", "{resource}", "", "")'
    for resource, metric in (
        ("cpu", "project_cpu_usage_ratio"),
        ("memory", "project_memory_usage_ratio"),
        ("errors", "project_error_ratio"),
    )
)
# Of each project's own thresholds.
_OF_LIMITS: Final = (
    f"max by (project, resource) ({_USED})"
    " / max by (project, resource) (project_threshold_ratio > 0)"
)


def fleet(places: Places) -> core.Dashboard:
    """Return the overview of all projects."""
    return whole(
        links.FLEET,
        "Fleet",
        "Is anything wrong with the fleet, where, and is somebody asked?",
        (
            Section(
                bands=(
                    band(3, *figures()),
                    band(6, (7, _grid()), (11, _timeline()), (6, _closest())),
                    band(8, (14, _projects()), (10, fleet_alerts.firing(places))),
                    band(5, (9, waiting.questions(16)), (9, waiting.incidents(17)), (6, _stack())),
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
        marks=annotations.OF_PROJECTS,
        places=places,
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
    return stat(about, [now(state.worst(SCOPE), "{{project}}")], look, sizes=_TILES)


def _timeline() -> Panel:
    about = About(
        id=11,
        title="States",
        unit="short",
        shows="The state of every project over the time; a gap is where nobody looked.",
        good="One long green band each; an outage is red, however short it was.",
        act="Compare with the marks: what was done, or deployed, just before?",
        empty="no project",
        runbook="ProjectFlapping",
    )
    look = Look(words=state.WORDS, links=(_PROJECT,))
    return state_timeline(about, [query(state.over_time(SCOPE), "{{project}}")], look)


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
    expr = f"topk(6, {_OF_LIMITS})"
    look = Look(steps=_NEAR, links=(_PROJECT,), low=0, high=1.2, decimals=0)
    return bargauge(about, [now(expr, "{{project}} {{resource}}")], look)


def _projects() -> Panel:
    about = About(
        id=13,
        title="Every project",
        unit="short",
        shows="How each project is. Of its limit: the usage that is the largest part of the"
        " project's own threshold. Last action: how long ago the webhook began one.",
        good="No color but green. Errors and uptime have none, for their limits are the projects'"
        " own.",
        act="Click the name for the project, the alerts for its incidents, the budget for its SLO."
        " Budgets come within five minutes of the first look.",
        empty="no project",
        runbook="ProjectDown",
    )
    fired = f'ALERTS{{alertstate="firing", severity=~"$severity", {SCOPE}}}'
    slow = f"quantile_over_time(0.95, project_probe_duration_seconds{{{SCOPE}}}[$__range])"
    acted = 'webhook_action_timestamp_seconds{project=~"$project", result="begun"}'
    there = f"max by (project) (project_up{{{SCOPE}}})"
    queries = [
        rows(state.worst(SCOPE)),
        rows(f"count by (project) ({fired}) or 0 * {there}"),
        rows(f"max by (project) ({_OF_LIMITS})"),
        rows(f"max by (project) (project_error_ratio{{{SCOPE}}})"),
        rows(f"max by (project) ({slow})"),
        rows(state.uptime(SCOPE)),
        rows(state.budget_left(SCOPE)),
        rows(f"time() - max by (project) ({acted}) and {there}"),
    ]
    order = (Order("Alerts"), Order("State"))
    return table(about, queries, _columns(), by="project", order=order)


def _columns() -> tuple[Column, ...]:
    incidents = links.page("Its incidents", "/incidents?state=all&project=${__data.fields.Project}")
    to_project = links.of_cell("The project", links.PROJECT, "Project")
    to_slo = links.of_cell("Its budget", links.SLO, "Project")
    fired = Look(steps=limits.ANY, links=(incidents,))
    budget = Look(steps=limits.BUDGET, decimals=0, links=(to_slo,))
    acted = Look(links=(incidents,))
    return (
        Column(of="project", title="Project", look=Look(links=(to_project,))),
        Column(of="A", title="State", unit="short", look=Look(words=state.WORDS), width=100),
        Column(of="B", title="Alerts", unit="short", look=fired, width=70),
        Column(
            of="C",
            title="Of its limit",
            unit="percentunit",
            look=Look(steps=_NEAR, decimals=0),
            width=90,
        ),
        Column(of="D", title="Errors", unit="percentunit", look=Look(decimals=1), width=65),
        Column(of="E", title="p95", unit="s", look=Look(decimals=1), width=75),
        Column(of="F", title="Uptime", unit="percentunit", look=Look(decimals=2), width=80),
        Column(of="G", title="Budget", unit="percentunit", look=budget, width=70),
        Column(of="H", title="Last action", unit="dtdhms", look=acted, width=100),
    )


def _stack() -> Panel:
    about = About(
        id=15,
        title="Ourselves",
        unit="short",
        shows="Whether Prometheus reaches each of our own programs, by its job, and whether repairs"
        " are done: none are on a dry run, or while the kill switch is on.",
        good="up, every one; acts.",
        act="Without the exporter nothing is seen, without the webhook nothing is repaired.",
        empty="no target",
        runbook="WebhookAbsent",
    )
    queries = [now("min by (job) (up)", "{{job}}"), now(state.REPAIRING, "repairs")]
    look = Look(words=state.REACHED, links=(_INSIDE,))
    own = {"repairs": Look(words=state.REPAIRS)}
    return stat(about, queries, look, own=own, sizes=Sizes(name=12, value=20))
