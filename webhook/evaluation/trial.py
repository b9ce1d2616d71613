"""A trial: one scenario before an analyzer, and what the gate would make of its answer."""

from typing import Final

from webhook.analyzer import gate
from webhook.analyzer.analysis import Analysis, By, Decision, Situation, State
from webhook.analyzer.answer import Answer
from webhook.analyzer.confidence import BLANK
from webhook.analyzer.gate import Hearing
from webhook.catalogue import CATALOGUE
from webhook.evaluation.scenario import Scenario
from webhook.evaluation.scoring import Trial
from webhook.evidence.item import Pack
from webhook.evidence.pack import assemble, digest

ABOVE: Final = 0.7  # of what is done without people


def pack(scenario: Scenario) -> Pack:
    """Return the evidence of *scenario* as an analyzer gets it."""
    return assemble(scenario.subject, scenario.raw)


def of_rules(scenario: Scenario, answer: Answer) -> Trial:
    """Judge an answer that needed no model."""
    return Trial(scenario=scenario, answer=answer, auto=_auto(scenario, answer, By.RULES, ""))


def of_model(
    scenario: Scenario, answer: Answer | None, *, model: str, cost: int = 0, why: str = ""
) -> Trial:
    """Judge what a model has answered, or that it has not."""
    auto = answer is not None and _auto(scenario, answer, By.CLAUDE, model)
    return Trial(scenario=scenario, answer=answer, auto=auto, cost=cost, why=why)


def _auto(scenario: Scenario, answer: Answer, by: By, model: str) -> bool:
    """Tell whether it would be acted on without people, where nothing but the answer is at fault.

    So it is asked as if the action were proven and its precondition held: what is judged here is
    the answer, and not the luck of the hour.
    """
    ruling = gate.judge(
        Hearing(
            analysis=_analysis(scenario, answer, by, model),
            catalogue=frozenset(CATALOGUE),
            allowed=scenario.subject.allowed,
            lack=None,
            objection=None,
            spent=None,
            asks=None,
            disruptive=False,
            record=BLANK,
            calibrated=answer.confidence,
            auto_above=ABOVE,
            lately=(0, 0),
            now=scenario.subject.asked_at,
        )
    )
    return ruling.decision is Decision.AUTO


def _analysis(scenario: Scenario, answer: Answer, by: By, model: str) -> Analysis:
    seen, subject = pack(scenario), scenario.subject
    return Analysis(
        id=0,
        project=subject.project,
        situation=Situation(
            incident=0,
            opened_at=subject.started_at,
            alertname=subject.alertname,
            attempts=len(subject.tried),
        ),
        state=State.ANSWERED,
        asked_at=subject.asked_at,
        answered_at=subject.asked_at,
        by=by,
        model=model,
        answer=answer,
        ids=seen.ids,
        measured=seen.measured,
        flags=seen.flags,
        evidence=digest(seen),
    )
