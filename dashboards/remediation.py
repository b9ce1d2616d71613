"""Remediation: what was done about trouble, whether it helped, and who decided it."""

from grafanalib import core

from dashboards import annotations, links, variables, waiting
from dashboards.layout import Section, band
from dashboards.remediation_answers import answers, evidence
from dashboards.remediation_calls import calls
from dashboards.remediation_figures import figures
from dashboards.remediation_guards import guards
from dashboards.remediation_people import people
from dashboards.remediation_repairs import latest, repairs, slowness
from dashboards.variables import Places
from dashboards.whole import whole


def remediation(places: Places) -> core.Dashboard:
    """Return the dashboard of repairs, and of the analyzer that may decide them."""
    return whole(
        links.REMEDIATION,
        "Remediation",
        "What was done about trouble, did it help, and who decided it?",
        (
            Section(
                bands=(
                    figures(),
                    band(7, (8, waiting.questions(15)), (8, waiting.incidents(16)), (8, latest())),
                    *repairs(),
                    *guards(),
                )
            ),
            people(),
            answers(),
            calls(),
            evidence(),
            slowness(),
        ),
        choices=[variables.CLIENT, variables.PROJECTS],
        marks=[
            annotations.ACTIONS,
            annotations.FAILED_ACTIONS,
            annotations.DEPLOYMENTS,
            annotations.MAINTENANCE,
            annotations.ALERTS,
            annotations.RELOADS,
        ],
        places=places,
    )
