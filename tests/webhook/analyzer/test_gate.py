"""When an answer is acted on, when people are asked, and when nothing is done."""

import re
from dataclasses import fields, replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.webhook.make import NOW
from webhook.analyzer.analysis import Analysis, By, Decision, Gate, Ruling, Situation, State
from webhook.analyzer.answer import Answer, Category, Claim, Target
from webhook.analyzer.confidence import Record, Tally, record
from webhook.analyzer.gate import NAMES, Hearing, judge

AUTO, HUMAN, ESCALATE, OBSERVE = (
    Decision.AUTO,
    Decision.HUMAN,
    Decision.ESCALATE,
    Decision.OBSERVE,
)
MINUTE = timedelta(minutes=1)


def _answer(*cited: str, **changes: Any) -> Answer:  # noqa: ANN401  any field of it
    given: dict[str, Any] = {
        "rationale": (Claim(claim="memory has risen", evidence_ids=cited or ("M1", "L1")),),
        "alternatives": (),
        "root_cause_category": Category.MEMORY_LEAK,
        "root_cause": "the cache is never emptied",
        "action": "clear_cache",
        "target_ref": Target.ALERT_TARGET,
        "confidence": 0.9,
        "missing_evidence": (),
        "suspicious_text": False,
    }
    return Answer(**{**given, **changes})


def _analysis(answer: Answer | None, **changes: Any) -> Analysis:  # noqa: ANN401  any field
    about = Situation(incident=1, opened_at=NOW, alertname="ProjectHighMemory", attempts=0)
    given: dict[str, Any] = {
        "id": 7,
        "project": "email-blast",
        "situation": about,
        "state": State.ANSWERED,
        "asked_at": NOW - MINUTE,
        "by": By.CLAUDE,
        "model": "claude-sonnet-5-5",
        "answer": answer,
        "ids": frozenset({"A1", "M1", "L1"}),
        "measured": frozenset({"M1"}),
    }
    return Analysis(**{**given, **changes})


def _hearing(
    answer: Answer | None = None,
    analysis: dict[str, Any] | None = None,
    **changes: Any,  # noqa: ANN401  any field of it
) -> Hearing:
    """Make one in which every gate is open; an answer as sure as it was calibrated to be."""
    said = answer or _answer()
    given: dict[str, Any] = {
        "analysis": _analysis(said, **(analysis or {})),
        "catalogue": frozenset({"clear_cache", "restart_service"}),
        "allowed": ("clear_cache",),
        "lack": None,
        "objection": None,
        "spent": None,
        "asks": None,
        "disruptive": False,
        "record": Record(),
        "calibrated": said.confidence,
        "auto_above": 0.70,
        "lately": (0, 0),
        "now": NOW,
    }
    return Hearing(**{**given, **changes})


def _closed(ruling: Ruling) -> dict[str, str]:
    return {each.name: each.why for each in ruling.closed}


def test_an_answer_that_passes_every_gate_is_acted_on() -> None:
    assert judge(_hearing()) == Ruling(
        analysis=7,
        decision=AUTO,
        gates=tuple(
            Gate(name=name, passed=True, why=why)
            for name, why in {
                "answered": "claude-sonnet-5-5 has answered",
                "action": "clear_cache is in the catalogue",
                "allowed": "clear_cache is allowed for ProjectHighMemory",
                "target": "it is for email-blast, which the alert is about",
                "cited": "all that it cites is in the evidence: L1, M1",
                "measured": "it rests on what was measured: M1",
                "precondition": "its precondition holds now",
                "firing": "the alert fires, and nothing seen speaks against it",
                "fresh": "it was asked 1m ago",
                "trusted": "no text in the evidence looks as if it were meant to steer",
                "attempts": "attempts are left",
                "rejected": "nobody has said no to it lately",
                "pace": "0 of 2 to this project and 0 of 6 in all were done this hour",
                "tier": "it takes nothing from anybody",
                "confidence": "its confidence, 0.9, is above 0.7",
            }.items()
        ),
        raw=0.9,
        calibrated=0.9,
        effective=0.9,
        reason="all holds for clear_cache",
    )


