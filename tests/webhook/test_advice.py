"""The analyzer's part of a step: nothing of an answer is done that code has not looked at."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from orchestrator.config import Analyzer, Config
from orchestrator.project import Mode
from tests.webhook import make
from tests.webhook.hearing import analysis, answer
from tests.webhook.make import NOW, SECOND
from tests.webhook.world import NEW, UP, World, case, stepped, told
from webhook import action as law
from webhook import consult
from webhook.analyzer.analysis import Analysis, By, Decision, Ruling
from webhook.analyzer.answer import Claim
from webhook.analyzer.confidence import Record, Tally
from webhook.case import Case
from webhook.change import Change
from webhook.incident import State
from webhook.matter import Precedent

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
    analyzer = Analyzer(**{"mode": mode, "key": "key", **changes})
    return make.config(playbooks=playbooks, analyzer=analyzer)


def answered(alertname: str = "ProjectDown", **said: Any) -> Analysis:  # noqa: ANN401  any field
    """Make an analysis of the one alert that a model has answered as *said*."""
    return analysis(situation=consult.situation(case(), alertname), answer=answer(**said))


def heard(alertname: str = "ProjectDown", **said: Any) -> Case:  # noqa: ANN401  any field
    """Make a case with that alert and that analysis."""
    return _with(answered(alertname, **said), alertname)


def _with(made: Analysis, alertname: str = "ProjectDown") -> Case:
    return case(episodes=[make.episode(alertname=alertname)], analyses=[made])


def _ruled(change: Change) -> Ruling:
    assert change.ruling is not None
    return change.ruling


def _failed(name: str) -> tuple[law.Action, ...]:
    """Return two attempts that did not help, long enough ago."""
    return tuple(replace(each, name=name, alertname=MEMORY) for each in ATTEMPTS)


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
        "restart_service on email-blast waits for a human: the analyzer (claude-sonnet-5-5)"
        " proposes it: The process has crashed. Not done by itself: its confidence, 0.7, is not"
        " above 0.7"
    )


async def test_when_it_asks_for_people_nothing_is_restarted_however_sure_it_is() -> None:
    world = World()
    change = await stepped(heard(action="escalate", confidence=1.0), world, config())
    assert _decided(change)[:2] == (Decision.ESCALATE, State.ESCALATED)
    assert change.reason == "likely process down; the analyzer asks for people"
    assert world.sent == []


async def test_when_it_advises_to_do_nothing_nothing_is_done_for_a_while() -> None:
    made, world = answered(MEMORY, action="none"), World(probe=UP)
    change = await stepped(_with(made, MEMORY), world, config())
    assert _decided(change) == (Decision.OBSERVE, State.OPEN, ["AIDecision"])
    rests = replace(made, decision=Decision.OBSERVE, reason="nothing is to be done")
    change = await stepped(_with(rests, MEMORY), world, config())
    assert (change.after.held, told(change)) == ("nothing is to be done", [])
    later = World(probe=UP, after=consult.FRESH)
    change = await stepped(_with(rests, MEMORY), later, config())
    assert _decided(change) == (None, State.REPAIRING, ["ActionStarted"])


@pytest.mark.parametrize(
    "said",
    [{"confidence": 0.7}, {"rationale": (Claim(claim="all is well", evidence_ids=("L1",)),)}],
    ids=["unsure", "by the log alone"],
)
async def test_advice_to_do_nothing_that_is_not_believed_leaves_the_playbook_to_work(
    said: dict[str, Any],
) -> None:
    change = await stepped(heard(MEMORY, action="none", **said), World(probe=UP), config())
    assert _decided(change) == (Decision.PLAYBOOK, State.OPEN, ["AIDecision"])


async def test_what_is_measured_down_is_not_left_alone_on_its_word() -> None:
    change = await stepped(heard(action="none"), World(), config())
    assert _decided(change) == (Decision.PLAYBOOK, State.OPEN, ["AIDecision"])


async def test_where_people_would_be_asked_its_advice_to_do_nothing_keeps_nobody_waiting() -> None:
    tried = case(attempts=ATTEMPTS)
    about = consult.situation(tried, "ProjectDown")
    made = analysis(situation=about, answer=answer(action="none"))
    change = await stepped(replace(tried, analyses=(made,)), World(), config("on_failure"))
    assert _decided(change)[:2] == (Decision.ESCALATE, State.ESCALATED)


async def test_where_people_would_be_asked_an_unclear_look_keeps_nobody_waiting() -> None:
    tried = case(episodes=[make.episode(alertname=MEMORY)], attempts=_failed("clear_cache"))
    made = analysis(situation=consult.situation(tried, MEMORY))
    blind = World(probe=UP, standing=None)
    rules = replace(config("on_failure"), playbooks={MEMORY: ("clear_cache",)})
    change = await stepped(replace(tried, analyses=(made,)), blind, rules)
    assert _decided(change)[:2] == (Decision.ESCALATE, State.ESCALATED)


async def test_where_no_step_of_the_playbook_fits_it_is_asked_too() -> None:
    fires = case(episodes=[make.episode(alertname="ProjectHighErrorRate")])
    rollback: dict[str, tuple[str, ...]] = {"ProjectHighErrorRate": ("rollback_deployment",)}
    rules = replace(config("on_failure"), playbooks=rollback)
    change = await stepped(fires, World(probe=UP, deployed=None), rules)
    assert told(change) == ["AnalysisRequested"]


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


async def test_a_guard_of_what_is_proposed_holds_it_back_without_a_decision() -> None:
    lately = make.action(name="pause_service", executed_at=NOW - 10 * SECOND, opened_at=None)
    held = replace(heard("ProjectHighMemory", action="clear_cache"), attempts=(lately,))
    limits = make.guarding(cooldown="1s", actions={"clear_cache": {"cooldown": "1m"}})
    rules = replace(config(), guards=limits, playbooks={MEMORY: ("restart_service", "clear_cache")})
    change = await stepped(held, World(probe=UP), rules)
    assert _decided(change) == (None, State.OPEN, ["ActionWithheld"])
    assert (change.after.held or "").startswith("clear_cache on email-blast held until")


async def test_a_step_on_dry_run_is_recorded_by_the_playbook_and_holds_nothing_up() -> None:
    dry = make.guarding(actions={"restart_service": {"dry_run": True}})
    change = await stepped(heard(), World(), replace(config(), guards=dry))
    assert _decided(change) == (Decision.PLAYBOOK, State.OPEN, ["AIDecision"])


@pytest.mark.parametrize(
    ("closed", "world", "rules"),
    [
        ("pace", World(probe=UP, precedent=replace(NEW, lately=(2, 2))), {}),
        ("pace", World(probe=UP, precedent=replace(NEW, lately=(0, 6))), {}),
        ("rejected", World(probe=UP, precedent=replace(NEW, rejected="ann rejected it")), {}),
        ("confidence", World(probe=UP, precedent=replace(NEW, calibrated=0.5)), {}),
        ("confidence", World(probe=UP), {"auto_above": 0.9}),
    ],
)
async def test_each_gate_hears_what_it_is_about(
    closed: str, world: World, rules: dict[str, Any]
) -> None:
    change = await stepped(heard(MEMORY, action="clear_cache"), world, config(**rules))
    assert [each.name for each in _ruled(change).closed] == [closed]
    assert _decided(change)[:2] == (Decision.HUMAN, State.AWAITING_APPROVAL)


async def test_policy_has_its_word_on_what_is_proposed() -> None:
    asking = replace(config(), guards=make.guarding(approval="always"))
    change = await stepped(heard(MEMORY, action="clear_cache"), World(probe=UP), asking)
    assert [each.name for each in _ruled(change).closed] == ["tier"]


@pytest.mark.parametrize(
    ("deployed", "recent", "decision"),
    [
        (timedelta(hours=2), "1h", Decision.ESCALATE),
        (timedelta(hours=2), "3h", Decision.AUTO),
        (None, "3h", Decision.ESCALATE),
    ],
)
async def test_the_precondition_is_asked_again_by_the_limits_of_the_project(
    deployed: timedelta | None, recent: str, decision: Decision
) -> None:
    record = Record(here=Tally(good=9.0), good=9)
    world = World(probe=UP, deployed=deployed, precedent=replace(NEW, record=record))
    rules = replace(
        config(allow={MEMORY: ("rollback_deployment",)}),
        guards=make.guarding(recent_deployment=recent),
    )
    change = await stepped(heard(MEMORY, action="rollback_deployment"), world, rules)
    assert _ruled(change).decision is decision


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
    change = await stepped(replace(tried, analyses=(made,)), World(), config("on_failure"))
    assert _decided(change)[:2] == (Decision.ESCALATE, State.ESCALATED)
    assert [each.name for each in _ruled(change).closed] == ["attempts"]
