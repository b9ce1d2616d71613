"""The figures of the fleet: whether a look is enough, or somebody has to go on reading."""

from typing import Final

from dashboards import limits, links, state
from dashboards.look import About, Look, Sizes
from dashboards.panels import Panel, now, stat
from dashboards.variables import SCOPE

# Alerts about ourselves have no project; they are shown unless a client is chosen.
FIRING: Final = 'alertname!="Watchdog", project=~"$project|", client=~"$client"'
_TWO: Final = Sizes(name=12, value=26)  # figures in one panel
_SLO: Final = links.drill("Budgets", links.SLO, "project")
_REPAIRS: Final = links.drill("Repairs", links.REMEDIATION, "project")
_INSIDE: Final = links.drill("Internals", links.INTERNALS)


def figures() -> tuple[tuple[int, Panel], ...]:
    """Return the panels, each with its width."""
    panels = (
        _projects(),
        _firing(),
        _escalated(),
        _approvals(),
        _incidents(),
        _helped(),
        _burning(),
        _looked(),
    )
    return tuple((3, panel) for panel in panels)


def _projects() -> Panel:
    about = About(
        id=1,
        title="Up and down",
        unit="short",
        shows="How many projects are up, and how many down: two looks in a row failed. One that is"
        " in maintenance is neither.",
        good="All are up.",
        act="Open the one that is down in the table; the webhook restarts it where it may.",
        empty="no project",
        runbook="ProjectDown",
    )
    state_now = state.worst(SCOPE)
    up = f"count({state_now} < 3) or 0 * count({state_now})"
    down = f"count({state_now} == 3) or 0 * count({state_now})"
    own = {"down": Look(steps=limits.ANY)}
    return stat(
        about, [now(up, "up"), now(down, "down")], Look(steps=limits.UP), own=own, sizes=_TWO
    )


def _firing() -> Panel:
    about = About(
        id=3,
        title="Alerts",
        unit="short",
        shows="Alerts that fire now, the critical ones and the warnings, whichever severity is"
        " chosen above.",
        good="0.",
        act="Read the table of alerts, from the top.",
        empty="no alert",
    )
    queries = [now(_alerts("critical"), "critical"), now(_alerts("warning"), "warning")]
    own = {"warning": Look(steps=limits.above(orange=1))}
    return stat(about, queries, Look(steps=limits.ANY), own=own, sizes=_TWO)


def _alerts(severity: str) -> str:
    matchers = f'alertstate="firing", severity="{severity}", {FIRING}'
    return f"count(max by (alertname, project) (ALERTS{{{matchers}}})) or vector(0)"


def _escalated() -> Panel:
    about = About(
        id=18,
        title="Escalated",
        unit="short",
        shows="What the webhook has handed to people, because it could not or may not repair it.",
        good="0.",
        act="Click, and take one on: nothing else will be tried. It is no alert of Prometheus.",
        empty="no webhook",
        runbook="EscalationRequired",
    )
    expr = 'sum(max by (kind) (webhook_pages_open{kind!="approval"}))'
    look = Look(steps=limits.ANY, links=(links.INCIDENTS, _REPAIRS))
    return stat(about, [now(expr, "escalated")], look)


def _approvals() -> Panel:
    about = About(
        id=5,
        title="Approvals waiting",
        unit="short",
        shows="Questions of the webhook that nobody has answered yet.",
        good="0.",
        act="Click, and answer: until somebody decides, nothing is done.",
        empty="no webhook",
        runbook="ApprovalRequired",
    )
    look = Look(steps=limits.WAITING, links=(links.APPROVALS, _REPAIRS))
    return stat(about, [now("max(webhook_approvals_waiting)", "waiting")], look)


def _incidents() -> Panel:
    about = About(
        id=6,
        title="Incidents",
        unit="short",
        shows="Incidents that have not ended, in whatever state.",
        good="0, or falling.",
        act="Click for what is known of each one, and what was done.",
        empty="no webhook",
        runbook="EscalationRequired",
    )
    look = Look(steps=limits.WAITING, links=(links.INCIDENTS, _REPAIRS))
    return stat(about, [now("sum(max by (state) (webhook_incidents_open))", "open")], look)


def _helped() -> Panel:
    about = About(
        id=7,
        title="Actions helped",
        unit="percentunit",
        shows="The share of the actions of the last 24 hours that did what they were meant to. Of"
        " all projects.",
        good="Most of them.",
        act="See which action fails, and on what, in Repairs.",
        empty="no action",
        runbook="WebhookBreakerOpen",
    )
    failed = "sum(increase(webhook_actions_failed_total[24h]))"
    expr = f"1 - {failed} / (sum(increase(webhook_actions_total[24h])) > 0)"
    look = Look(steps=limits.HELPED, decimals=0, links=(_REPAIRS,))
    return stat(about, [now(expr, "helped")], look)


def _burning() -> Panel:
    about = About(
        id=8,
        title="Budgets that burn",
        unit="short",
        shows="Projects for which an alert about their error budget fires: of one that burns fast,"
        " and of one that burns slowly.",
        good="0.",
        act="Open Budgets: how fast does it burn, and how long will it last?",
        empty="no alert",
        runbook="ProjectErrorBudgetBurnFast",
    )
    own = {"slowly": Look(steps=limits.above(orange=1))}
    queries = [now(_burn("Fast"), "fast"), now(_burn("Slow"), "slowly")]
    return stat(about, queries, Look(steps=limits.ANY, links=(_SLO,)), own=own, sizes=_TWO)


def _burn(how: str) -> str:
    matchers = f'alertname="ProjectErrorBudgetBurn{how}", alertstate="firing", {SCOPE}'
    return f"count(max by (project) (ALERTS{{{matchers}}})) or vector(0)"


def _looked() -> Panel:
    about = About(
        id=9,
        title="Last look",
        unit="s",
        shows="How long ago the exporter that is furthest behind last went through its projects.",
        good="Seconds: it goes round all the time.",
        act="What is shown here is then as old; see whether the exporter runs, in Internals.",
        empty="no exporter",
        runbook="ExporterNotProbing",
    )
    look = Look(steps=limits.above(orange=30, red=60), decimals=0, links=(_INSIDE,))
    return stat(about, [now("time() - min(exporter_last_tick_timestamp_seconds)", "ago")], look)
