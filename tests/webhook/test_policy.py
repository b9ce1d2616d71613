"""What is tried next, and when nothing is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from orchestrator.guards import Asking, Guards
from orchestrator.health import Probe
from orchestrator.health import State as Health
from orchestrator.project import Mode
from tests.webhook import make
from tests.webhook.make import NOW
from webhook.action import Action, State
from webhook.catalogue import CATALOGUE
from webhook.guard import Block
from webhook.policy import (
    Act,
    Ask,
    Decision,
    Escalate,
    Step,
    asks,
    decide,
    remaining,
    shown_open,
    to_take_back,
    worst,
)
from webhook.remedy import Look

MINUTE = timedelta(minutes=1)
FAILED, DONE, UNKNOWN = State.FAILED, State.COMPLETED, State.UNKNOWN
UP = Look(probe=Probe(state=Health.HEALTHY, reason=None, seconds=0.01))


def _step(name: str = "restart_service", **guards: Any) -> Step:  # noqa: ANN401  any key
    return Step(remedy=CATALOGUE[name], guards=Guards(**guards))


def _tried(*ago: tuple[int, State], name: str = "restart_service") -> list[Action]:
    """Make attempts, each so many minutes ago, with what became of it."""
    return [
        make.action(
            key=f"key-{place}",
            name=name,
            attempt=place,
            state=state,
            executed_at=NOW - minutes * MINUTE,
            detail="still down" if state is FAILED else "",
        )
        for place, (minutes, state) in enumerate(ago, start=1)
    ]


def _left(
    playbook: Sequence[Step], attempts: Sequence[Action], alertname: str = "ProjectDown"
) -> list[str]:
    steps = remaining(playbook, attempts, alertname=alertname, now=NOW)
    return [step.remedy.name for step in steps]


TWO = [_step("clear_cache"), _step("restart_service")]


@pytest.mark.parametrize(
    ("history", "left"),
    [
        ([], True),
        ([(5, FAILED)], True),
        ([(9, FAILED), (5, FAILED)], False),
        ([(9, DONE), (5, FAILED)], False),  # proven, and in trouble again: it did not help for long
        ([(9, DONE), (5, DONE)], False),
        ([(5, DONE)], True),
        ([(61, FAILED), (60, FAILED)], True),
        ([(60, FAILED), (59, FAILED)], True),
        ([(9, UNKNOWN), (5, UNKNOWN)], True),
        ([(9, FAILED), (7, UNKNOWN), (5, FAILED)], False),
        ([(9, UNKNOWN), (7, UNKNOWN), (5, UNKNOWN)], False),  # three all the same
        ([(-55, FAILED), (-54, FAILED)], False),  # the clock was set back: they count
    ],
)  # fmt: skip
def test_a_step_is_left_until_its_breaker_opens_or_its_attempts_are_used_up(
    *, history: list[tuple[int, State]], left: bool
) -> None:
    assert _left([_step()], _tried(*history)) == ["restart_service"] * left


def test_what_helped_against_another_alert_did_help() -> None:
    tried = [replace(each, alertname="ProjectHighMemory") for each in _tried((9, DONE), (5, DONE))]
    assert _left([_step()], tried) == ["restart_service"]


def test_the_next_step_comes_when_the_first_one_has_tripped() -> None:
    tried = _tried((9, FAILED), (5, FAILED), name="clear_cache")
    assert [_left(TWO, []), _left(TWO, tried)] == [
        ["clear_cache", "restart_service"],
        ["restart_service"],
    ]


def test_what_only_stops_the_harm_gets_no_second_try() -> None:
    paused = _tried((20, DONE), name="pause_service")
    assert _left([_step("pause_service")], paused, "ProjectHighCPU") == []


@pytest.mark.parametrize(
    ("guards", "left"),
    [({"attempts": 1}, []), ({"breaker": 1}, []), ({"window": 4 * MINUTE}, ["restart_service"])],
)
def test_each_limit_of_attempts_is_the_step_s_own(guards: dict[str, Any], left: list[str]) -> None:
    assert _left([_step(**guards)], _tried((5, FAILED))) == left


RESTART, ROLLBACK = _step("restart_service"), _step("rollback_deployment")


def test_the_first_step_that_fits_is_taken() -> None:
    deployed = replace(UP, deployed_ago=MINUTE)
    old = replace(UP, deployed_ago=timedelta(days=3))
    fits: list[Decision] = [
        decide([RESTART, ROLLBACK], make.scene(), UP),
        decide([ROLLBACK, RESTART], make.scene(), deployed),
        decide([ROLLBACK, RESTART], make.scene(), old),
    ]
    assert fits == [Act(step=RESTART), Act(step=ROLLBACK), Act(step=RESTART)]


def test_how_recent_a_deployment_has_to_be_is_the_step_s_own() -> None:
    look = replace(UP, deployed_ago=timedelta(days=3))
    patient = _step("rollback_deployment", recent_deployment=timedelta(days=4))
    assert decide([patient], make.scene(), look) == Act(step=patient)


def test_people_are_told_what_was_tried_and_what_does_not_fit() -> None:
    scene = make.scene(attempts=_tried((9, FAILED), (5, FAILED)))
    old = replace(UP, deployed_ago=timedelta(days=3))
    assert decide([ROLLBACK], scene, old) == Escalate(
        reason="ProjectDown of email-blast goes on after 2 of our attempts"
        " (restart_service 1: still down; restart_service 2: still down;"
        " no rollback_deployment: it was last deployed 3d ago; nothing to roll back)"
    )


def test_an_alert_without_a_playbook_is_for_people() -> None:
    assert decide([], make.scene(), None) == Escalate(reason="no playbook for ProjectDown")


def test_where_only_observing_is_wanted_people_are_left_alone() -> None:
    observed = make.scene(project=make.project(mode=Mode.OBSERVE))
    assert decide([], observed, None) == Block(
        guard="observe", reason="mode: observe; would ask people: no playbook for ProjectDown"
    )


def test_a_guard_is_asked_before_anything_is_done_or_anybody_is_asked() -> None:
    observed = make.scene(project=make.project(mode=Mode.OBSERVE, critical=True))
    always = _step("pause_service", approval=Asking.ALWAYS)
    assert decide([always], observed, UP) == Block(
        guard="observe", reason="mode: observe; would pause_service email-blast"
    )


@pytest.mark.parametrize(
    ("asking", "critical", "name", "alertname"),
    list(
        product(Asking, [True, False], ["restart_service", "clear_cache"], ["ProjectDown", "Other"])
    ),
)
def test_a_human_is_asked_always_or_for_what_disrupts_a_critical_project_that_is_up(
    *, asking: Asking, critical: bool, name: str, alertname: str
) -> None:
    disrupts = critical and name == "restart_service" and alertname != "ProjectDown"
    expected = {Asking.ALWAYS: True, Asking.NEVER: False, Asking.AUTO: disrupts}[asking]
    why = asks(_step(name, approval=asking), make.project(critical=critical), alertname)
    assert (why is not None) == expected


def test_the_question_says_why_it_is_asked() -> None:
    scene = make.scene(
        project=make.project(critical=True), episode=make.episode(alertname="ProjectHighCPU")
    )
    pause = _step("pause_service")
    assert decide([pause], scene, UP) == Ask(
        step=pause, why="email-blast is critical, and pause_service is disruptive"
    )


PAUSED, RESUMED = (
    make.action(key=name, name=name, state=DONE) for name in ("pause_service", "resume_service")
)


STOPPED = make.action(name="stop_service", state=DONE)


@pytest.mark.parametrize(
    ("attempts", "left"),
    [
        ([], None),
        ([PAUSED], PAUSED),
        ([PAUSED, RESUMED], None),
        ([RESUMED, PAUSED], PAUSED),
        ([replace(PAUSED, state=FAILED)], None),
        ([PAUSED, replace(RESUMED, state=FAILED)], PAUSED),
        ([PAUSED, make.action(state=DONE)], PAUSED),
        ([STOPPED], STOPPED),
        ([make.action(name="command:tidy", state=DONE)], None),
    ],
)  # fmt: skip
def test_what_stopped_the_harm_is_to_be_taken_back_once(
    attempts: list[Action], left: Action | None
) -> None:
    assert to_take_back(attempts) == left


@pytest.mark.parametrize(
    ("history", "shown"),
    [
        ([], False),
        ([(9, FAILED)], False),
        ([(9, FAILED), (5, FAILED)], True),
        ([(9, DONE), (5, FAILED)], True),
        ([(9, FAILED), (5, DONE)], False),
        ([(70, FAILED), (65, FAILED)], False),
    ],
)
def test_a_breaker_is_shown_as_open_while_it_is(
    *, history: list[tuple[int, State]], shown: bool
) -> None:
    assert shown_open(Guards(), _tried(*history), now=NOW) is shown


def test_the_order_of_the_playbooks_ranks_the_open_episodes() -> None:
    playbooks = {"ProjectDown": ["restart_service"], "ProjectHighMemory": ["clear_cache"]}
    down = make.episode(id=1, ended_at=None)
    memory = make.episode(id=2, alertname="ProjectHighMemory")
    other = make.episode(id=3, alertname="SomethingElse")
    over = make.episode(id=4, ended_at=NOW)
    assert worst([other, memory, down], playbooks) == down
    assert worst([other, memory], playbooks) == memory
    assert worst([other, over], playbooks) == other
    assert worst([over], playbooks) is None
