"""Annotations: what happened, as marks on every curve; each kind can be switched off."""

from typing import Final

from dashboards.look import Json
from dashboards.panels import DATASOURCE

STEP: Final = "60s"  # marks of one kind are no closer than this


def mark(
    name: str,
    expr: str,
    *,
    color: str,
    title: str,
    text: str = "",
    enable: bool = True,
    is_minor: bool = False,
) -> Json:
    """Return a kind of marks: one wherever *expr* has a value, told by *title* and *text*.

    One that *is_minor* has no switch: more than four of them take a second line.
    """
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": enable,
        "hide": is_minor,
        "iconColor": color,
        "target": {"expr": expr, "interval": STEP, "refId": "Anno"},
        "titleFormat": title,
        "textFormat": text,
        "useValueForTime": False,
    }


def happened(time: str, *, known: int) -> str:
    """Return what is there at the one point after the moment *time* tells, a metric in seconds.

    The point is not before *known*, the seconds within which everybody knows of the moment. Unlike
    the rise of a counter, this neither begins anew with a program nor needs a time before.
    """
    return f"((time() - {known} - {time}) >= 0) < $__interval_ms / 1000"


def at_any_time(selector: str, when: str = "") -> str:
    """Return what was there since the point before, however short it was.

    Or now: rules that are evaluated each minute have no sample between points of 15 seconds.
    """
    return f"max_over_time({selector}[$__interval]{when}) or {selector}{when}"


def _newest(result: str) -> str:
    """Return when each action was last *result*; known after a scrape and a little more."""
    of = f'webhook_action_timestamp_seconds{{project=~"$project", result="{result}"}}'
    return happened(f"max by (project, action) ({of})", known=20)


ACTIONS: Final = mark(
    "Actions",
    _newest("begun"),
    color="blue",
    title="{{project}}: {{action}}",
    text="The webhook began this action.",
)
FAILED_ACTIONS: Final = mark(
    "Failed actions",
    _newest("failed"),
    color="red",
    title="{{project}}: {{action}} failed",
    text="The action failed, or did not help.",
    is_minor=True,
)
_DEPLOYED: Final = 'project_deployed_timestamp_seconds{project=~"$project"}'
# A project that is deployed may not answer for a while, and is then compared with what it said
# before that.
DEPLOYMENTS: Final = mark(
    "Deployments",
    f"max by (project) ({_DEPLOYED})"
    f" > max by (project) (last_over_time({_DEPLOYED}[1h] offset $__interval))",
    color="purple",
    title="{{project}} was deployed",
)
_FIRING: Final = 'ALERTS{alertstate="firing", alertname!="Watchdog", project=~"$project"}'
# That an alert began, not that it fires: stretches of many alerts would cover the curves.
ALERTS: Final = mark(
    "Alerts",
    f"max by (alertname, project) ({at_any_time(_FIRING)}) unless"
    f" max by (alertname, project) ({at_any_time(_FIRING, ' offset $__interval')})",
    color="orange",
    title="{{alertname}}",
    text="{{project}}",
)
MAINTENANCE: Final = mark(
    "Maintenance",
    'max by (project) (orchestrator_project_maintenance{project=~"$project"}) == 1',
    color="text",
    title="{{project}} is in maintenance",
    is_minor=True,
)
RELOADS: Final = mark(
    "Configuration",
    "max(webhook_config_last_reload_success_timestamp_seconds) "
    "> max(webhook_config_last_reload_success_timestamp_seconds offset $__interval)",
    color="yellow",
    title="The webhook read its configuration anew",
    enable=False,
)
OF_PROJECTS: Final = (ACTIONS, FAILED_ACTIONS, DEPLOYMENTS, MAINTENANCE, ALERTS)
