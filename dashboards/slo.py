"""SLO: whether each project is up for as much of the time as it has to be, and what is left."""

from typing import Final

from grafanalib import core

from dashboards import annotations, limits, links, state, variables
from dashboards.layout import Section, band
from dashboards.limits import NEUTRAL
from dashboards.look import About, Column, Look, Order
from dashboards.panels import Panel, now, query, rows, stat, table, timeseries
from dashboards.slo_burn import burning, windows
from dashboards.variables import SCOPE, Places
from dashboards.whole import whole

_YOUNG: Final = "no figures yet; the first come after five minutes"
_LEFT: Final = state.budget_left(SCOPE)
_PROJECT: Final = links.of_curve("The project", links.PROJECT)


def slo(places: Places) -> core.Dashboard:
    """Return the dashboard of objectives and error budgets."""
    return whole(
        links.SLO,
        "SLO",
        "Is each project up for as much of the time as it has to be, and how long will that last?",
        (
            Section(
                bands=(
                    band(4, (6, _least()), (6, _overdrawn()), (6, _fast()), (6, _slow())),
                    band(8, (24, _all())),
                    band(8, (12, _budget()), (12, _uptime())),
                    *burning(),
                )
            ),
            windows(),
        ),
        choices=[variables.CLIENT, variables.PROJECTS],
        marks=[
            annotations.DEPLOYMENTS,
            annotations.ACTIONS,
            annotations.FAILED_ACTIONS,
            annotations.MAINTENANCE,
            annotations.ALERTS,
        ],
        since="now-2d",
        places=places,
    )


def _least() -> Panel:
    about = About(
        id=1,
        title="Least budget left",
        unit="percentunit",
        shows="Of the error budget of 30 days, what the worst project has left. 1 is all of it.",
        good="More than half.",
        act="Find it in the table, and release nothing risky there; below 0 it is overdrawn.",
        empty=_YOUNG,
        runbook="ProjectErrorBudgetBurnSlow",
    )
    return stat(about, [now(f"min({_LEFT})", "worst")], Look(steps=limits.BUDGET, decimals=0))


def _overdrawn() -> Panel:
    about = About(
        id=2,
        title="Objectives missed",
        unit="short",
        shows="Projects that were down for longer in 30 days than they may be.",
        good="0.",
        act="Find them at the top of the table, and repair what takes them down.",
        empty=_YOUNG,
        runbook="ProjectUnstable",
    )
    expr = f"sum({_LEFT} < bool 0)"
    return stat(about, [now(expr, "missed")], Look(steps=limits.ANY, decimals=0))


def _firing(number: int, alert: str, title: str, steps: limits.Steps) -> Panel:
    about = About(
        id=number,
        title=title,
        unit="short",
        shows=f"Projects of which `{alert}` fires.",
        good="0.",
        act="Open the project, and see what takes it down.",
        empty="0",
        runbook=alert,
    )
    expr = f'count(ALERTS{{alertname="{alert}", alertstate="firing", {SCOPE}}}) or vector(0)'
    return stat(about, [now(expr, "projects")], Look(steps=steps, decimals=0))


def _fast() -> Panel:
    return _firing(3, "ProjectErrorBudgetBurnFast", "Burn fast", limits.ANY)


def _slow() -> Panel:
    return _firing(4, "ProjectErrorBudgetBurnSlow", "Burn slowly", limits.above(orange=1))


_COLUMNS: Final = (
    ("A", "Objective", "percentunit", Look(decimals=2)),
    ("B", "Up, 30 days", "percentunit", Look(decimals=2)),
    ("C", "Budget left", "percentunit", Look(steps=limits.BUDGET, decimals=0)),
    ("D", "May still be down", "s", Look(steps=limits.below(red=0), decimals=1)),
    ("E", "Burn, 1 h", "short", Look(steps=limits.above(red=limits.BURN_FAST), decimals=1)),
    ("F", "Burn, 6 h", "short", Look(steps=limits.above(red=limits.BURN_QUICK), decimals=1)),
    ("G", "Burn, 1 d", "short", Look(steps=limits.above(orange=limits.BURN_SLOW), decimals=1)),
    ("H", "Burn, 3 d", "short", Look(steps=limits.above(orange=limits.BURN_SPENT), decimals=1)),
    ("I", "Looked at for", "s", Look(decimals=1)),
)


def _all() -> Panel:
    about = About(
        id=5,
        title="All objectives",
        unit="short",
        shows="Each project with the share of the time that it has to be up, and was; what is left"
        " of its budget, as a share and as time; how many times too fast that burns; and for how"
        " long of the 30 days somebody looked. The least budget comes first.",
        good="Budget left, and no burn above 1 for long.",
        act="Open a project. One that was looked at for a short time only says little yet.",
        empty=_YOUNG,
        runbook="ProjectErrorBudgetBurnSlow",
    )
    budget = f"project:error_budget:ratio{{{SCOPE}}}"
    burns = (f"project:error_budget_burn:ratio{window}" for window in ("1h", "6h", "1d", "3d"))
    looks = f"count_over_time(project:project_up:mean5m{{{SCOPE}}}[30d])"
    each = (
        f"max by (project) (project_slo_objective_ratio{{{SCOPE}}})",
        f"min by (project) (project:project_up:mean30d{{{SCOPE}}})",  # as with the budget
        _LEFT,
        f"{_LEFT} * on (project) (30 * 86400 * max by (project) ({budget}))",
        *(f"max by (project) ({burn}{{{SCOPE}}})" for burn in burns),
        f"300 * sum by (project) ({looks})",
    )
    look = Look(links=(links.of_cell("The project", links.PROJECT, "Project"),))
    columns = [
        Column(of="project", title="Project", look=look),
        *(Column(of=of, title=title, unit=unit, look=its) for of, title, unit, its in _COLUMNS),
    ]
    queries = [rows(expr) for expr in each]
    return table(
        about, queries, columns, by="project", order=[Order("Budget left", is_rising=True)]
    )


def _budget() -> Panel:
    about = About(
        id=6,
        title="Budget left",
        unit="percentunit",
        shows="Of the error budget of 30 days, over the time. A fall is an outage; it rises again"
        " as old outages leave the 30 days.",
        good="Above the lines.",
        act="A steep fall: what happened there? A slow one: see the burn below.",
        empty=_YOUNG,
        runbook="ProjectErrorBudgetBurnSlow",
    )
    look = Look(steps=limits.BUDGET, links=(_PROJECT,), high=1, decimals=0)
    return timeseries(about, [query(_LEFT, "{{project}}")], look, legend="right")


def _uptime() -> Panel:
    about = About(
        id=7,
        title="Up, of a day",
        unit="percentunit",
        shows="The share of the last day that each project was up, its maintenance left out.",
        good="Above its objective; the dashed lines are the lowest and the highest of them.",
        act="Less on each day than on the one before: look for what gets worse.",
        empty=_YOUNG,
        runbook="ProjectUnstable",
    )
    wanted = f"max by (project) (project_slo_objective_ratio{{{SCOPE}}})"
    lines = [f"{each} objective" for each in ("lowest", "highest")]
    queries = [
        query(f"min by (project) (project:project_up:mean1d{{{SCOPE}}})", "{{project}}"),
        query(f"min({wanted})", lines[0]),
        query(f"max({wanted})", lines[1]),
    ]
    look = Look(steps=NEUTRAL, links=(_PROJECT,), high=1, decimals=1)
    return timeseries(about, queries, look, limits=lines, legend="right")