HELPED_ONCE = Record(here=Tally(good=1.0), good=1)
SHUT: dict[str, tuple[Hearing, Decision, str]] = {
    "answered": (
        _hearing(analysis={"by": By.RULES, "model": "", "why_rules": "no key"}),
        HUMAN,
        "only rules have answered: no key",
    ),
    "action": (
        _hearing(_answer(action="delete_all"), allowed=("delete_all",)),
        ESCALATE,
        "delete_all is not in the catalogue",
    ),
    "allowed": (
        _hearing(_answer(action="restart_service")),
        ESCALATE,
        "restart_service is not allowed for ProjectHighMemory",
    ),
    "target": (
        _hearing(_answer(target_ref=Target.NONE)),
        ESCALATE,
        "it does not say that it is for the project of the alert",
    ),
    "cited": (
        _hearing(_answer("M1", "M9")),
        HUMAN,
        "it cites M9, which is not in the evidence",
    ),
    "measured": (
        _hearing(_answer("L1", "A1")),
        HUMAN,
        "it rests on nothing that was measured, only on what was told",
    ),
    "precondition": (
        _hearing(lack="is paused; somebody chose so"),
        ESCALATE,
        "its precondition does not hold now: it is paused; somebody chose so",
    ),
    "firing": (
        _hearing(objection="Prometheus says that it does not fire"),
        ESCALATE,
        "Prometheus says that it does not fire",
    ),
    "fresh": (
        _hearing(analysis={"asked_at": NOW - 10 * MINUTE}),
        ESCALATE,
        "it was asked 10m ago; much may have changed since",
    ),
    "trusted": (
        _hearing(analysis={"flags": ("instruction", "flood")}),
        HUMAN,
        "the evidence holds text that may be meant to steer: instruction, flood",
    ),
    "attempts": (
        _hearing(spent="clear_cache was tried twice, and did not help"),
        ESCALATE,
        "clear_cache was tried twice, and did not help",
    ),
    "rejected": (
        _hearing(rejected="ann rejected it at 2026-11-21T03:12Z"),
        HUMAN,
        "ann rejected it at 2026-11-21T03:12Z",
    ),
    "pace": (
        _hearing(lately=(2, 2)),
        HUMAN,
        "2 of 2 to this project and 2 of 6 in all were done this hour",
    ),
    "tier": (
        _hearing(disruptive=True, record=HELPED_ONCE),
        HUMAN,
        "it is disruptive, and has helped 1 of 1 times: too few to do it by itself",
    ),
    "confidence": (
        _hearing(_answer(confidence=0.6)),
        HUMAN,
        "its confidence, 0.6, is not above 0.7",
    ),
}


_PAGE = Path(__file__).parents[3] / "docs" / "analyzer.md"


def test_the_docs_have_every_gate_in_its_order_and_what_comes_of_it() -> None:
    rows = re.findall(r"(?m)^\| `(\w+)` \|.*\| ([\w ]+) \|$", _PAGE.read_text(encoding="utf-8"))
    said = {HUMAN: "people are asked", ESCALATE: "escalated"}
    assert rows == [(name, said[decision]) for name, (_, decision, _) in SHUT.items()]


def test_each_gate_has_a_case_in_which_it_alone_is_closed() -> None:
    assert tuple(SHUT) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_one_closed_gate_is_enough_not_to_act(name: str) -> None:
    hearing, decision, why = SHUT[name]
    ruling = judge(hearing)
    assert (_closed(ruling), ruling.decision) == ({name: why}, decision)
    assert ruling.reason == f"{hearing.answer.action} is not done by itself: {why}"
    assert tuple(each.name for each in ruling.gates) == NAMES


_CHANGED: dict[str, dict[str, Any]] = {
    "precondition": {"lack": "x"},
    "firing": {"objection": "x"},
    "attempts": {"spent": "x"},
    "tier": {"asks": "x"},
    "pace": {"lately": (0, 6)},
    "confidence": {"calibrated": 0.7},
}


@pytest.mark.parametrize("shut", list(product([False, True], repeat=len(_CHANGED))))
def test_every_gate_is_asked_whatever_the_others_said(shut: tuple[bool, ...]) -> None:
    closed = {name for name, is_shut in zip(_CHANGED, shut, strict=True) if is_shut}
    changes: dict[str, Any] = {}
    for name in closed:
        changes |= _CHANGED[name]
    ruling = judge(_hearing(**changes))
    hopeless = closed & {"precondition", "firing", "attempts"}
    assert set(_closed(ruling)) == closed
    assert ruling.decision is (ESCALATE if hopeless else HUMAN if closed else AUTO)


