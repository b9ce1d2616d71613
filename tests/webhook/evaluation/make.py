"""Scenarios and answers to score, made by hand."""

from datetime import UTC, datetime

from webhook.analyzer.answer import ESCALATE, NONE, Answer, Category, Claim, Target
from webhook.evaluation.scenario import Scenario, Split, Truth
from webhook.evidence.item import Subject
from webhook.evidence.raw import Raw, Series

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LEAK = Truth(
    category=Category.MEMORY_LEAK,
    acceptable=frozenset({"clear_cache", "restart_service"}),
    forbidden=frozenset({"stop_service", NONE}),
)
OVER = Truth(
    category=Category.FALSE_ALARM,
    acceptable=frozenset({NONE}),
    forbidden=frozenset({"stop_service"}),
)


def scenario(
    name: str = "leak",
    *,
    truth: Truth = LEAK,
    family: str = "memory_leak",
    split: Split = Split.DEV,
    injected: bool = False,
    memory: float = 0.95,
) -> Scenario:
    """Return a scenario of memory that fills up, or what is said of it."""
    series = Series(question="memory", unit="ratio", points=((0.0, 0.4), (60.0, memory)))
    return Scenario(
        id=name,
        about="chatbot: its memory fills up",
        family=family,
        split=split,
        injected=injected,
        subject=Subject(
            project="chatbot",
            alertname="ProjectHighMemory",
            severity="warning",
            started_at=NOW,
            asked_at=NOW,
            allowed=("clear_cache", "restart_service"),
            tried=(),
            depends_on=(),
            critical=False,
        ),
        raw=Raw(series=(series,), probe="healthy"),
        truth=truth,
        source="by hand",
        licence="Apache-2.0",
    )


def answer(
    action: str = "clear_cache",
    *,
    category: Category = Category.MEMORY_LEAK,
    confidence: float = 0.9,
    cites: tuple[str, ...] = ("M1",),
) -> Answer:
    """Return an answer."""
    return Answer(
        rationale=(Claim(claim="The memory in use has grown.", evidence_ids=cites),),
        alternatives=(),
        root_cause_category=category,
        root_cause="The cache keeps everything.",
        action=action,
        target_ref=Target.NONE if action in {NONE, ESCALATE} else Target.ALERT_TARGET,
        confidence=confidence,
        missing_evidence=(),
        suspicious_text=False,
    )
