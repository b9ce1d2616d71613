"""What becomes of an incident while it waits for people, or for its end."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.commands import Command
from orchestrator.config import Config
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.waiting import (
    COOL,
    CRITICAL,
    HOLD,
    HOT,
    MINUTE,
    PAUSES,
    mitigated,
)
from tests.webhook.world import CLEAR, FIRING, OVER, UP, World, case, stepped
from webhook import action as law
from webhook.executor import Done
from webhook.guard import Surroundings
from webhook.incident import State

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
    change = await stepped(case(mitigated()), World(), NOBODY)
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


async def test_what_at_once_means_is_a_guard() -> None:
    world = World()
    await stepped(case(), world, make.config(guards=make.guarding(fleet_within="10m")))
    assert world.within == [10 * MINUTE]
