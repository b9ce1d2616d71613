"""The figures of the fleet: whether a look is enough, or somebody has to go on reading."""

from typing import Final

from dashboards import limits, links
from dashboards.look import About, Look
from dashboards.panels import Panel, now, stat
from dashboards.variables import SCOPE

# Alerts about ourselves have no project; they are shown unless a client is chosen.
FIRING: Final = (
    'alertname!="Watchdog", severity=~"$severity", project=~"$project|", client=~"$client"'
)
_SLO: Final = links.drill("Budgets", links.SLO, "client", "project")
_REPAIRS: Final = links.drill("Repairs", links.REMEDIATION)
_INSIDE: Final = links.drill("Internals", links.INTERNALS)


def figures() -> tuple[tuple[int, Panel], ...]:
    """Return the panels, each with its width: 24 columns together."""
    return (
        (2, _up()),
        (2, _down()),
        (3, _firing(3, "critical", limits.ANY)),
        (3, _firing(4, "warning", limits.above(orange=1))),
        (3, _approvals()),
        (3, _incidents()),
        (3, _helped()),
        (3, _burning()),
        (2, _looked()),
    )


def _up() -> Panel:
    about = About(
        id=1,
        title="Up",
        unit="short",
        shows="Projects that answer for themselves.",
        good="As many as there are.",
        act="See which one is down, at the right of this.",
        empty="no project",
        runbook="ProjectDown",
    )
    return stat(about, [now(f"sum(max by (project) (project_up{{{SCOPE}}}))", "up")], Look())


def _down() -> Panel:
    about = About(
        id=2,
        title="Down",
        unit="short",
        shows="Projects that failed two looks in a row, or never answered one.",
        good="0.",
        act="Open the project in the table; the webhook tries to restart it where it may.",
        empty="no project",
        runbook="ProjectDown",
    )
    up = f"max by (project) (project_up{{{SCOPE}}})"
    expr = f"count({up}) - sum({up})"
    return stat(about, [now(expr, "down")], Look(steps=limits.ANY))


def _firing(number: int, severity: str, steps: limits.Steps) -> Panel:
    about = About(
        id=number,
        title=f"Alerts, {severity}",
        unit="short",
        shows=f"Alerts that fire now with the severity {severity}.",
        good="0.",
        act="Read the table of alerts, the oldest first.",
        empty="no alert",
    )
    matchers = f'alertstate="firing", severity="{severity}", {FIRING}'
    expr = f"count(max by (alertname, project) (ALERTS{{{matchers}}})) or vector(0)"
    return stat(about, [now(expr, severity)], Look(steps=steps))


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
    return stat(about, [now("sum(webhook_approvals_waiting)", "waiting")], look)


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
    return stat(about, [now("sum(webhook_incidents_open)", "open")], look)


def _helped() -> Panel:
    about = About(
        id=7,
        title="Actions that helped, 24 h",
        unit="percentunit",
        shows="The share of the actions of the last 24 hours that did what they were meant to.",
        good="Most of them.",
        act="See which action fails, and on what, in Repairs.",
        empty="no action",
        runbook="WebhookBreakerOpen",
    )
    failed = "sum(increase(webhook_actions_failed_total[24h]))"
    expr = f"1 - {failed} / (sum(increase(webhook_actions_total[24h])) > 0)"
    look = Look(steps=limits.below(red=0.5, orange=0.8), decimals=0, links=(_REPAIRS,))
    return stat(about, [now(expr, "helped")], look)


def _burning() -> Panel:
    about = About(
        id=8,
        title="Budgets that burn",
        unit="short",
        shows="Projects for which an alert about their error budget fires.",
        good="0.",
        act="Open Budgets: how fast does it burn, and how long will it last?",
        empty="no alert",
        runbook="ProjectErrorBudgetBurnFast",
    )
    matchers = f'alertname=~"ProjectErrorBudgetBurn.+", alertstate="firing", {SCOPE}'
    expr = f"count(max by (project) (ALERTS{{{matchers}}})) or vector(0)"
    return stat(about, [now(expr, "burning")], Look(steps=limits.ANY, links=(_SLO,)))


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
