"""A step on dry run is recorded instead of taken, and nobody is worse off than without it."""

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.config import Config
from orchestrator.guards import Guarding, Guards, WrittenGuards, WrittenLimits
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.waiting import COOL, HOLD, HOT, MINUTE, PAUSE, PAUSED, mitigated
from tests.webhook.world import CLEAR, DOWN, UP, World, case, stepped, told
from webhook import action as law
from webhook.action import Action
from webhook.approval import Approval, Decision
from webhook.catalogue import CATALOGUE
from webhook.guard import Surroundings
from webhook.incident import State
from webhook.policy import Act, Ask, Escalate, Shadow, Step, Would, decide, remaining
from webhook.remedy import Look

SEEN = Look(probe=UP)
TRIED = make.action(state=law.State.FAILED, executed_at=NOW - 10 * SECOND, detail="still down")


def _step(name: str = "restart_service", **guards: Any) -> Step:  # noqa: ANN401  any key
    return Step(remedy=CATALOGUE[name], guards=Guards(**guards))


DRY, LIVE = _step(dry_run=True), _step("clear_cache")
CRITICAL = make.scene(
    project=make.project(critical=True), episode=make.episode(alertname="ProjectHighCPU")
)


def test_what_would_be_done_is_recorded() -> None:
    assert decide([DRY, LIVE], make.scene(), SEEN) == Shadow(
        step=DRY, would=Would.ACT, reason="dry run; would restart_service email-blast"
    )


def test_what_people_would_be_asked_is_recorded_and_nobody_is_asked() -> None:
    pause = _step("pause_service", dry_run=True)
    assert decide([pause], CRITICAL, SEEN) == Shadow(
        step=pause,
        would=Would.ASK,
        reason="dry run; would ask people to allow pause_service:"
        " email-blast is critical, and pause_service is disruptive",
    )


def test_what_does_not_fit_would_not_be_done_and_is_not_recorded() -> None:
    rollback = _step("rollback_deployment", dry_run=True)
    assert decide([rollback, LIVE], make.scene(), SEEN) == Act(step=LIVE)


def test_what_holds_everything_holds_a_dry_run_too() -> None:
    held = make.scene(around=Surroundings(restraints=(HOLD,)))
    same = [decide(steps, held, SEEN) for steps in ([DRY, LIVE], [_step(), LIVE])]
    assert same[0] == same[1]


def test_a_dry_run_that_is_held_alone_is_recorded_and_holds_nothing_up() -> None:
    patient = _step(dry_run=True, cooldown=MINUTE)
    scene = make.scene(attempts=(TRIED,))
    assert decide([patient, _step("clear_cache", cooldown=SECOND)], scene, SEEN) == Shadow(
        step=patient,
        would=Would.ACT,
        reason="dry run; would restart_service email-blast, later:"
        " restart_service on email-blast held until 12:00:50 UTC: cooldown 1m",
    )


def test_a_dry_run_at_the_end_of_its_playbook_keeps_people_waiting_for_nothing() -> None:
    decision = decide([DRY], make.scene(attempts=(TRIED,)), SEEN)
    assert isinstance(decision, Shadow)


def test_once_it_is_recorded_the_playbook_goes_on_without_it() -> None:
    left = remaining(
        [DRY, LIVE], (), alertname="ProjectDown", now=NOW, shadowed=("restart_service",)
    )
    assert left == (LIVE,)


def test_a_step_that_is_live_again_is_taken_though_it_was_recorded() -> None:
    left = remaining(
        [_step(), LIVE], (), alertname="ProjectDown", now=NOW, shadowed=("restart_service",)
    )
    assert left == (_step(), LIVE)


def test_people_who_are_asked_hear_of_what_was_only_recorded() -> None:
    assert decide([], make.scene(shadowed=("restart_service",)), SEEN) == Escalate(
        reason="ProjectDown of email-blast goes on after 0 of our attempts"
        " (no restart_service: dry run)"
    )


@pytest.mark.parametrize(
    "attempts", [(), (TRIED,), (replace(TRIED, executed_at=NOW - 2 * MINUTE),)]
)
@pytest.mark.parametrize("around", [Surroundings(), Surroundings(repairs=9)])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("critical", [True, False])
def test_wherever_it_stands_the_end_is_as_if_it_were_not_in_the_playbook(
    attempts: tuple[Action, ...], around: Surroundings, place: int, *, critical: bool
) -> None:
    scene = replace(make.scene(), attempts=attempts, around=around)
    scene = replace(scene, project=make.project(critical=critical))
    live = [_step("clear_cache"), _step("stop_service", approval="always")]
    mixed = [*live[:place], DRY, *live[place:]]
    decision = decide(mixed, scene, SEEN)
    if isinstance(decision, Shadow):
        shadowed = ("restart_service",)
        left = remaining(mixed, (), alertname="ProjectDown", now=NOW, shadowed=shadowed)
        decision = decide(left, replace(scene, shadowed=shadowed), SEEN)
    assert isinstance(decision, type(decide(live, scene, SEEN)))
    assert not isinstance(decision, Shadow | Ask) or decision.step in live


