"""Every label whose values are known begins at 0: a first rise from nothing is none to Prometheus.

Whoever adds a counter or a histogram with labels says here with which values it begins.
"""

from collections.abc import Iterable
from itertools import product

import pytest
from prometheus_client import CollectorRegistry

from orchestrator.metrics import METRICS, Kind, exported
from tests.webhook.make import NOW, SECOND
from webhook.alert import Status
from webhook.analyzer.analysis import By
from webhook.analyzer.answer import ESCALATE, NONE
from webhook.analyzer.call import Outcome, Window
from webhook.analyzer.learning import RIGHT, WRONG
from webhook.approval import Decision
from webhook.catalogue import CATALOGUE
from webhook.claude import fault
from webhook.evidence.item import Lack, Source
from webhook.guard import GUARDS
from webhook.instruments import Instruments
from webhook.meters import LIKELY
from webhook.recovery import Trouble
from webhook.store.intake import Meaning
from webhook.store.reconciliation import Kind as Difference

MODELS = ("claude-sonnet-5-5", "claude-haiku-5-5")
ACTIONS = (*CATALOGUE, "command:flush")

# What is in no enum stands here once more, so that a word that is lost over there is missed here.
REFUSED = ("json", "version", "schema", "encoding", "too_large", "cut_short")
STATUSES = (
    *("none", "200", "400", "401", "402", "403", "404", "408", "413", "429"),
    *("500", "502", "503", "504", "529"),
)
TOKENS = ("input", "cache_read", "cache_write", "output", "thinking")
WHYS = (
    *(each for each in Outcome if each is not Outcome.OK),
    *Window,
    *("no_key", "no_price", "circuit", "queue", "late", "failed", "other"),
)
KINDS = (
    *("private_key", "cookie", "authorization", "assignment", "address", "token"),
    *("email", "query", "own"),
)

CLOSED: dict[str, Iterable[tuple[str, ...]]] = {
    "webhook_notifications_total": product(Status),
    "webhook_alerts_total": product(Meaning),
    "webhook_invalid_total": product(REFUSED),
    "webhook_actions_total": product(ACTIONS),
    "webhook_actions_failed_total": product(ACTIONS),
    "webhook_action_duration_seconds": product(ACTIONS),
    "webhook_recovery_seconds": product(Trouble),
    "webhook_guard_holds_total": product(GUARDS),
    "webhook_approvals_answered_total": product(Decision),
    "webhook_reconcile_discrepancies_total": product(Difference),
    "webhook_stage_failures_total": product(["reload", "repair"]),  # each stage as it is begun
    "claude_requests_total": product(MODELS, Outcome),
    # Twelve lines each; of a call that failed its count is enough, and that begins at 0.
    "claude_request_duration_seconds": product(MODELS, [Outcome.OK]),
    "claude_attempts_total": product(MODELS, STATUSES),
    "claude_tokens_total": product(MODELS, TOKENS),
    "claude_cost_usd_total": product(MODELS),
    "claude_budget_denied_total": product(Window),
    "analyzer_decisions_total": LIKELY,
    "analyzer_confidence": product(By, ["raw", "effective"]),
    "analyzer_fallbacks_total": (
        *product(["claude"], ["rules"], WHYS),
        *product(MODELS[:1], MODELS[1:], WHYS),
    ),
    "analyzer_outcomes_total": product(
        By,
        [*CATALOGUE, NONE, ESCALATE, "other"],
        [each.name.lower() for each in RIGHT | WRONG],
    ),
    "analyzer_injection_flags_total": product(Source),
    "analyzer_redactions_total": product(KINDS),
    "analyzer_evidence_missing_total": product(Source, Lack),
}


@pytest.fixture(scope="module")
def page() -> CollectorRegistry:
    """Return the page of a webhook that has just begun, with two models and a command."""
    instruments = Instruments("1")
    instruments.follow(
        ("chatbot",),
        window=SECOND,
        tripped=lambda *_: False,
        at=NOW,
        commands=[each for each in ACTIONS if each not in CATALOGUE],
    )
    instruments.analyzer.follow(MODELS)
    with instruments.running("repair"):
        pass
    return instruments.registry


def test_it_is_said_of_every_counter_and_histogram_with_labels_how_it_begins() -> None:
    assert CLOSED.keys() == {
        name
        for name, metric in exported("webhook").items()
        if metric.labels and metric.kind is not Kind.GAUGE
    }


@pytest.mark.parametrize("name", CLOSED)
def test_each_of_them_begins_at_0_and_no_other_does(page: CollectorRegistry, name: str) -> None:
    told = name if METRICS[name].kind is Kind.COUNTER else f"{name}_count"
    found = {
        tuple(sample.labels[label] for label in METRICS[name].labels): sample.value
        for family in page.collect()
        for sample in family.samples
        if sample.name == told
    }
    assert found == {tuple(map(str, each)): 0.0 for each in CLOSED[name]}


def test_every_status_that_means_something_to_us_is_among_those_that_begin_at_0() -> None:
    assert {str(each) for each in (*fault._BY_STATUS, *fault.UNBILLED, fault.GAVE_UP)} <= {
        *STATUSES
    }
