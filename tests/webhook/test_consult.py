"""When the analyzer is asked, waited for, and heard: the law, as a table."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from orchestrator.config import Analyzer, Config
from orchestrator.guards import Guards
from tests.webhook import make
from tests.webhook.hearing import analysis, answer
from tests.webhook.make import NOW, SECOND
from tests.webhook.world import case
from webhook import consult
from webhook.analyzer.analysis import SLOW, Decision, State
from webhook.analyzer.answer import NONE, Answer
from webhook.consult import FRESH, MOST, Turn, turn
from webhook.guard import Block
from webhook.policy import Act, Escalate, Step
from webhook.policy import Decision as Planned
from webhook.remedies import restart_service

DOWN = "ProjectDown"
ACT = Act(step=Step(remedy=restart_service.REMEDY, guards=Guards()))
PEOPLE = Escalate(reason="nothing helps")
HELD = Block(guard="hold", reason="held")
OBSERVED = Block(guard="observe", reason="observed")


Mode = Literal["always", "on_failure", "off"]


def config(mode: Mode, *, key: str | None = "key") -> Config:
    return make.config(analyzer=Analyzer(mode=mode, key=key))


@pytest.mark.parametrize(
    ("mode", "planned", "expected"),
    [
        ("always", ACT, Turn.ASK),
        ("always", PEOPLE, Turn.ASK),
        ("always", OBSERVED, Turn.ASK),
        ("always", HELD, Turn.GO_ON),
        ("on_failure", ACT, Turn.GO_ON),
        ("on_failure", PEOPLE, Turn.ASK),
        ("on_failure", OBSERVED, Turn.GO_ON),
        ("on_failure", HELD, Turn.GO_ON),
        ("off", ACT, Turn.GO_ON),
        ("off", PEOPLE, Turn.GO_ON),
    ],
)
def test_whether_it_is_asked_is_a_matter_of_mode_and_plan(
    mode: Mode, planned: Planned, expected: Turn
) -> None:
    assert turn(config(mode), case(), DOWN, planned, NOW) is expected


def test_without_a_model_the_playbook_need_not_wait_for_rules() -> None:
    turns = [turn(config("always", key=None), case(), DOWN, each, NOW) for each in (ACT, PEOPLE)]
    assert turns == [Turn.GO_ON, Turn.ASK]


def _turned(seconds: float = 0, *, planned: Planned = PEOPLE, **changes: Any) -> Turn:  # noqa: ANN401  any field of it
    """Return the turn with one analysis, so many seconds after it was asked."""
    heard = case(analyses=[analysis(**changes)])
    return turn(config("always"), heard, DOWN, planned, NOW + timedelta(seconds=seconds))


WAITS: dict[str, Any] = {"answer": None, "answered_at": None, "by": None}


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING])
def test_it_is_waited_for_and_not_for_ever(state: State) -> None:
    longest = SLOW.total_seconds()
    turns = [_turned(after, state=state, **WAITS) for after in (0, longest - 1, longest, -longest)]
    assert turns == [Turn.WAIT, Turn.WAIT, Turn.GO_ON, Turn.GO_ON]


def test_what_was_cut_off_is_asked_again_and_not_without_end() -> None:
    lost = analysis(state=State.ABORTED, **WAITS)
    turns = [
        turn(config("always"), case(analyses=[lost] * many), DOWN, ACT, NOW)
        for many in (1, MOST - 1, MOST)
    ]
    assert turns == [Turn.ASK, Turn.ASK, Turn.GO_ON]


NOTHING = answer(action=NONE)


@pytest.mark.parametrize(
    ("decision", "said", "planned", "soon", "late"),
    [
        (None, answer(), ACT, Turn.WEIGH, Turn.ASK),
        (Decision.AUTO, answer(), ACT, Turn.WEIGH, Turn.ASK),  # nothing came of it
        (Decision.HUMAN, answer(), ACT, Turn.WEIGH, Turn.ASK),  # the question was withdrawn
        (Decision.OBSERVE, NOTHING, ACT, Turn.REST, Turn.GO_ON),
        (Decision.OBSERVE, answer(), OBSERVED, Turn.REST, Turn.GO_ON),
        (Decision.OBSERVE, answer(), ACT, Turn.WEIGH, Turn.ASK),  # it may act now
        (Decision.ESCALATE, answer(), PEOPLE, Turn.PEOPLE, Turn.ASK),
        (Decision.ESCALATE, answer(), OBSERVED, Turn.PEOPLE, Turn.PEOPLE),
        (Decision.PLAYBOOK, answer(), ACT, Turn.GO_ON, Turn.GO_ON),
    ],
)
def test_an_answer_is_good_for_a_while(
    decision: Decision | None, said: Answer, planned: Planned, soon: Turn, late: Turn
) -> None:
    length = FRESH.total_seconds()
    turns = [
        _turned(after, planned=planned, decision=decision, answer=said)
        for after in (length - 1, length, -length)
    ]
    assert turns == [soon, late, late]


@pytest.mark.parametrize(
    "changes",
    [{"alertname": "ProjectHighCPU"}, {"attempts": 1}, {"opened_at": NOW - SECOND}],
)
def test_an_answer_about_something_else_is_none(changes: dict[str, Any]) -> None:
    about = replace(consult.situation(case(), DOWN), **changes)
    assert _turned(situation=about) is Turn.ASK


def test_an_answer_is_still_there_after_another_alert_was_asked_about() -> None:
    other = replace(consult.situation(case(), DOWN), alertname="ProjectHighCPU")
    both = case(analyses=[analysis(id=1), analysis(id=2, situation=other)])
    assert consult.known(both, DOWN) == both.analyses[0]


def test_it_is_not_asked_without_end_about_one_outage() -> None:
    other = analysis(situation=replace(consult.situation(case(), DOWN), attempts=7))
    heard = case(analyses=[other] * MOST)
    assert turn(config("always"), heard, DOWN, ACT, NOW) is Turn.GO_ON


def test_it_may_propose_the_steps_of_the_playbook_and_what_is_allowed_beside() -> None:
    allow = {DOWN: ("rollback_deployment", "restart_service")}
    allowing = make.config(analyzer=Analyzer(allow=allow))
    assert consult.allowed(allowing, DOWN) == ("restart_service", "rollback_deployment")
    assert consult.allowed(allowing, "ProjectSlow") == ()
