"""Guards: what holds repairs back, of which projects, and since when."""

from dashboards import limits, links
from dashboards.events import count, events
from dashboards.layout import Band, band
from dashboards.limits import BLUE, GREEN, RED
from dashboards.look import About, Look, Word
from dashboards.panels import Panel, bargauge, now, query, state_timeline


def guards() -> tuple[Band, ...]:
    """Return what is held back now, and what was."""
    return (band(9, (5, _holding()), (6, _holds()), (8, _breakers()), (5, _maintenance())),)


def _holding() -> Panel:
    about = About(
        id=21,
        title="Held back now",
        unit="short",
        shows="Open incidents in which nothing is done for now, by the guard that says so. Of all"
        " projects.",
        good="0; `kill_switch`, `hold` and `maintenance` are somebody's choice.",
        act="`orchestrator status` tells who chose it; the others end by themselves.",
        empty="the webhook does not answer",
    )
    expr = "max by (guard) (webhook_guard_holding)"
    return bargauge(about, [now(expr, "{{guard}}")], Look(steps=limits.WAITING, low=0, decimals=0))


def _holds() -> Panel:
    about = About(
        id=22,
        title="Held back",
        unit="short",
        shows="How often a guard began to hold an incident, of all projects: each bar is a minute"
        " or more.",
        good="Few; `cooldown` and `concurrency` are usual where much is repaired.",
        act="Where `dry_run` or `observe` is unexpected, look at the mode of the project.",
        empty="no guard held anything",
    )
    return events(about, [count("webhook_guard_holds_total", "guard", "{{guard}}")])


def _breakers() -> Panel:
    about = About(
        id=23,
        title="Actions that are not tried any more",
        unit="short",
        shows="Which action did not help twice in a row on which project, and so rests.",
        good="Green, or nothing.",
        act="Repair the project by hand; the action is tried again after its time.",
        empty="nothing was tried",
        runbook="WebhookBreakerOpen",
    )
    expr = 'max by (project, action) (webhook_breaker_open{project=~"$project"})'
    words = (Word("0", "is tried", GREEN), Word("1", "rests", RED))
    look = Look(words=words, links=(links.of_curve("The project", links.PROJECT),))
    return state_timeline(about, [query(expr, "{{project}}: {{action}}")], look)


def _maintenance() -> Panel:
    about = About(
        id=24,
        title="Maintenance",
        unit="short",
        shows="Projects that were in maintenance: no alert about them, and no repair.",
        good="Only what somebody works on.",
        act="End it with `orchestrator maintenance end` where it was forgotten.",
        empty="no project was in maintenance",
    )
    expr = 'max by (project) (orchestrator_project_maintenance{project=~"$project"}) == 1'
    look = Look(
        words=(Word("1", "maintenance", BLUE),),
        links=(links.of_curve("The project", links.PROJECT),),
    )
    return state_timeline(about, [query(expr, "{{project}}")], look)
