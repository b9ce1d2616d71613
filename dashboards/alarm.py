"""Alarms: the figures at which the rules about ourselves fire, by the name of the alert.

A test reads them in rules/, so a line that is drawn here is the one that somebody is called for.
"""

from typing import Final

from dashboards.limits import Steps, above

FIRES_ABOVE: Final = {
    "RecoverySlow": 30.0,  # seconds
    "WebhookApprovalWaiting": 600.0,  # seconds
    "WebhookQueueOld": 30.0,  # seconds
    "WebhookStageStalled": 60.0,  # seconds
    "WebhookNotReconciling": 120.0,  # seconds
    "WebhookBudgetSpent": 0.0,  # calls that were refused within an hour
    "AnalyzerBudgetLow": 0.6,
    "AnalyzerInjectionSuspected": 3.0,  # within an hour
    "ExporterNotProbing": 0.5,  # void, of all turns
    "AlertmanagerFailedToSendAlerts": 0.01,  # of all notifications
    "OrchestratorOverhead": 0.05,  # of the machine
}
KEPT: Final = 0.8  # of a budget; from there on only what is critical is asked about
JUDGED: Final = 200.0  # answers, from which on AnalyzerInaccurate fires
UNSTABLE: Final = 0.999  # of a day, below which ProjectUnstable may fire
SCRAPED_WITHIN: Final = 1.0  # seconds; a health scrape that takes longer is no answer at all
PROVEN_ALIVE: Final = 180.0  # seconds; Watchdog comes each minute, and one may be lost


def line(alert: str) -> Steps:
    """Return steps that are red from where *alert* fires."""
    return above(red=FIRES_ABOVE[alert])
