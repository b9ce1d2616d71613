"""Variables: what whoever looks can choose, alike on every dashboard, so that links carry it on."""

from dataclasses import dataclass
from typing import Final

import attr
from grafanalib import core

from dashboards.panels import DATASOURCE

SCOPE: Final = 'project=~"$project", client=~"$client"'  # the matchers of what is chosen
ON_TIME_CHANGE: Final = 2  # Grafana's code: values are asked for again when the time is changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a browser finds what is no dashboard. Runbooks without a place have no links."""

    webhook: str = "http://127.0.0.1:4001"
    alertmanager: str = "http://127.0.0.1:9093"
    runbooks: str = ""


DATASOURCE_CHOICE: Final = core.Template(
    name="datasource", label="Data source", type="datasource", query="prometheus"
)


def choice(
    name: str,
    label: str,
    query: str,
    *,
    of_all: str | None = ".+",
    is_many: bool = True,
) -> core.Template:
    """Return a variable of the label values that *query* finds; *of_all* stands for all of them.

    With None there is no choice of all, and with only one at a time none of many.
    """
    return core.Template(
        name=name,
        label=label,
        query={"query": query, "refId": name},
        dataSource=DATASOURCE,
        refresh=ON_TIME_CHANGE,
        includeAll=of_all is not None,
        allValue=of_all,
        multi=is_many,
        default=None if of_all is None else "$__all",
    )


def hidden(variable: core.Template) -> core.Template:
    """Return *variable* for links to carry on, where nothing that is seen depends on it."""
    return attr.evolve(variable, hide=core.HIDE_VARIABLE)


# A free label: a project need not have it, and then only "all" shows the project.
CLIENT: Final = choice("client", "Client", "label_values(project_info, client)", of_all=".*")
PROJECTS: Final = choice(
    "project", "Project", 'label_values(project_info{client=~"$client"}, project)'
)
PROJECT: Final = choice(
    "project",
    "Project",
    'label_values(project_info{client=~"$client"}, project)',
    of_all=None,
    is_many=False,
)


def constants(places: Places) -> list[core.Template]:
    """Return *places* as variables, those that are known.

    Constants, which no address can change: a link that somebody sends must not be able to show
    these dashboards with approvals that lead elsewhere.
    """
    named = (
        ("webhook", "Webhook", places.webhook),
        ("alertmanager", "Alertmanager", places.alertmanager),
        ("runbooks", "Runbooks", places.runbooks),
    )
    return [_constant(name, label, url) for name, label, url in named if url]


def _constant(name: str, label: str, url: str) -> core.Template:
    return core.Template(
        name=name,
        label=label,
        type="constant",
        query=url,
        default=url,
        hide=core.HIDE_VARIABLE,
    )
