"""Remediation: what was done about trouble, whether it helped, and who decided it."""

from grafanalib import core

from dashboards import annotations, links, variables, waiting
from dashboards.layout import Section, band
from dashboards.remediation_answers import answers, evidence
from dashboards.remediation_calls import calls
from dashboards.remediation_figures import figures
from dashboards.remediation_guards import guards
from dashboards.remediation_repairs import repairs, slowness
from dashboards.whole import whole


def remediation(webhook: str) -> core.Dashboard:
    """Return the dashboard of repairs, and of the analyzer that may decide them."""
    return whole(
        links.REMEDIATION,
        "Remediation",
        "What was done about trouble, did it help, and who decided it?",
        (
            Section(
                bands=(
                    figures(),
                    band(6, (12, waiting.questions(15)), (12, waiting.incidents(16))),
                    *repairs(),
                    *guards(),
                )
            ),
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
        webhook=webhook,
    )
