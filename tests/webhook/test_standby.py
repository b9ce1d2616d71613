"""What becomes of an incident while it waits: for people, for calm, for its end."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.commands import Command
from orchestrator.config import Config
from orchestrator.health import Probe
from orchestrator.health import State as Health
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.world import CLEAR, DOWN, FIRING, OVER, UP, World, case, stepped, told
from webhook import action as law
from webhook.approval import Approval, Decision
from webhook.case import Case
from webhook.change import Change
from webhook.executor import Done, Refused
from webhook.guard import Surroundings
from webhook.incident import Episode, Incident, State
from webhook.restraint import Kind, Restraint

MINUTE = timedelta(minutes=1)
PAUSED = Probe(state=Health.PAUSED, reason=None, seconds=0.01)
HOT = make.episode(alertname="ProjectHighCPU")
COOL = replace(HOT, ended_at=NOW)
CRITICAL = make.config(
    projects={"email-blast": make.project(critical=True)},
    playbooks={"ProjectDown": ("restart_service",), "ProjectHighCPU": ("pause_service",)},
)
HOLD = Restraint(
    id=1,
    kind=Kind.HOLD,
    project=None,
    reason="not now",
    set_by="ann",
    starts_at=NOW - MINUTE,
    ends_at=None,
)


async def _asked(**changes: Any) -> Case:  # noqa: ANN401  any field of the approval
    """Make a case in which people were asked whether email-blast may be paused."""
    first = await stepped(case(episodes=[HOT]), World(probe=UP), CRITICAL)
    assert first.question is not None
    given: dict[str, Any] = {
        "id": 1,
        "action": "key-1",
        "incident": 1,
        "project": "email-blast",
        "bound": first.question.bound,
        "question": first.question.text,
        "asked_at": NOW,
        "expires_at": first.question.expires_at,
    }
    return case(
        first.after,
        episodes=[HOT],
        action=first.action_became[0],
        approval=Approval(**{**given, **changes}),
    )


YES = {"decision": Decision.APPROVED, "decided_by": "ann", "reason": "go on"}


async def test_a_question_is_asked_with_the_action_pending_and_nothing_sent() -> None:
    world = World(probe=UP)
    change = await stepped(case(episodes=[HOT]), world, CRITICAL)
    text = (
        "pause_service on email-blast waits for a human:"
        " email-blast is critical, and pause_service is disruptive"
    )
    assert change.question is not None
    assert change.page is not None
    assert (change.question.text, change.question.expires_at) == (text, NOW + 15 * MINUTE)
    assert (change.after.state, change.after.held) == (State.AWAITING_APPROVAL, text)
    assert [each.state for each in change.action_became] == [law.State.PENDING]
    assert (told(change), world.sent) == (["ApprovalRequested"], [])


async def test_without_an_answer_it_waits() -> None:
    change = await stepped(await _asked(), World(probe=UP, after=MINUTE), CRITICAL)
    assert (change.after.state, change.action_became) == (State.AWAITING_APPROVAL, ())


async def test_an_allowed_action_is_begun_and_says_by_whom() -> None:
    change = await stepped(await _asked(**YES), World(probe=UP, after=MINUTE), CRITICAL)
    assert change.after.state is State.REPAIRING
    assert [each.state for each in change.action_became] == ["approved", "executing"]
    assert change.action_became[-1].detail == "allowed by ann"


@pytest.mark.parametrize(
    ("world", "held"),
    [
        (
            World(probe=PAUSED, after=MINUTE),
            "email-blast is paused, and somebody chose so; ProjectHighCPU is not acted on",
        ),
        (
            World(probe=UP, standing=CLEAR, after=MINUTE),
            "ProjectHighCPU of email-blast does not fire in Prometheus",
        ),
        (
            World(probe=UP, after=MINUTE, around=Surroundings(restraints=(HOLD,))),
            "pause_service on email-blast held: hold by ann: not now",
        ),
        (World(probe=DOWN, after=MINUTE), "no pause_service: it does not answer"),
    ],
)
async def test_what_was_allowed_is_looked_at_again_before_it_is_done(
    world: World, held: str
) -> None:
    change = await stepped(await _asked(**YES), world, CRITICAL)
    assert (change.after.state, change.after.held) == (State.AWAITING_APPROVAL, held)
    assert (change.action_became, world.sent) == ((), [])


LATE = World(probe=UP, after=15 * MINUTE)


@pytest.mark.parametrize(
    ("answer", "world", "left", "reason"),
    [
        ({}, LATE, "expired", "nobody said yes or no to pause_service in time"),
        (
            YES,
            replace(LATE, probe=PAUSED),
            "expired",
            (
                "ann allowed pause_service, and until it expired: email-blast is paused, and"
                " somebody chose so; ProjectHighCPU is not acted on"
            ),
        ),
        (
            {**YES, "decision": Decision.REJECTED, "reason": "it is payday"},
            World(probe=UP, after=MINUTE),
            "rejected",
            "ann rejected pause_service: it is payday",
        ),
    ],
)
async def test_a_no_and_an_expiry_are_for_people_and_are_not_the_same(
    answer: dict[str, Any], world: World, left: str, reason: str
) -> None:
    change = await stepped(await _asked(**answer), world, CRITICAL)
    assert [each.state for each in change.action_became] == [left]
    assert (change.after.state, change.reason, world.sent) == (State.ESCALATED, reason, [])


async def test_a_question_whose_alert_has_ended_is_withdrawn() -> None:
    asked = replace(await _asked(**YES), episodes=(COOL,))
    change = await stepped(asked, World(probe=UP, after=MINUTE), CRITICAL)
    assert [(each.state, each.detail) for each in change.action_became] == [
        ("cancelled", "the alert has ended")
    ]
    assert (change.after.state, told(change)) == (State.OPEN, ["ApprovalWithdrawn"])


async def test_a_question_is_withdrawn_when_something_worse_fires() -> None:
    asked = replace(await _asked(**YES), episodes=(HOT, make.episode(id=2)))
    change = await stepped(asked, World(after=MINUTE), CRITICAL)
    assert (change.after.state, change.reason) == (State.OPEN, "ProjectDown fires now")


@pytest.mark.parametrize(
    "changed",
    [
        make.config(
            projects={"email-blast": make.project(critical=True, url="http://127.0.0.1:3999")},
            playbooks=CRITICAL.playbooks,
        ),
        replace(CRITICAL, guards=make.guarding(attempts=2)),
        replace(CRITICAL, guards=make.guarding(approval_within="5m")),
    ],
)
async def test_a_yes_to_something_else_is_no_yes(changed: Config) -> None:
    change = await stepped(await _asked(**YES), World(probe=UP, after=MINUTE), changed)
    assert [each.state for each in change.action_became] == ["cancelled"]
    assert change.after.state is State.OPEN


async def test_a_yes_to_what_has_left_the_playbook_is_no_yes() -> None:
    changed = replace(CRITICAL, playbooks={**CRITICAL.playbooks, "ProjectHighCPU": ()})
    change = await stepped(await _asked(**YES), World(probe=UP, after=MINUTE), changed)
    assert change.reason == "pause_service is not in the playbook any more"


async def test_a_yes_for_another_outage_is_no_yes() -> None:
    asked = replace(await _asked(**YES), episodes=(replace(HOT, id=2),))
    change = await stepped(asked, World(probe=UP, after=MINUTE), CRITICAL)
    assert [each.state for each in change.action_became] == ["cancelled"]


async def test_how_long_a_question_is_open_is_a_guard() -> None:
    short = replace(CRITICAL, guards=make.guarding(approval_within="5m"))
    change = await stepped(case(episodes=[HOT]), World(probe=UP), short)
    assert change.question is not None
    assert change.question.expires_at == NOW + 5 * MINUTE


# What was paused, and waits for calm.
PAUSE = make.action(name="pause_service", alertname="ProjectHighCPU", state=law.State.COMPLETED)
PAUSES = make.config(playbooks={"ProjectHighCPU": ("pause_service",)})


def _mitigated(**changes: Any) -> Incident:  # noqa: ANN401  any field of it
    return make.incident(state=State.MITIGATED, **changes)


async def _waited(
    incident: Incident,
    world: World,
    *,
    episodes: tuple[Episode, ...] = (COOL,),
    config: Config = PAUSES,
) -> Change:
    return await stepped(case(incident, episodes=episodes, attempts=[PAUSE]), world, config)


async def test_a_pause_that_is_seen_is_mitigated_and_never_resolved() -> None:
    verifying = make.incident(state=State.VERIFYING)
    begun = replace(PAUSE, state=law.State.EXECUTING)
    change = await stepped(
        case(verifying, episodes=[HOT], action=begun), World(probe=PAUSED), PAUSES
    )
    assert (change.after.state, told(change)) == (State.MITIGATED, ["Mitigated"])
    assert [each.state for each in change.action_became] == ["completed"]


async def test_a_pause_that_does_not_show_has_failed() -> None:
    verifying = make.incident(state=State.VERIFYING)
    begun = replace(PAUSE, state=law.State.EXECUTING)
    world = World(probe=UP, after=16 * SECOND)
    change = await stepped(case(verifying, episodes=[HOT], action=begun), world, PAUSES)
    assert [(each.state, each.detail) for each in change.action_became] == [
        ("failed", "email-blast is healthy after pause_service")
    ]


async def test_calm_begins_with_the_first_calm_look_and_ends_the_pause_after_five_minutes() -> None:
    first = await _waited(_mitigated(), World(probe=PAUSED, standing=CLEAR))
    soon = await _waited(first.after, World(probe=PAUSED, standing=CLEAR, after=4 * MINUTE))
    then = await _waited(soon.after, World(probe=PAUSED, standing=CLEAR, after=5 * MINUTE))
    assert [each.after.recovered_at for each in (first, soon)] == [NOW, NOW]
    assert [each.after.state for each in (first, soon, then)] == [
        State.MITIGATED,
        State.MITIGATED,
        State.REPAIRING,
    ]
    assert [(each.name, each.state) for each in then.action_became[-1:]] == [
        ("resume_service", "executing")
    ]


async def test_how_long_it_has_to_be_calm_is_a_guard() -> None:
    quick = replace(PAUSES, guards=make.guarding(resume_after="1m"))
    calm = _mitigated(recovered_at=NOW)
    world = World(probe=PAUSED, standing=CLEAR, after=MINUTE)
    change = await _waited(calm, world, config=quick)
    assert change.after.state is State.REPAIRING


@pytest.mark.parametrize(
    ("world", "episodes"),
    [
        (World(probe=PAUSED, after=9 * MINUTE), (COOL,)),
        (World(probe=PAUSED, standing=None, after=9 * MINUTE), (COOL,)),
        (World(probe=PAUSED, standing=CLEAR, after=9 * MINUTE), (HOT,)),
        (World(probe=DOWN, standing=CLEAR, after=9 * MINUTE), (COOL,)),
    ],
)
async def test_without_calm_nothing_is_resumed_and_the_calm_begins_anew(
    world: World, episodes: tuple[Episode, ...]
) -> None:
    change = await _waited(_mitigated(recovered_at=NOW), world, episodes=episodes)
    assert (change.after.state, change.after.recovered_at) == (State.MITIGATED, None)


async def test_a_hold_keeps_it_paused_and_the_calm_goes_on_counting() -> None:
    around = Surroundings(restraints=(HOLD,))
    world = World(probe=PAUSED, standing=CLEAR, after=5 * MINUTE, around=around)
    change = await _waited(_mitigated(recovered_at=NOW), world)
    assert (change.after.state, change.after.recovered_at, change.after.held_by) == (
        State.MITIGATED,
        NOW,
        "hold",
    )


async def test_what_somebody_has_resumed_is_decided_anew() -> None:
    change = await _waited(_mitigated(), World(probe=UP, standing=CLEAR))
    assert (change.after.state, change.reason) == (State.OPEN, "somebody has taken it back")


async def test_down_while_paused_by_us_is_not_repaired_and_is_for_people() -> None:
    down = make.episode(id=2)
    change = await _waited(_mitigated(), World(probe=DOWN), episodes=(COOL, down))
    assert (change.after.state, change.action_became, change.reason) == (
        State.ESCALATED,
        (),
        "email-blast went down while it was paused by us",
    )


async def test_a_pause_that_is_never_calm_is_for_people_after_an_hour() -> None:
    world = World(probe=PAUSED, after=61 * MINUTE)
    change = await _waited(_mitigated(), world, episodes=(HOT,))
    assert (change.after.state, change.reason) == (
        State.ESCALATED,
        "pause_service has held for 1h, and ProjectHighCPU has not ended",
    )


async def test_a_silence_that_ended_with_its_alert_holds_no_resume() -> None:
    ended = replace(COOL, silenced="silenced until 14:03 UTC by bob: not now")
    calm = _mitigated(recovered_at=NOW)
    world = World(probe=PAUSED, standing=CLEAR, after=5 * MINUTE)
    change = await _waited(calm, world, episodes=(ended,))
    assert change.after.state is State.REPAIRING


RESUME = make.action(key="key-2", name="resume_service", alertname="ProjectHighCPU")


async def test_a_resume_that_holds_is_a_problem_resolved() -> None:
    verifying = make.incident(state=State.VERIFYING, recovered_at=NOW)
    made = case(verifying, episodes=[COOL], action=RESUME, attempts=[PAUSE, RESUME])
    change = await stepped(made, World(probe=UP, standing=CLEAR, after=9 * SECOND), PAUSES)
    assert (change.after.state, told(change)) == (State.RESOLVED, ["PROBLEM_RESOLVED"])
    assert change.events[0].data["text"] == "email-blast recovered after resume"


async def test_a_resume_that_fails_is_for_people_and_never_the_end() -> None:
    repairing = make.incident(state=State.REPAIRING)
    made = case(repairing, episodes=[COOL], action=RESUME, attempts=[PAUSE, RESUME])
    change = await stepped(made, World(probe=PAUSED, outcome=Refused("it is stuck")), PAUSES)
    assert [each.state for each in change.action_became] == ["failed"]
    assert (change.after.state, change.reason) == (
        State.ESCALATED,
        "resume_service did not help: it is stuck",
    )


async def test_what_we_left_paused_is_not_closed_as_recovered() -> None:
    asked = make.incident(state=State.ESCALATED, escalated_at=NOW)
    made = case(asked, episodes=[COOL], attempts=[PAUSE])
    change = await stepped(made, World(probe=PAUSED, standing=CLEAR), PAUSES)
    assert change.after.state is State.ESCALATED


async def test_a_re_fire_after_a_resume_is_for_people() -> None:
    resumed = replace(RESUME, state=law.State.COMPLETED)
    made = case(episodes=[HOT], attempts=[PAUSE, resumed])
    change = await stepped(made, World(probe=UP, after=30 * MINUTE), PAUSES)
    assert change.after.state is State.ESCALATED


# With people.
ESCALATED = make.incident(
    state=State.ESCALATED, escalated_at=NOW, held="because", asked_about=("ProjectHighCPU",)
)


async def test_when_people_have_healed_it_its_attempts_count_no_more() -> None:
    well = replace(ESCALATED, recovered_at=NOW)
    change = await stepped(case(well, episodes=[OVER]), World(probe=UP, after=MINUTE))
    assert (change.after.state, change.forgive) == (State.CLOSED, NOW - 59 * MINUTE)


async def test_something_worse_that_fires_later_is_looked_into() -> None:
    down = make.episode(id=2, received_at=NOW + SECOND)
    change = await stepped(case(ESCALATED, episodes=[HOT, down]), World(after=2 * SECOND), CRITICAL)
    assert (change.after.state, change.reason) == (State.OPEN, "ProjectDown fires now, too")


async def test_the_same_alert_again_is_not() -> None:
    again = replace(HOT, id=2)
    change = await stepped(case(ESCALATED, episodes=[COOL, again]), World(after=SECOND), CRITICAL)
    assert change.after.state is State.ESCALATED


async def test_an_alert_that_had_ended_before_they_were_asked_is_none_they_know_of() -> None:
    down_again = make.episode(id=3)
    made = case(ESCALATED, episodes=[OVER, replace(HOT, id=2), down_again])
    change = await stepped(made, World(after=SECOND), CRITICAL)
    assert (change.after.state, change.reason) == (State.OPEN, "ProjectDown fires now, too")


async def test_what_people_were_asked_about_is_what_fires_then() -> None:
    made = case(episodes=[OVER, replace(HOT, id=2)])
    change = await stepped(made, World(probe=UP), make.config(playbooks={}))
    assert change.after.asked_about == ("ProjectHighCPU",)


async def test_what_fires_after_all_that_they_were_asked_about_has_ended_is_looked_into() -> None:
    down = make.episode(id=2, received_at=NOW + SECOND)
    world = World(after=2 * SECOND)
    change = await stepped(case(ESCALATED, episodes=[COOL, down]), world, CRITICAL)
    assert change.after.state is State.OPEN


HOLDS = "the alert has ended, and ProjectHighCPU holds in Prometheus"
UNHEARD = "the alert has ended, and Prometheus does not answer whether ProjectHighCPU has"
UNREAD = "the alert has ended, and no figures of email-blast were read since"


@pytest.mark.parametrize(
    ("world", "held"),
    [
        (World(probe=UP, standing=FIRING, after=MINUTE), HOLDS),
        (World(probe=UP, standing=None, after=MINUTE), UNHEARD),
        (World(probe=UP, standing=CLEAR, fresh=False, after=MINUTE), UNREAD),
    ],
)
async def test_the_end_of_an_alert_is_believed_only_when_prometheus_agrees(
    world: World, held: str
) -> None:
    opened = await stepped(case(episodes=[COOL]), world, PAUSES)
    asked = await stepped(case(ESCALATED, episodes=[COOL]), world, PAUSES)
    assert (opened.after.state, opened.after.held) == (State.OPEN, held)
    assert (asked.after.state, asked.after.held) == (State.ESCALATED, "because")


async def test_what_nobody_can_tell_for_an_hour_is_for_people() -> None:
    waits = make.incident(recovered_at=NOW)
    world = World(probe=UP, standing=FIRING, after=61 * MINUTE)
    change = await stepped(case(waits, episodes=[COOL]), world, PAUSES)
    assert change.after.state is State.ESCALATED


async def test_people_who_said_hands_off_are_not_asked_when_the_alert_ends() -> None:
    waits = make.incident(recovered_at=NOW)
    world = World(around=Surroundings(restraints=(HOLD,)), after=5 * MINUTE)
    change = await stepped(case(waits, episodes=[OVER]), world)
    assert (change.after.state, change.after.held_by) == (State.OPEN, "hold")


async def test_of_a_fleet_that_fell_none_is_for_people_by_itself_when_the_monitor_dies() -> None:
    held = make.incident(held="held", held_by="fleet", recovered_at=NOW)
    change = await stepped(case(held, episodes=[OVER]), World(after=10 * MINUTE))
    assert (change.after.state, change.after.held_by) == (State.OPEN, "fleet")


async def test_what_seems_to_have_fallen_with_others_is_looked_at() -> None:
    world = World(probe=UP, around=Surroundings(fleet=4, fell=("a", "b", "email-blast")))
    change = await stepped(case(), world)
    assert (change.after.held_by, change.page) == ("evidence", None)


async def test_a_project_that_is_configured_now_is_decided_on() -> None:
    unknown = replace(ESCALATED, held_by="unknown_project")
    change = await stepped(case(unknown), World())
    assert (change.after.state, change.reason) == (
        State.OPEN,
        "email-blast is in orchestrator.yml now",
    )


# Without a project.
NOBODY = make.config(projects={})


async def test_a_project_that_left_the_configuration_is_closed_as_removed_while_it_fires() -> None:
    states = [make.incident(held="cooldown"), ESCALATED]
    changes = [await stepped(case(each), World(), NOBODY) for each in states]
    assert [(each.after.state, each.reason) for each in changes] == [
        (State.CLOSED, "removed from orchestrator.yml")
    ] * 2


async def test_one_that_was_paused_by_us_then_is_for_people() -> None:
    change = await stepped(case(_mitigated()), World(), NOBODY)
    assert (change.after.state, change.reason) == (
        State.ESCALATED,
        (
            "email-blast was removed from orchestrator.yml while it was paused by us,"
            " and is paused still"
        ),
    )


async def test_one_that_was_never_configured_stays_with_people_until_it_ends() -> None:
    first = await stepped(case(), World(), NOBODY)
    again = await stepped(case(first.after), World(after=MINUTE), NOBODY)
    over = await stepped(case(again.after, episodes=[OVER]), World(after=2 * MINUTE), NOBODY)
    assert [each.after.state for each in (first, again, over)] == [
        State.ESCALATED,
        State.ESCALATED,
        State.CLOSED,
    ]


# Commands, which know no keys.
TIDY = make.action(name="command:tidy")


def _commands(**said: Any) -> Config:  # noqa: ANN401  any key of a command
    return make.config(
        playbooks={"ProjectDown": ("command:tidy",)},
        commands={"tidy": Command(argv=("/bin/true",), **said)},
    )


async def test_a_command_that_a_crash_cut_off_is_not_run_again() -> None:
    world = World()
    made = case(make.incident(state=State.REPAIRING), action=TIDY, interrupted=True)
    change = await stepped(made, world, _commands())
    assert [each.state for each in change.action_became] == ["unknown"]
    assert (change.after.state, world.sent) == (State.ESCALATED, [])


async def test_a_repeatable_one_is_run_again_when_the_project_is_as_bad_as_before() -> None:
    world = World(outcome=Done("tidied", "3 files\n"))
    made = case(make.incident(state=State.REPAIRING), action=TIDY, interrupted=True)
    change = await stepped(made, world, _commands(repeatable=True))
    assert (change.after.state, world.sent) == (State.VERIFYING, ["key-1"])
    assert change.action_became[-1].output == "3 files\n"


async def test_and_is_not_when_the_project_is_well() -> None:
    world = World(probe=UP)
    made = case(make.incident(state=State.REPAIRING), action=TIDY, interrupted=True)
    change = await stepped(made, world, _commands(repeatable=True))
    assert (change.after.state, world.sent) == (State.VERIFYING, [])


@pytest.mark.parametrize("state", [State.REPAIRING, State.VERIFYING])
async def test_a_command_that_was_taken_out_while_it_ran_is_for_people(state: State) -> None:
    change = await stepped(case(make.incident(state=state), action=TIDY), World())
    assert [each.state for each in change.action_became] == ["unknown"]
    assert change.reason == (
        "command:tidy is not in orchestrator.yml any more;"
        " whether it was done, or helped, is not known"
    )


async def test_a_command_that_was_taken_out_before_it_was_allowed_is_withdrawn() -> None:
    waiting = make.incident(state=State.AWAITING_APPROVAL)
    pending = replace(TIDY, state=law.State.PENDING, executed_at=None)
    change = await stepped(case(waiting, action=pending), World())
    assert [each.state for each in change.action_became] == ["cancelled"]


async def test_a_clock_that_was_set_back_makes_no_wait_longer() -> None:
    ahead = NOW + timedelta(hours=1)
    verifying = make.incident(state=State.VERIFYING, since=ahead, recovered_at=ahead)
    made = case(verifying, episodes=[OVER], action=make.action())
    change = await stepped(made, World(probe=UP, standing=CLEAR))
    assert (change.after.since, change.after.recovered_at) == (NOW, NOW)


async def test_a_fleet_that_falls_at_once_is_not_touched_and_people_are_told_once() -> None:
    fell = ("a", "b", "email-blast")
    world = World(around=Surroundings(fleet=4, fell=fell))
    change = await stepped(case(), world)
    assert (change.after.state, change.after.held_by, world.sent) == (State.OPEN, "fleet", [])
    assert change.page is not None
    assert change.page.labels["alertname"] == "FleetDown"
