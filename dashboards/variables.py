"""Variables: what whoever looks can choose, alike on every dashboard, so that links carry it on."""

from typing import Final

from grafanalib import core

from dashboards.panels import DATASOURCE

WEBHOOK: Final = "http://127.0.0.1:4001"  # as a browser reaches it
SCOPE: Final = 'project=~"$project", client=~"$client"'  # the matchers of what is chosen
ON_TIME_CHANGE: Final = 2  # Grafana's code: values are asked for again when the time is changed

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


def webhook(url: str) -> core.Template:
    """Return where the webhook's own pages are.

    A constant, which no address can change: a link that somebody sends must not be able to show
    these dashboards with approvals that lead elsewhere.
    """
    return core.Template(
        name="webhook",
        label="Webhook",
        type="constant",
        query=url,
        default=url,
        hide=core.HIDE_VARIABLE,
    )
