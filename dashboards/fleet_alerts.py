"""The alerts of the fleet: what fires, since when, and where each leads."""

from typing import Final

from dashboards import links, state
from dashboards.fleet_figures import FIRING
from dashboards.look import About, Column, Link, Look, Order
from dashboards.panels import Panel, rows, table
from dashboards.variables import Places

# What an alert is about beside a project, in one label: "-" where it is about nothing else.
_ABOUT: Final = ("stage", "action", "model", "reason", "instance")


def firing(places: Places) -> Panel:
    """Return the table of the alerts, with links to the runbooks where *places* knows of them."""
    about = About(
        id=14,
        title="Firing alerts",
        unit="s",
        shows="What fires, since when. Without a project it is about one of our own programs; such"
        " alerts are left out as soon as a client is chosen.",
        good="Nothing.",
        act="Click the alert for its runbook, for Alertmanager or to silence it, or the project."
        " The runbook is docs/runbooks/<alert>.md.",
        empty="nothing fires",
    )
    order = (Order("Severity", is_rising=True), Order("For"))
    return table(about, [rows(_since())], _columns(places), order=order)


def _since() -> str:
    """Return how long each has fired: the first of several, that are alike in what is shown."""
    firing_now = (
        f'ALERTS_FOR_STATE{{severity=~"$severity", {FIRING}}}'
        ' and ignoring (alertstate) ALERTS{alertstate="firing"}'
    )
    labels = ", ".join(f'"{label}"' for label in _ABOUT)
    joined = f'label_join({firing_now}, "what", " ", {labels})'
    trimmed = f'label_replace({joined}, "what", "$1", "what", " *(.*?) *")'
    told = f'label_replace({trimmed}, "what", "-", "what", "")'
    return f"time() - min by (alertname, severity, project, what) ({told})"


def _columns(places: Places) -> tuple[Column, ...]:
    severity = Look(words=state.SEVERITIES)
    to_project = Look(links=(links.of_cell("The project", links.PROJECT, "Project"),))
    return (
        Column(of="alertname", title="Alert", look=Look(links=_ways(places))),
        Column(of="severity", title="Severity", look=severity, width=80),
        Column(of="project", title="Project", look=to_project, width=110),
        Column(of="what", title="What", width=110),
        Column(of="A", title="For", unit="dtdhms", width=90),
    )


def _ways(places: Places) -> tuple[Link, ...]:
    alert, project = "${__data.fields.Alert}", "${__data.fields.Project}"
    runbook = links.runbook(alert) if places.runbooks else ()
    return (
        *runbook,
        links.alertmanager("Alertmanager", "/alerts", alertname=alert),
        links.alertmanager("Silence it", "/silences/new", alertname=alert, project=project),
    )