@pytest.mark.parametrize(
    ("raw", "decision"),
    [(0.70, HUMAN), (0.7000001, AUTO), (0.71, AUTO), (0.60, HUMAN), (0.0, HUMAN), (1.0, AUTO)],
)
def test_confidence_has_to_be_above_the_threshold_and_not_at_it(
    raw: float, decision: Decision
) -> None:
    assert judge(_hearing(_answer(confidence=raw))).decision is decision


@pytest.mark.parametrize(
    ("raw", "outcomes", "decision"),
    [
        (0.9, [False], AUTO),
        (0.9, [False, False], HUMAN),
        (0.75, [False], HUMAN),
        (0.65, [True] * 10, HUMAN),  # success promotes nobody
        (0.9, [False, False, *[True] * 5], AUTO),
    ],
)
def test_what_came_of_it_before_may_take_the_decision_away(
    raw: float, outcomes: list[bool], decision: Decision
) -> None:
    known = record(outcomes, outcomes)
    assert judge(_hearing(_answer(confidence=raw), record=known)).decision is decision


def test_a_confidence_that_failures_have_lowered_is_told_with_what_was_said() -> None:
    ruling = judge(_hearing(record=Record(here=Tally(bad=2.0))))
    assert ruling.effective == pytest.approx(0.6)
    assert _closed(ruling) == {
        "confidence": "its confidence, 0.6 of 0.9 that it says, is not above 0.7"
    }


def test_a_confidence_just_above_the_threshold_is_told_to_the_digit_that_counts() -> None:
    [*_, last] = judge(_hearing(_answer(confidence=0.7000001))).gates
    assert last.why == "its confidence, 0.7000001, is above 0.7"


@pytest.mark.parametrize(
    ("minutes", "passed"), [(0, True), (9.99, True), (10, False), (-9, True), (-10, False)]
)
def test_evidence_is_fresh_for_ten_minutes_and_a_clock_set_back_makes_none_new(
    *, minutes: float, passed: bool
) -> None:
    ruling = judge(_hearing(analysis={"asked_at": NOW - minutes * MINUTE}))
    assert ("fresh" not in _closed(ruling)) is passed


@pytest.mark.parametrize(
    ("lately", "passed"),
    [((0, 5), True), ((1, 1), True), ((2, 2), False), ((0, 6), False), ((1, 6), False)],
)
def test_two_of_the_same_and_six_of_all_an_hour_are_the_most(
    *, lately: tuple[int, int], passed: bool
) -> None:
    assert ("pace" not in _closed(judge(_hearing(lately=lately)))) is passed


@pytest.mark.parametrize(("good", "decision"), [(5, HUMAN), (6, AUTO)])
def test_what_is_disruptive_has_to_be_proven_first(good: int, decision: Decision) -> None:
    known = record([True] * good, [])
    assert judge(_hearing(disruptive=True, record=known)).decision is decision


def test_what_policy_asks_people_for_is_asked_however_well_it_is_proven() -> None:
    known = record([True] * 50, [])
    ruling = judge(_hearing(asks="email-blast is critical", disruptive=True, record=known))
    assert _closed(ruling) == {"tier": "people have to allow it: email-blast is critical"}


def test_an_answer_that_cites_nothing_is_for_people() -> None:
    ruling = judge(_hearing(_answer(rationale=())))
    assert (ruling.decision, list(_closed(ruling))) == (HUMAN, ["cited", "measured"])


def test_a_model_that_found_the_text_suspicious_is_not_followed() -> None:
    ruling = judge(_hearing(_answer(suspicious_text=True)))
    assert (ruling.decision, list(_closed(ruling))) == (HUMAN, ["trusted"])


@pytest.mark.parametrize(("safe", "decision"), [(False, HUMAN), (True, AUTO)])
def test_rules_act_by_themselves_only_where_one_is_marked_safe(
    *, safe: bool, decision: Decision
) -> None:
    ruling = judge(_hearing(analysis={"by": By.RULES, "model": ""}, auto_safe=safe))
    assert ruling.decision is decision


