"""Internals: whether what we see and what is done can be trusted, or we are unwell ourselves."""

import attr
from grafanalib import core

from dashboards import annotations, links, variables
from dashboards.internals_exporter import exporter
from dashboards.internals_figures import figures
from dashboards.internals_process import process
from dashboards.internals_stack import alertmanager, prometheus
from dashboards.internals_webhook import receiving, working
from dashboards.layout import Section
from dashboards.variables import Places
from dashboards.whole import whole


def _carried(choice: core.Template) -> core.Template:
    """Return it hidden: no panel here is of one project, but links carry the choice on."""
    return attr.evolve(choice, hide=core.HIDE_VARIABLE)


def internals(places: Places) -> core.Dashboard:
    """Return the dashboard of our own programs, and of those that they depend on."""
    return whole(
        links.INTERNALS,
        "Internals",
        "Can what we see and what is done be trusted, or is the orchestrator itself unwell?",
        (
            Section(bands=(*figures(), *receiving())),
            working(),
            exporter(),
            prometheus(),
            alertmanager(),
            process(),
        ),
        choices=[_carried(variables.CLIENT), _carried(variables.PROJECTS)],
        marks=[annotations.ACTIONS, annotations.RELOADS],
        places=places,
    )
