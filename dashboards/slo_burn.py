"""Burn: how many times as fast as they may error budgets are used up, beside what fires."""

from typing import Final

from dashboards import limits, links
from dashboards.layout import Band, Section, band
from dashboards.limits import ORANGE, RED
from dashboards.look import About, Look, Word
from dashboards.panels import Panel, query, state_timeline, timeseries
from dashboards.variables import SCOPE

_YOUNG: Final = "no figures yet; the first come after five minutes"
_PROJECT: Final = links.of_curve("The project", links.PROJECT)
_WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
_FAST: Final = "ProjectErrorBudgetBurnFast"
_SLOW: Final = "ProjectErrorBudgetBurnSlow"


def burning() -> tuple[Band, ...]:
    """Return the four pairs of windows that the rules compare, and the alerts."""
    return (
        band(
            9,
            (6, _pair(11, ("5m", "1h"), limits.BURN_FAST, _FAST)),
            (6, _pair(12, ("30m", "6h"), limits.BURN_QUICK, _FAST)),
            (6, _pair(13, ("2h", "1d"), limits.BURN_SLOW, _SLOW)),
            (6, _pair(14, ("6h", "3d"), limits.BURN_SPENT, _SLOW)),
        ),
        band(9, (8, _alerts()), (8, _changes()), (8, _looks())),
    )


def windows() -> Section:
    """Return each window by itself."""
    panels = [_window(21 + place, window) for place, window in enumerate(_WINDOWS)]
    return Section(
        id=120,
        title="Each window by itself",
        is_folded=True,
        bands=(
            band(9, *((6, each) for each in panels[:4])),
            band(9, *((8, each) for each in panels[4:])),
        ),
    )


def _of(window: str) -> str:
    return f"max by (project) (project:error_budget_burn:ratio{window}{{{SCOPE}}})"


def _pair(number: int, pair: tuple[str, str], factor: float, alert: str) -> Panel:
    """Return the lesser burn of both windows: the alert fires where it is above *factor*."""
    short, long = pair
    about = About(
        id=number,
        title=f"Burn of {short} and {long}",
        unit="short",
        shows=f"How many times as fast as it may the budget burns, by the lesser of {short} and"
        f" {long}, which the alert goes by.",
        good=f"Below {factor:g}, the line from which on people are told.",
        act="Open the project, and see what takes it down.",
        empty=_YOUNG,
        runbook=alert,
    )
    look = Look(steps=limits.above(red=factor), links=(_PROJECT,), low=0, decimals=1)
    lesser = f"({_of(short)} < {_of(long)}) or ({_of(long)} <= {_of(short)})"
    return timeseries(about, [query(lesser, "{{project}}")], look)


def _window(number: int, window: str) -> Panel:
    about = About(
        id=number,
        title=f"Burn of {window}",
        unit="short",
        shows=f"How many times as fast as it may the budget has burnt over {window}.",
        good="Below 1: then it lasts.",
        act="Compare with the shorter windows: does it go on?",
        empty=_YOUNG,
        runbook=_SLOW,
    )
    look = Look(steps=limits.BURN, links=(_PROJECT,), low=0, decimals=1)
    return timeseries(about, [query(_of(window), "{{project}}")], look)


def _firing(alert: str) -> str:
    """Return where it fires, also for less than a step; its rule speaks but once a minute."""
    firing = f'ALERTS{{alertname="{alert}", alertstate="firing", {SCOPE}}}'
    return f"({firing} or max_over_time({firing}[$__interval]))"


def _alerts() -> Panel:
    about = About(
        id=15,
        title="Alerts of budgets",
        unit="short",
        shows="When a budget burnt so fast that people were told.",
        good="Nothing.",
        act="Open the project at that time, and see what took it down.",
        empty="no budget burnt too fast",
        runbook=_FAST,
    )
    words = (Word("1", "burns slowly", ORANGE), Word("2", "burns fast", RED))
    expr = f"max by (project) (2 * {_firing(_FAST)} or {_firing(_SLOW)})"
    look = Look(words=words, links=(_PROJECT,))
    return state_timeline(about, [query(expr, "{{project}}")], look)


def _changes() -> Panel:
    about = About(
        id=17,
        title="Ups and downs of an hour",
        unit="short",
        shows="How often each project went down or came back within an hour: two for an outage.",
        good="0.",
        act="Many short outages burn as much as one long one: restarts do not last there.",
        empty=_YOUNG,
        runbook="ProjectFlapping",
    )
    expr = f"max by (project) (project:project_up:changes1h{{{SCOPE}}})"
    return timeseries(
        about, [query(expr, "{{project}}")], Look(low=0, decimals=0, links=(_PROJECT,))
    )


def _looks() -> Panel:
    about = About(
        id=16,
        title="Looks at projects",
        unit="short",
        shows="Quarters of a minute, of the last five minutes, in which somebody looked at least"
        " once, and no maintenance was all the time.",
        good="20, all the time.",
        act="Too few: no alert of a budget fires before forty minutes of looks, or half a day.",
        empty=_YOUNG,
        runbook="ExporterNotProbing",
    )
    expr = f"max by (project) (count_over_time(project:project_up:max{{{SCOPE}}}[5m]))"
    look = Look(low=0, decimals=0, links=(_PROJECT,))
    return timeseries(about, [query(expr, "{{project}}")], look)