def test_nothing_is_done_where_the_analyzer_says_so_of_what_was_measured() -> None:
    ruling = judge(_hearing(_answer(action="none", target_ref=Target.NONE)))
    assert (ruling.decision, ruling.closed, ruling.reason) == (
        OBSERVE,
        (),
        "nothing is to be done",
    )
    assert [each.name for each in ruling.gates] == [
        "answered",
        "action",
        "cited",
        "measured",
        "trusted",
        "confidence",
    ]


@pytest.mark.parametrize(
    ("answer", "flags", "closed"),
    [
        (_answer("L1", action="none"), (), "measured"),
        (_answer("M1", "M9", action="none"), (), "cited"),
        (_answer(action="none", suspicious_text=True), (), "trusted"),
        (_answer(action="none"), ("instruction",), "trusted"),
        (_answer(action="none", confidence=0.70), (), "confidence"),
    ],
)
def test_a_log_that_says_all_is_well_does_not_stop_a_repair_unseen(
    answer: Answer, flags: tuple[str, ...], closed: str
) -> None:
    ruling = judge(_hearing(answer, analysis={"flags": flags}))
    assert (ruling.decision, list(_closed(ruling))) == (ESCALATE, [closed])
    assert ruling.reason.startswith("it says that nothing is to be done, which is not believed: ")


def test_rules_cannot_talk_anybody_into_doing_nothing() -> None:
    ruling = judge(_hearing(_answer(action="none"), analysis={"by": By.RULES}))
    assert (ruling.decision, list(_closed(ruling))) == (ESCALATE, ["answered"])


def test_an_analyzer_that_asks_for_people_gets_them() -> None:
    ruling = judge(_hearing(_answer(action="escalate", target_ref=Target.NONE)))
    assert (ruling.decision, _closed(ruling), ruling.reason) == (
        ESCALATE,
        {"action": "it proposes no action, but to ask people"},
        "the analyzer asks for people",
    )


def test_without_an_answer_people_are_asked() -> None:
    hearing = _hearing()
    nobody = replace(hearing, analysis=replace(hearing.analysis, answer=None))
    assert judge(nobody) == Ruling(
        analysis=7,
        decision=ESCALATE,
        gates=(Gate(name="answered", passed=False, why="nobody has answered"),),
        raw=0.0,
        calibrated=0.0,
        effective=0.0,
        reason="nobody has answered",
    )


HOSTILE = "<!channel> token=hunter2hunter2\n\x1b[31m" + "x" * 500


def test_no_text_of_a_stranger_reaches_people_as_it_is() -> None:
    answer = _answer("M1", HOSTILE, action=HOSTILE)
    ruling = judge(_hearing(answer, analysis={"model": HOSTILE}))
    told = [ruling.reason, *(each.why for each in ruling.gates)]
    assert [each for each in told if "hunter2" in each or "<" in each or "\n" in each] == []
    assert max(map(len, told)) < 200


@pytest.mark.parametrize(
    "answer",
    [
        _answer(*cited, action=action, confidence=confidence, suspicious_text=suspicious)
        for cited, action, confidence, suspicious in product(
            [("L1",), ("A1", "L1"), ("L9",), ("L1", "M7")],
            ["clear_cache", "restart_service", "delete_all", "none", "escalate"],
            [0.0, 0.71, 1.0],
            [False, True],
        )
    ],
)
def test_nothing_is_done_on_what_logs_alone_say(answer: Answer) -> None:
    known = record([True] * 50, [True] * 50)
    ruling = judge(_hearing(answer, record=known, allowed=tuple(_hearing().catalogue)))
    assert ruling.decision in {HUMAN, ESCALATE}


def test_every_field_of_a_hearing_matters() -> None:
    """Each one, changed alone, changes what is told; none is left out by mistake."""
    changed: dict[str, Any] = {
        "analysis": _analysis(None),
        "catalogue": frozenset[str](),
        "allowed": (),
        "lack": "x",
        "objection": "x",
        "spent": "x",
        "asks": "x",
        "disruptive": True,
        "record": Record(here=Tally(bad=1.0)),
        "calibrated": 0.8,
        "auto_above": 0.95,
        "lately": (1, 1),
        "rejected": "x",
        "now": NOW + MINUTE,
        "auto_safe": True,
    }
    assert set(changed) == {each.name for each in fields(Hearing)}
    rules = _hearing(analysis={"by": By.RULES})
    for name, value in changed.items():
        assert judge(replace(rules, **{name: value})) != judge(rules), name
