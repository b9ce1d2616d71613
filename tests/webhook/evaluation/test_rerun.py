"""A rerun: what is stored of an analysis is enough to decide it again, and shows what changed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.webhook.evaluation.make import NOW, answer, scenario
from webhook.analyzer import gate, prompt, rules
from webhook.analyzer.analysis import Analysis, By, Decision, Ruling, Situation, State
from webhook.analyzer.answer import ESCALATE, NONE, Answer
from webhook.analyzer.confidence import BLANK
from webhook.analyzer.gate import Hearing
from webhook.catalogue import CATALOGUE
from webhook.evaluation import rerun, trial
from webhook.evaluation.rerun import Recorded
from webhook.evaluation.unpacked import BadEvidence, unpacked
from webhook.evidence.pack import digest, wire

PACK = trial.pack(scenario())
REQUEST = prompt.written(
    prompt.body(wire(PACK), model="claude-sonnet-5-5", effort="low", instance="i")
)


def _analysis(said: Answer, **changes: Any) -> Analysis:  # noqa: ANN401  any field of it
    situation = Situation(incident=1, opened_at=NOW, alertname="ProjectHighMemory", attempts=0)
    return replace(
        Analysis(
            id=1,
            project="chatbot",
            situation=situation,
            state=State.ANSWERED,
            asked_at=NOW,
            by=By.CLAUDE,
            model="claude-sonnet-5-5",
            answer=said,
            ids=PACK.ids,
            measured=PACK.measured,
            evidence=digest(PACK),
        ),
        **changes,
    )


def _ruling(analysis: Analysis, **changes: Any) -> Ruling:  # noqa: ANN401  any field of it
    hearing = Hearing(
        analysis=analysis,
        catalogue=frozenset(CATALOGUE),
        allowed=PACK.subject.allowed,
        lack=None,
        objection=None,
        spent=None,
        asks=None,
        disruptive=False,
        record=BLANK,
        calibrated=0.8,
        auto_above=0.7,
        lately=(0, 0),
        now=NOW,
    )
    return gate.judge(replace(hearing, **changes))


def _recorded(analysis: Analysis, **changes: Any) -> Recorded:  # noqa: ANN401  any field of a hearing
    ruling = _ruling(analysis, **changes)
    return Recorded(
        analysis=replace(analysis, decision=ruling.decision),
        evidence=wire(PACK),
        request=REQUEST,
        gates=ruling.gates,
        effective=ruling.effective,
    )


def _same(recorded: Recorded, said: Answer | None) -> dict[str, bool]:
    return {each.name: each.same for each in rerun.rerun(recorded, said)}


ALL = {"evidence": True, "request": True, "answer": True, "decision": True}


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        ({}, Decision.AUTO),
        ({"lack": "is paused"}, Decision.ESCALATE),
        ({"objection": "it ended"}, Decision.ESCALATE),
        ({"spent": "used up"}, Decision.ESCALATE),
        ({"asks": "policy"}, Decision.HUMAN),
        ({"disruptive": True}, Decision.HUMAN),
        ({"lately": (2, 2)}, Decision.HUMAN),
        ({"lately": (0, 6)}, Decision.HUMAN),
        ({"calibrated": 0.5}, Decision.HUMAN),
        ({"auto_above": 0.95}, Decision.HUMAN),
        ({"now": NOW + timedelta(minutes=11)}, Decision.ESCALATE),
    ],
)
def test_what_the_gates_noted_is_enough_to_decide_it_again(
    changes: dict[str, object], decision: Decision
) -> None:
    recorded = _recorded(_analysis(answer()), **changes)
    assert (recorded.analysis.decision, _same(recorded, answer())) == (decision, ALL)


@pytest.mark.parametrize("action", [NONE, ESCALATE, "stop_service"])
def test_an_answer_that_does_nothing_is_decided_again(action: str) -> None:
    assert _same(_recorded(_analysis(answer(action))), answer(action)) == ALL


def test_another_answer_is_another_decision() -> None:
    now = _same(_recorded(_analysis(answer())), answer(ESCALATE))
    assert now == {**ALL, "answer": False, "decision": False}


def test_what_the_playbook_was_left_is_left_to_it_again() -> None:
    said = rules.answer(PACK)
    analysis = _analysis(said, by=By.RULES, model="", decision=Decision.PLAYBOOK)
    recorded = Recorded(
        analysis=analysis, evidence=wire(PACK), request=b"", gates=(), effective=0.65
    )
    assert _same(recorded, said) == {"evidence": True, "answer": True, "decision": True}


def test_another_prompt_is_another_request() -> None:
    other = REQUEST.replace(b"You judge incidents", b"You judged incidents")
    recorded = replace(_recorded(_analysis(answer())), request=other)
    assert _same(recorded, answer()) == {**ALL, "request": False}


def test_a_form_in_which_it_may_have_been_sent_is_no_difference() -> None:
    recorded = replace(_recorded(_analysis(answer())), evidence=wire(replace(PACK, omitted=1)))
    parts = rerun.rerun(recorded, answer(), variants=[lambda _: PACK])
    assert {each.name: each.same for each in parts}["request"] is True


def test_a_pack_reads_back_as_what_was_sent() -> None:
    assert (unpacked(wire(PACK)), wire(unpacked(wire(PACK)))) == (PACK, wire(PACK))


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"about": "secret"}'])
def test_what_is_no_evidence_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadEvidence) as raised:
        unpacked(text)
    assert "secret" not in str(raised.value)
