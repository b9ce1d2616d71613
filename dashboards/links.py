"""Links: from what is seen to where more of it is, with the choices and the time that are there."""

from typing import Final

from grafanalib import core

from dashboards.look import Link

TAG: Final = "orchestrator"
FLEET: Final = "orchestrator-fleet"
PROJECT: Final = "orchestrator-project"
REMEDIATION: Final = "orchestrator-remediation"
SLO: Final = "orchestrator-slo"
INTERNALS: Final = "orchestrator-internals"

# What every dashboard has to choose goes along with each link.
_CARRIED: Final = "${datasource:queryparam}&${__url_time_range}&${client:queryparam}"
_OF_CURVE: Final = "${__field.labels.project}"

# In the head of every dashboard: the others, as a list.
OTHERS: Final = core.DashboardLink(
    type="dashboards", title="Dashboards", tags=[TAG], asDropdown=True, includeVars=True
)


def drill(title: str, uid: str, *variables: str) -> Link:
    """Return a link to the dashboard *uid* that carries on *variables*, beside what each does."""
    carried = "".join(f"&${{{name}:queryparam}}" for name in variables)
    return Link(title=title, url=f"/d/{uid}?{_CARRIED}{carried}")


def of_cell(title: str, uid: str, field: str = "project") -> Link:
    """Return a link of a table's row to the dashboard *uid* of the project in that row."""
    return Link(title=title, url=f"/d/{uid}?{_CARRIED}&var-project=${{__data.fields.{field}}}")


def of_curve(title: str, uid: str) -> Link:
    """Return a link of a curve, a bar or a band to the dashboard *uid* of its project."""
    return Link(title=title, url=f"/d/{uid}?{_CARRIED}&var-project={_OF_CURVE}")


def page(title: str, path: str) -> Link:
    """Return a link to one of the webhook's own pages, where people are known by their tokens."""
    return Link(title=title, url=f"${{webhook:raw}}{path}", is_new_tab=True)


def runbook(alert: str) -> tuple[Link, ...]:
    """Return a link to the page of *alert*, in a tuple, for without a place there is none."""
    return (Link(title="Runbook", url=f"${{runbooks:raw}}/{alert}.md", is_new_tab=True),)


def alertmanager(title: str, path: str, **labels: str) -> Link:
    """Return a link to a page of Alertmanager about the alerts with *labels*."""
    matchers = "%2C".join(f"{name}%3D%22{value}%22" for name, value in labels.items())
    url = f"${{alertmanager:raw}}/#{path}?filter=%7B{matchers}%7D"
    return Link(title=title, url=url, is_new_tab=True)


APPROVALS: Final = page("Questions that wait for an answer", "/approvals?state=waiting")
INCIDENTS: Final = page("Incidents that have not ended", "/incidents?state=open")
