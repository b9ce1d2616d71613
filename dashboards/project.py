"""A project: what it suffers from, and since when."""

from typing import Final

from grafanalib import core

from dashboards import annotations, limits, links, project_curves, state, variables, waiting
from dashboards.layout import Section, band
from dashboards.look import About, Column, Look, Order
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
from dashboards.variables import Places
from dashboards.whole import whole

SCOPE: Final = 'project="$project"'
_SLO: Final = links.drill("Its budget", links.SLO, "project")
_REPAIRS: Final = links.drill("Repairs", links.REMEDIATION, "project")
_FLEET: Final = links.drill("The fleet", links.FLEET)
_ITS_INCIDENTS: Final = links.page(
    "Its incidents", "/incidents?state=all&project=${project:percentencode}"
)


# Of one folded panel alone.
_EXPORTERS: Final = variables.choice(
    "instance", "Exporter", 'label_values(project_up{project="$project"}, instance)'
)


def project(places: Places) -> core.Dashboard:
    """Return the view of one project, in which its name is the only thing to choose."""
    return whole(
        links.PROJECT,
        "Project",
        "What does this project suffer from, since when, and what was done?",
        (
            Section(
                bands=(
                    band(4, *_figures()),
                    band(6, (11, _state()), (13, _alerts())),
                    band(
                        6,
                        (7, _done()),
                        (6, waiting.questions(11, of_one=True)),
                        (7, waiting.incidents(12, of_one=True)),
                        (4, _release()),
                    ),
                )
            ),
            *project_curves.sections(SCOPE),
            Section(
                id=500,
                title="Raw figures",
                is_folded=True,
                bands=(
                    band(9, (8, _probes()), (8, project_curves.reads(SCOPE)), (8, _held())),
                    band(9, (24, project_curves.failures(SCOPE))),
                ),
            ),
        ),
        choices=[
            variables.CLIENT,
            variables.PROJECT,
            variables.hidden(_EXPORTERS),
        ],
        marks=annotations.OF_PROJECTS,
        places=places,
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
    return stat(about, [now(state.worst(SCOPE), "state")], look)


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
        good="At least its objective, beside it.",
        act="See the states: one long outage, or many short ones?",
        empty="nobody looked",
        runbook="ProjectDown",
    )
    queries = [
        now(state.uptime(SCOPE), "up"),
        now(f"max by (project) (project_slo_objective_ratio{{{SCOPE}}})", "objective"),
    ]
    return stat(about, queries, Look(decimals=2, links=(_SLO,)))


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
    expr = state.budget_left(SCOPE)
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
        unit="dtdhms",
        shows="How long ago the release that runs was deployed.",
        good="Whatever was planned.",
        act="Where trouble began right after it, roll it back.",
        empty="it does not say",
        runbook="ProjectDeploymentFailed",
    )
    # While it is down it does not say so, and just then it matters.
    said = f"last_over_time(project_deployed_timestamp_seconds{{{SCOPE}}}[$__range])"
    expr = f"time() - max by (project) ({said} > 0)"
    return stat(about, [now(expr, "ago")], Look())


def _state() -> Panel:
    about = About(
        id=7,
        title="States",
        unit="short",
        shows="The state of the project over the time; a gap is where nobody looked.",
        good="One long green band; an outage is red, however short it was.",
        act="Compare with the marks: what was done, or deployed, just before?",
        empty="nobody looks",
        runbook="ProjectFlapping",
    )
    look = Look(words=state.WORDS, links=(_ITS_INCIDENTS,))
    return state_timeline(about, [query(state.over_time(SCOPE), "{{project}}")], look)


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
    firing, pending = (
        annotations.at_any_time(f'ALERTS{{alertstate="{word}", {SCOPE}}}')
        for word in ("firing", "pending")
    )
    expr = f"max by (alertname) (({firing}) * 2 or {pending})"
    look = Look(words=state.PAGING, links=(_ITS_INCIDENTS,))
    return state_timeline(about, [query(expr, "{{alertname}}")], look)


def _done() -> Panel:
    about = About(
        id=10,
        title="What was done",
        unit="s",
        shows="When the webhook last began each action on the project, and when one last ended so.",
        good="Nothing, or an end that is proven after each begin.",
        act="Click for its incidents: why, by whose word, and what came of it.",
        empty="nothing was done",
        runbook="WebhookBreakerOpen",
    )
    columns = (
        Column(of="action", title="Action", look=Look(links=(_ITS_INCIDENTS,))),
        Column(of="result", title="Result", look=Look(words=state.OF_ACTIONS), width=90),
        Column(of="A", title="Ago", unit="dtdhms", width=110),
    )
    newest = f"max by (action, result) (webhook_action_timestamp_seconds{{{SCOPE}}})"
    order = (Order("Ago", is_rising=True),)
    return table(about, [rows(f"time() - {newest}")], columns, order=order)


def _release() -> Panel:
    about = About(
        id=9,
        title="Release",
        unit="string",
        shows="The release that runs, or ran last, and what may be done to it without a human.",
        good="The release that you expect; act, where repairs are wanted.",
        act="Set the mode in orchestrator.yml.",
        empty="nobody looks",
    )
    columns = (
        Column(of="version", title="Release"),
        Column(of="mode", title="Mode", width=90),
    )
    # While it is down it does not say its version: then the one that it said last.
    told = f'max_over_time(timestamp(project_info{{{SCOPE}, version!=""}})[$__range:$__interval])'
    never = f'project_info{{{SCOPE}, version=""}} * 0'
    expr = f"topk(1, max by (version, mode) ({told} or {never}))"
    return table(about, [rows(expr)], columns)


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
