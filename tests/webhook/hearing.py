"""Answers and analyses for tests, with everything that a test does not care about filled in."""

from typing import Any

from tests.webhook.make import NOW
from tests.webhook.world import case
from webhook import consult
from webhook.analyzer.analysis import Analysis, By, State
from webhook.analyzer.answer import Answer, Category, Claim, Target


def answer(**changes: Any) -> Answer:  # noqa: ANN401  any field of it
    """Make an answer that is sure of a restart, and cites what was measured."""
    given: dict[str, Any] = {
        "rationale": (Claim(claim="it does not answer", evidence_ids=("M1", "L1")),),
        "alternatives": (),
        "root_cause_category": Category.PROCESS_DOWN,
        "root_cause": "The process has crashed.",
        "action": "restart_service",
        "target_ref": Target.ALERT_TARGET,
        "confidence": 0.9,
        "missing_evidence": (),
        "suspicious_text": False,
    }
    return Answer(**{**given, **changes})


def analysis(**changes: Any) -> Analysis:  # noqa: ANN401  any field of it
    """Make an analysis of the outage of `world.case` that a model has answered just now."""
    given: dict[str, Any] = {
        "id": 1,
        "project": "email-blast",
        "situation": consult.situation(case(), "ProjectDown"),
        "state": State.ANSWERED,
        "asked_at": NOW,
        "answered_at": NOW,
        "by": By.CLAUDE,
        "model": "claude-sonnet-5-5",
        "prompt": "1",
        "answer": answer(),
        "ids": frozenset({"A1", "M1", "L1"}),
        "measured": frozenset({"M1"}),
        "evidence": "0" * 64,
    }
    return Analysis(**{**given, **changes})
