"""Annotations: what happened, as marks on every curve; each kind can be switched off."""

from typing import Final

from dashboards.look import Json
from dashboards.panels import DATASOURCE

STEP: Final = "60s"  # marks of one kind are no closer than this


def mark(
    name: str, expr: str, *, color: str, title: str, text: str = "", enable: bool = True
) -> Json:
    """Return a kind of marks: one wherever *expr* has a value, told by *title* and *text*."""
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": enable,
        "hide": False,
        "iconColor": color,
        "target": {"expr": expr, "interval": STEP, "refId": "Anno"},
        "titleFormat": title,
        "textFormat": text,
        "useValueForTime": False,
    }


def risen(metric: str, by: str) -> str:
    """Return how much the counter *metric* has risen since the mark before, where it has.

    Not `increase`, which sees no rise from one window to the next, and extrapolates; a series that
    is new counts from 0.
    """
    total = f"sum by ({by}) ({metric})"
    return f"({total} - (sum by ({by}) ({metric} offset $__interval) or {total} * 0)) > 0"


ACTIONS: Final = mark(
    "Actions",
    risen("webhook_actions_total", "action"),
    color="blue",
    title="{{action}}",
    text="The webhook began this action.",
)
FAILED_ACTIONS: Final = mark(
    "Failed actions",
    risen("webhook_actions_failed_total", "action"),
    color="red",
    title="{{action}} failed",
    text="The action failed, or did not help.",
)
_DEPLOYED: Final = 'project_deployed_timestamp_seconds{project=~"$project"}'
DEPLOYMENTS: Final = mark(
    "Deployments",
    f"max by (project) ({_DEPLOYED}) > max by (project) ({_DEPLOYED} offset $__interval)",
    color="purple",
    title="{{project}} was deployed",
)
ALERTS: Final = mark(
    "Alerts",
    'max by (alertname, project) (ALERTS{alertstate="firing", alertname!="Watchdog", '
    'project=~"$project"})',
    color="orange",
    title="{{alertname}}",
    text="{{project}}",
)
MAINTENANCE: Final = mark(
    "Maintenance",
    'max by (project) (orchestrator_project_maintenance{project=~"$project"}) == 1',
    color="text",
    title="{{project}} is in maintenance",
)
RELOADS: Final = mark(
    "Configuration",
    "max(webhook_config_last_reload_success_timestamp_seconds) "
    "> max(webhook_config_last_reload_success_timestamp_seconds offset $__interval)",
    color="yellow",
    title="The webhook read its configuration anew",
    enable=False,
)