def _dry(**guards: Any) -> Config:  # noqa: ANN401  any key
    given = WrittenGuards(actions={"restart_service": WrittenLimits(dry_run=True)}, **guards)
    playbooks = {"ProjectDown": ("restart_service", "stop_service")}
    return make.config(playbooks=playbooks, guards=Guarding(general=given))


async def test_the_record_is_an_action_that_was_never_executed() -> None:
    world = World(probe=DOWN)
    change = await stepped(case(), world, _dry())
    pending = make.action(state=law.State.PENDING, executed_at=None)
    reason = "dry run; would restart_service email-blast"
    assert change.action_became == (
        pending,
        replace(pending, state=law.State.SHADOWED, finished_at=NOW, detail=reason),
    )
    assert [(each.name, each.data) for each in change.events] == [
        (
            "ActionShadowed",
            {"action": "restart_service", "would": "act", "reason": reason, "key": "key-1"},
        )
    ]
    assert (change.after, world.sent) == (change.before.wait(NOW), [])


async def test_the_project_is_looked_at_before_it_is_recorded() -> None:
    change = await stepped(case(), World(probe=UP, standing=CLEAR), _dry())
    assert (told(change), change.action_became) == (["ActionWithheld"], ())


RECORDED = make.action(state=law.State.SHADOWED, executed_at=None, finished_at=NOW)


async def test_after_the_record_comes_the_next_step_at_once() -> None:
    made = replace(case(), shadowed=(RECORDED,))
    config = replace(_dry(), playbooks={"ProjectDown": ("restart_service", "start_service")})
    change = await stepped(made, World(probe=DOWN), config)
    assert [(each.name, each.state, each.attempt) for each in change.action_became[-1:]] == [
        ("start_service", "executing", 1)
    ]


async def test_after_the_last_record_people_are_asked() -> None:
    made = replace(case(), shadowed=(RECORDED,))
    config = replace(_dry(), playbooks={"ProjectDown": ("restart_service",)})
    change = await stepped(made, World(probe=DOWN), config)
    assert (change.after.state, change.reason) == (
        State.ESCALATED,
        "ProjectDown of email-blast goes on after 0 of our attempts (no restart_service: dry run)",
    )


async def test_a_record_against_one_alert_is_none_against_another() -> None:
    made = replace(case(), shadowed=(replace(RECORDED, alertname="ProjectHighCPU"),))
    change = await stepped(made, World(probe=DOWN), _dry())
    assert told(change) == ["ActionShadowed"]


async def test_a_question_is_withdrawn_when_its_action_comes_to_be_on_dry_run() -> None:
    asking = make.config(guards=make.guarding(approval="always"))
    first = await stepped(case(), World(probe=DOWN), asking)
    assert first.question is not None
    allowed = Approval(
        id=1,
        action="key-1",
        incident=1,
        project="email-blast",
        bound=first.question.bound,
        question=first.question.text,
        asked_at=NOW,
        expires_at=first.question.expires_at,
        decision=Decision.APPROVED,
        decided_by="ann",
    )
    waits = case(first.after, action=first.action_became[0], approval=allowed)
    world = World(probe=DOWN)
    change = await stepped(waits, world, _dry(approval="always"))
    assert (told(change), world.sent) == (["ApprovalWithdrawn"], [])


async def test_an_intent_is_not_sent_any_more_when_its_action_comes_to_be_on_dry_run() -> None:
    world = World(probe=DOWN)
    begun = case(make.incident(state=State.REPAIRING), action=make.action())
    change = await stepped(begun, world, _dry())
    assert (change.after.held, change.after.held_by, world.sent) == (
        "restart_service on email-blast held: dry run",
        "dry_run",
        [],
    )


async def test_what_is_paused_is_for_people_when_the_way_back_is_on_dry_run() -> None:
    config = make.config(
        playbooks={"ProjectHighCPU": ("pause_service",)}, guards=make.guarding(dry_run=True)
    )
    calm = case(mitigated(recovered_at=NOW), episodes=[COOL], attempts=[PAUSE])
    world = World(probe=PAUSED, standing=CLEAR, after=5 * MINUTE)
    change = await stepped(calm, world, config)
    assert (change.after.state, change.reason, world.sent) == (
        State.ESCALATED,
        "it is calm, and resume_service is for you: resume_service on email-blast held: dry run",
        [],
    )


async def test_a_dry_run_for_all_asks_people_and_does_nothing() -> None:
    config = make.config(guards=make.guarding(dry_run=True))
    world = World(probe=DOWN)
    first = await stepped(case(), world, config)
    recorded = replace(case(first.after), shadowed=tuple(first.action_became[-1:]))
    then = await stepped(recorded, world, config)
    assert (told(first), told(then), world.sent) == (
        ["ActionShadowed"],
        ["ESCALATION_REQUIRED"],
        [],
    )


async def test_a_hot_project_whose_pause_is_on_dry_run_goes_on_as_without_a_playbook() -> None:
    config = make.config(
        playbooks={"ProjectHighCPU": ("pause_service",)}, guards=make.guarding(dry_run=True)
    )
    world = World(probe=UP)
    change = await stepped(case(episodes=[HOT]), world, config)
    assert (told(change), world.sent) == (["ActionShadowed"], [])
