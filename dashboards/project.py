"""A project: what it suffers from, and since when."""

from typing import Final

from grafanalib import core

from dashboards import annotations, limits, links, project_curves, state, variables
from dashboards.layout import Section, band
from dashboards.look import About, Column, Look
from dashboards.panels import (
    Panel,
    now,
    query,
    rows,
    stat,
    state_timeline,
    status_history,
    table,
)
from dashboards.whole import whole

SCOPE: Final = 'project="$project"'
_SLO: Final = links.drill("Its budget", links.SLO, "project", "client")
_REPAIRS: Final = links.drill("Repairs", links.REMEDIATION, "project")
_FLEET: Final = links.drill("The fleet", links.FLEET, "client")
_ITS_INCIDENTS: Final = links.page(
    "Its incidents", "/api/v1/incidents?project=${project:percentencode}"
)


def project(webhook: str) -> core.Dashboard:
    """Return the view of one project, in which its name is the only thing to choose."""
    return whole(
        links.PROJECT,
        "Project",
        "What does this project suffer from, since when, and what was done?",
        (
            Section(
                bands=(
                    band(4, *_figures()),
                    band(6, (8, _state()), (10, _alerts()), (6, _release())),
                )
            ),
            *project_curves.sections(SCOPE),
            Section(
                id=500,
                title="Raw figures",
                is_folded=True,
                bands=(
                    band(7, (8, _probes()), (8, project_curves.reads(SCOPE)), (8, _held())),
                    band(7, (24, project_curves.failures(SCOPE))),
                ),
            ),
        ),
        choices=[
            variables.CLIENT,
            variables.PROJECT,
            variables.choice(
                "instance", "Exporter", 'label_values(project_up{project="$project"}, instance)'
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


def _figures() -> tuple[tuple[int, Panel], ...]:
    return ((4, _now()), (4, _firing()), (4, _uptime()), (4, _budget()), (4, _burn()), (4, _age()))


def _now() -> Panel:
    about = About(
        id=1,
        title="State",
        unit="short",
        shows="How the project is now.",
        good="healthy; paused and maintenance are somebody's choice.",
        act="See which alerts fire, and click for its incidents.",
        empty="nobody looks",
        runbook="ProjectDown",
    )
    look = Look(words=state.WORDS, links=(_ITS_INCIDENTS, _FLEET))
    return stat(about, [now(state.worst(SCOPE), "{{project}}")], look)


def _firing() -> Panel:
    about = About(
        id=2,
        title="Alerts",
        unit="short",
        shows="Alerts about the project that fire now.",
        good="0.",
        act="Click for its incidents: what was found, tried, and asked.",
        empty="no alert",
    )
    expr = f'count(max by (alertname) (ALERTS{{alertstate="firing", {SCOPE}}})) or vector(0)'
    look = Look(steps=limits.ANY, links=(_ITS_INCIDENTS, _REPAIRS))
    return stat(about, [now(expr, "firing")], look)


def _uptime() -> Panel:
    about = About(
        id=3,
        title="Uptime",
        unit="percentunit",
        shows="The share of the chosen time that it was up; maintenance does not count.",
        good="At least its objective.",
        act="See the states: one long outage, or many short ones?",
        empty="nobody looked",
        runbook="ProjectDown",
    )
    expr = f"max by (project) (avg_over_time(project:project_up:max{{{SCOPE}}}[$__range]))"
    steps = limits.below(red=limits.OBJECTIVE)
    return stat(about, [now(expr, "up")], Look(steps=steps, decimals=2, links=(_SLO,)))


def _budget() -> Panel:
    about = About(
        id=4,
        title="Budget left, 30 d",
        unit="percentunit",
        shows="What is left of the time that it may be down in 30 days.",
        good="Half of it or more.",
        act="Below 20 %, change nothing that can wait; below 0, the objective is missed.",
        empty="not for a day yet",
        runbook="ProjectErrorBudgetBurnSlow",
    )
    expr = f"max by (project) (project:error_budget_remaining:ratio30d{{{SCOPE}}})"
    return stat(about, [now(expr, "left")], Look(steps=limits.BUDGET, decimals=0, links=(_SLO,)))


def _burn() -> Panel:
    about = About(
        id=5,
        title="Burn, 1 h",
        unit="short",
        shows="How many times as fast as it may, the budget was used in the hour before.",
        good="Below 1.",
        act="From 14.4 on somebody is called; find the cause of the outage.",
        empty="no hour yet",
        runbook="ProjectErrorBudgetBurnFast",
    )
    expr = f"max by (project) (project:error_budget_burn:ratio1h{{{SCOPE}}})"
    return stat(about, [now(expr, "burn")], Look(steps=limits.BURN, decimals=1, links=(_SLO,)))


def _age() -> Panel:
    about = About(
        id=6,
        title="Deployed",
        unit="s",
        shows="How long ago the release that runs was deployed.",
        good="Whatever was planned.",
        act="Where trouble began right after it, roll it back.",
        empty="it does not say",
        runbook="ProjectDeploymentFailed",
    )
    expr = f"time() - max by (project) (project_deployed_timestamp_seconds{{{SCOPE}}} > 0)"
    return stat(about, [now(expr, "ago")], Look(decimals=0))


def _state() -> Panel:
    about = About(
        id=7,
        title="States",
        unit="short",
        shows="The state of the project over the time; a gap is where nobody looked.",
        good="One long green band.",
        act="Compare with the marks: what was done, or deployed, just before?",
        empty="nobody looks",
        runbook="ProjectFlapping",
    )
    look = Look(words=state.WORDS, links=(_ITS_INCIDENTS,))
    return state_timeline(about, [query(state.worst(SCOPE), "{{project}}")], look)


def _alerts() -> Panel:
    about = About(
        id=8,
        title="Alerts over the time",
        unit="short",
        shows="Each alert about the project, while it waits to fire, and while it fires.",
        good="No band at all.",
        act="What began first is closest to the cause; read docs/runbooks/<alert>.md.",
        empty="no alert",
    )
    expr = (
        f'max by (alertname) (ALERTS{{alertstate="firing", {SCOPE}}} * 2'
        f' or ALERTS{{alertstate="pending", {SCOPE}}})'
    )
    look = Look(words=state.PAGING, links=(_ITS_INCIDENTS,))
    return state_timeline(about, [query(expr, "{{alertname}}")], look)


def _release() -> Panel:
    about = About(
        id=9,
        title="Release",
        unit="string",
        shows="The release that runs, and what may be done to it without a human.",
        good="The release that you expect; act, where repairs are wanted.",
        act="Set the mode in orchestrator.yml.",
        empty="nobody looks",
    )
    columns = (
        Column(of="version", title="Release"),
        Column(of="mode", title="Mode", width=90),
    )
    return table(about, [rows(f"max by (version, mode) (project_info{{{SCOPE}}})")], columns)


def _probes() -> Panel:
    about = About(
        id=501,
        title="By exporter",
        unit="short",
        shows="Whether the project is up, as each exporter that watches it says.",
        good="One row, green; two only while one hands it over to the other.",
        act="Two that go on and differ: one of them cannot reach the project.",
        empty="nobody looks",
        runbook="ExporterNotProbing",
    )
    expr = f'max by (instance) (project_up{{{SCOPE}, instance=~"$instance"}})'
    return status_history(about, [query(expr, "{{instance}}")], Look(words=state.REACHED))


def _held() -> Panel:
    about = About(
        id=503,
        title="Repairs that are not tried any more",
        unit="short",
        shows="Actions on the project, red while they are held because they did not help.",
        good="Green, or no row: nothing had to be tried.",
        act="Repair it by hand, then let the action be tried again.",
        empty="nothing was tried",
        runbook="WebhookBreakerOpen",
    )
    expr = f"max by (action) (webhook_breaker_open{{{SCOPE}}})"
    look = Look(words=state.HELD, links=(_REPAIRS,))
    return state_timeline(about, [query(expr, "{{action}}")], look)
