"""The analyzer's part of a step: nothing of an answer is done that code has not looked at."""

from dataclasses import replace
from typing import Any, Literal

import pytest

from orchestrator.config import Analyzer, Config
from orchestrator.project import Mode
from tests.webhook import make
from tests.webhook.hearing import analysis, answer
from tests.webhook.make import NOW, SECOND
from tests.webhook.world import UP, World, case, stepped, told
from webhook import action as law
from webhook import consult
from webhook.analyzer.analysis import Analysis, By, Decision, Ruling
from webhook.analyzer.confidence import Record, Tally
from webhook.case import Case
from webhook.change import Change
from webhook.guard import Surroundings
from webhook.incident import State
from webhook.matter import Precedent
from webhook.restraint import Kind, Restraint

MEMORY = "ProjectHighMemory"
ATTEMPTS = tuple(
    make.action(
        key=f"key-{number}",
        state=law.State.FAILED,
        detail="still down",
        executed_at=NOW - 100 * SECOND,
        finished_at=NOW - 60 * SECOND,
    )
    for number in (1, 2)
)


def config(mode: Literal["always", "on_failure", "off"] = "always", **changes: Any) -> Config:  # noqa: ANN401  any field of it
    playbooks = {"ProjectDown": ("restart_service",), MEMORY: ("clear_cache", "restart_service")}
    analyzer = Analyzer(mode=mode, **changes)
    return make.config(playbooks=playbooks, analyzer=analyzer)


def answered(alertname: str = "ProjectDown", **said: Any) -> Analysis:  # noqa: ANN401  any field
    """Make an analysis of the one alert that a model has answered as *said*."""
    return analysis(situation=consult.situation(case(), alertname), answer=answer(**said))


def heard(alertname: str = "ProjectDown", **said: Any) -> Case:  # noqa: ANN401  any field
    """Make a case with that alert and that analysis."""
    return _with(answered(alertname, **said), alertname)


def _with(made: Analysis, alertname: str = "ProjectDown") -> Case:
    return case(episodes=[make.episode(alertname=alertname)], analysis=made, analyses=1)


def _ruled(change: Change) -> Ruling:
    assert change.ruling is not None
    return change.ruling


def _decided(change: Change) -> tuple[Decision | None, State, list[str]]:
    decision = change.ruling.decision if change.ruling else None
    return decision, change.after.state, told(change)


async def test_where_the_playbook_has_failed_the_analyzer_is_asked_before_people_are() -> None:
    change = await stepped(case(attempts=ATTEMPTS), World(), config("on_failure"))
    assert change.consults == consult.situation(case(attempts=ATTEMPTS), "ProjectDown")
    assert _decided(change) == (None, State.OPEN, ["AnalysisRequested"])


async def test_it_can_be_asked_before_anything_is_done() -> None:
    world = World()
    change = await stepped(case(), world, config("always"))
    assert (told(change), change.action_became, world.sent) == (["AnalysisRequested"], (), [])


async def test_about_an_alert_that_a_look_speaks_against_it_is_not_asked() -> None:
    change = await stepped(case(), World(probe=UP), config("always"))
    assert (change.consults, told(change)) == (None, ["ActionWithheld"])


async def test_what_it_is_sure_of_is_done_and_its_reasons_come_first() -> None:
    change = await stepped(heard(), World(), config())
    assert _decided(change) == (
        Decision.AUTO,
        State.REPAIRING,
        ["AIDecision", "ActionStarted"],
    )


@pytest.mark.parametrize(
    ("confidence", "decision", "state"),
    [
        (0.70, Decision.HUMAN, State.AWAITING_APPROVAL),
        (0.7000001, Decision.AUTO, State.REPAIRING),
        (0.60, Decision.HUMAN, State.AWAITING_APPROVAL),
    ],
)
async def test_exactly_at_the_threshold_people_are_asked(
    confidence: float, decision: Decision, state: State
) -> None:
    change = await stepped(heard(confidence=confidence), World(), config())
    assert (_ruled(change).decision, change.after.state) == (decision, state)


async def test_people_who_are_asked_hear_what_it_proposes_and_why_it_is_not_just_done() -> None:
    change = await stepped(heard(confidence=0.7), World(), config())
    assert change.question is not None
    assert change.question.text == (
        "restart_service on email-blast waits for a human: the analyzer proposes it, and"
        " restart_service is not done by itself: its confidence, 0.7, is not above 0.7"
    )


