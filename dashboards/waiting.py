"""Waiting: each question to people and each incident that has not ended, with the way to it."""

from typing import Final

from dashboards import links, state
from dashboards.look import About, Column, Look
from dashboards.panels import Panel, rows, table

_SHOWN: Final = 'project=~"$project"'
_PROJECT: Final = Column(
    of="project",
    title="Project",
    look=Look(links=(links.of_cell("The project", links.PROJECT, "Project"),)),
)
_FOR: Final = Column(of="A", title="For", unit="dtdhms", width=100)


def _project(*, of_one: bool) -> tuple[Column, ...]:
    return () if of_one else (_PROJECT,)


def questions(number: int, *, of_one: bool = False) -> Panel:
    """Return the table of the questions, as the panel with the id *number*; *of_one* project."""
    about = About(
        id=number,
        title="Questions to people",
        unit="s",
        shows="What may be done to which project if somebody says yes, and since when that is"
        " asked; the newest 50.",
        good="Nothing.",
        act="Click the number, read the question, and answer it: its page says how.",
        empty="nobody is asked",
        runbook="ApprovalRequired",
    )
    to_page = links.page("The question", "/approvals/${__data.fields.Question}")
    columns = (
        Column(of="approval", title="Question", look=Look(links=(to_page,)), width=90),
        *_project(of_one=of_one),
        Column(of="action", title="Action", look=Look(links=(to_page,))),
        _FOR,
    )
    asked = f"webhook_approval_asked_timestamp_seconds{{{_SHOWN}}}"
    expr = f"time() - max by (approval, project, action) ({asked})"
    return table(about, [rows(expr)], columns, order="For")


def incidents(number: int, *, of_one: bool = False) -> Panel:
    """Return the table of the incidents, as the panel with the id *number*; *of_one* project."""
    about = About(
        id=number,
        title="Open incidents",
        unit="s",
        shows="Which projects have trouble that has not ended, since when, and how far the repair"
        " of it is; the newest 50.",
        good="Nothing, or what is still young.",
        act="Click the number for what is known and what was tried. `escalated` is for people.",
        empty="no incident",
        runbook="EscalationRequired",
    )
    to_page = links.page("The incident", "/incidents/${__data.fields.Incident}")
    words = Look(words=state.OF_INCIDENTS, links=(to_page,))
    columns = (
        Column(of="incident", title="Incident", look=Look(links=(to_page,)), width=90),
        *_project(of_one=of_one),
        Column(of="state", title="State", look=words, width=150),
        _FOR,
    )
    opened = f"webhook_incident_opened_timestamp_seconds{{{_SHOWN}}}"
    expr = f"time() - max by (incident, project, state) ({opened})"
    return table(about, [rows(expr)], columns, order="For")