async def test_when_it_asks_for_people_nothing_is_restarted_however_sure_it_is() -> None:
    world = World()
    change = await stepped(heard(action="escalate", confidence=1.0), world, config())
    assert _decided(change)[:2] == (Decision.ESCALATE, State.ESCALATED)
    assert change.reason == "likely process down; the analyzer asks for people"
    assert world.sent == []


async def test_when_it_advises_to_do_nothing_nothing_is_done_for_a_while() -> None:
    change = await stepped(heard(action="none"), World(), config())
    assert _decided(change) == (Decision.OBSERVE, State.OPEN, ["AIDecision"])
    made = replace(answered(action="none"), decision=Decision.OBSERVE)
    rested = replace(_with(made), incident=change.after)
    change = await stepped(rested, World(after=consult.FRESH), config())
    assert change.after.state is State.ESCALATED
    assert change.reason == "the analyzer advised to do nothing, and it goes on"


async def test_after_attempts_in_vain_advice_to_do_nothing_does_not_keep_people_waiting() -> None:
    tried = case(attempts=ATTEMPTS)
    about = consult.situation(tried, "ProjectDown")
    made = analysis(situation=about, answer=answer(action="none"))
    change = await stepped(replace(tried, analysis=made), World(), config("on_failure"))
    assert _decided(change)[:2] == (Decision.ESCALATE, State.ESCALATED)


async def test_where_no_model_has_answered_the_playbook_goes_on() -> None:
    ruled = replace(answered(), by=By.RULES, why_rules="it did not answer")
    change = await stepped(_with(ruled), World(), config())
    assert _decided(change) == (Decision.PLAYBOOK, State.OPEN, ["AIDecision"])
    decided = replace(ruled, decision=Decision.PLAYBOOK)
    change = await stepped(_with(decided), World(), config())
    assert _decided(change) == (None, State.REPAIRING, ["ActionStarted"])


async def test_rules_never_act_where_a_model_could_not_be_had() -> None:
    ruled = replace(answered("ProjectSlow", confidence=1.0), by=By.RULES, why_rules="no key")
    allowing = config("on_failure", allow={"ProjectSlow": ("restart_service",)})
    change = await stepped(_with(ruled, "ProjectSlow"), World(probe=UP), allowing)
    assert _decided(change)[:2] == (Decision.HUMAN, State.AWAITING_APPROVAL)


async def test_while_an_alert_is_not_what_it_was_nothing_is_decided_on_an_answer() -> None:
    change = await stepped(heard(), World(probe=UP), config())
    assert _decided(change) == (None, State.OPEN, ["ActionWithheld"])


async def test_hands_off_holds_an_answer_back_without_a_decision() -> None:
    hold = Restraint(
        id=1,
        kind=Kind.HOLD,
        project="email-blast",
        reason="mine",
        set_by="ann",
        starts_at=None,
        ends_at=None,
    )
    world = World(around=Surroundings(restraints=(hold,)))
    change = await stepped(heard(), world, config())
    assert _decided(change) == (None, State.OPEN, ["ActionWithheld"])


async def test_what_is_only_observed_is_decided_and_not_done() -> None:
    observed = replace(config(), projects={"email-blast": make.project(mode=Mode.OBSERVE)})
    change = await stepped(heard(), World(), observed)
    assert _decided(change) == (Decision.OBSERVE, State.OPEN, ["AIDecision"])
    assert change.reason == "mode: observe; would restart_service email-blast"


async def test_an_action_that_is_not_allowed_for_the_alert_is_for_people() -> None:
    change = await stepped(heard(action="clear_cache"), World(), config())
    assert _decided(change)[:2] == (Decision.ESCALATE, State.ESCALATED)


@pytest.mark.parametrize(
    ("good", "decision"), [(5, Decision.HUMAN), (6, Decision.AUTO)], ids=["five", "six"]
)
async def test_what_disrupts_has_to_have_helped_six_times(good: int, decision: Decision) -> None:
    record = Record(here=Tally(good=good), good=good)
    world = World(probe=UP, precedent=Precedent(record=record, calibrated=0.9, lately=(0, 0)))
    change = await stepped(heard(MEMORY), world, config())
    assert _ruled(change).decision is decision


async def test_what_was_tried_in_vain_is_not_tried_again_on_its_word() -> None:
    tried = case(attempts=ATTEMPTS)
    made = analysis(situation=consult.situation(tried, "ProjectDown"))
    change = await stepped(replace(tried, analysis=made), World(), config("on_failure"))
    assert _decided(change)[:2] == (Decision.ESCALATE, State.ESCALATED)
    assert [each.name for each in _ruled(change).closed] == ["attempts"]
