"""By hand, from the intent on: what a person asked for is sent once, proven, and ends."""

from dataclasses import replace

import pytest

from orchestrator.commands import Command
from orchestrator.health import Probe
from tests.webhook import make
from tests.webhook.asking import ALONE, RESTRAINED, TAKEN, asked
from tests.webhook.make import NOW, SECOND
from tests.webhook.waiting import COOL, HOT, PAUSE, PAUSED, PAUSES
from tests.webhook.world import CLEAR, DOWN, OVER, UP, World, case, stepped, told
from webhook.case import Case
from webhook.executor import Refused, Unanswered
from webhook.incident import Episode, State
from webhook.restraint import Kind


def _running(
    state: State, *, forced: tuple[str, ...] = (), episodes: tuple[Episode, ...] = ALONE
) -> Case:
    wanted = replace(TAKEN, forced=forced)
    against = episodes[0].alertname if episodes and episodes[0].open else ""
    action = make.action(alertname=against)
    return asked(wanted, make.incident(state=state), episodes=episodes, action=action)


@pytest.mark.parametrize(
    ("kind", "forced", "sent"),
    [
        (Kind.HOLD, (), False),
        (Kind.HOLD, ("hold",), True),
        (Kind.HOLD, ("maintenance",), False),
        (Kind.MAINTENANCE, ("maintenance",), True),
        (Kind.KILL_SWITCH, ("hold", "maintenance"), False),
    ],
)
@pytest.mark.parametrize("episodes", [ALONE, (make.episode(),)], ids=["alone", "beside"])
async def test_before_each_sending_people_are_heard_unless_they_are_overridden(
    kind: Kind, forced: tuple[str, ...], *, sent: bool, episodes: tuple[Episode, ...]
) -> None:
    world = World(around=RESTRAINED[kind])
    await stepped(_running(State.REPAIRING, forced=forced, episodes=episodes), world)
    assert world.sent == (["key-1"] if sent else [])


async def test_an_unanswered_command_is_sent_again_under_the_same_key() -> None:
    world = World(outcome=Unanswered("connection reset"))
    first = await stepped(_running(State.REPAIRING), world)
    again = replace(_running(State.REPAIRING), incident=first.after, interrupted=True)
    await stepped(again, world)
    assert (first.after.state, world.sent) == (State.REPAIRING, ["key-1", "key-1"])


async def test_a_command_of_ours_that_may_be_repeated_is_run_again_whatever_is_seen() -> None:
    config = make.config(commands={"again": Command(argv=("/bin/true",), repeatable=True)})
    action = make.action(name="command:again", alertname="")
    made = asked(
        TAKEN, make.incident(state=State.REPAIRING), episodes=ALONE, action=action, interrupted=True
    )
    world = World(probe=UP)
    await stepped(made, world, config)
    assert world.sent == ["key-1"]


async def test_without_an_alert_the_second_good_look_is_the_proof() -> None:
    world = World(probe=UP, standing=None, after=SECOND)
    first = await stepped(_running(State.VERIFYING), world)
    second = await stepped(replace(_running(State.VERIFYING), incident=first.after), world)
    assert (first.after.state, told(first)) == (State.VERIFYING, ["RecoveryObserved"])
    assert (second.after.state, told(second)) == (State.CLOSED, ["ActionProven", "IncidentClosed"])
    assert second.events[1].data["how"] == "restart_service, asked for by ann, was proven"
    assert [each.state for each in second.action_became] == ["completed"]


@pytest.mark.parametrize(
    ("name", "probe"),
    [
        ("pause_service", PAUSED),
        ("stop_service", DOWN),
        ("resume_service", UP),
        ("start_service", UP),
    ],
)
async def test_what_a_person_wants_is_proven_by_what_it_is_for_and_left_so(
    name: str, probe: Probe
) -> None:
    recovered = make.incident(state=State.VERIFYING, recovered_at=NOW)
    made = asked(TAKEN, recovered, episodes=ALONE, action=make.action(name=name, alertname=""))
    change = await stepped(made, World(probe=probe, standing=None))
    assert (change.after.state, change.after.due_at) == (State.CLOSED, None)


@pytest.mark.parametrize("probe", [DOWN, PAUSED])
async def test_what_does_not_help_ends_there_and_asks_nobody(probe: Probe) -> None:
    change = await stepped(_running(State.VERIFYING), World(probe=probe, after=16 * SECOND))
    assert change.after.state is State.CLOSED
    assert told(change) == ["ActionFailed", "RESTART_FAILED", "IncidentClosed"]
    assert (change.page, [each.state for each in change.action_became]) == (None, ["failed"])


async def test_what_is_refused_by_the_control_ends_there() -> None:
    change = await stepped(_running(State.REPAIRING), World(outcome=Refused("not now")))
    assert change.events[-1].data["how"] == "restart_service, asked for by ann: not now"
    assert (change.after.state, told(change)[-1]) == (State.CLOSED, "IncidentClosed")


async def test_a_command_that_was_cut_off_is_in_doubt_and_asks_nobody() -> None:
    config = make.config(commands={"once": Command(argv=("/bin/true",))})
    action = make.action(name="command:once", alertname="")
    made = asked(
        TAKEN, make.incident(state=State.REPAIRING), episodes=ALONE, action=action, interrupted=True
    )
    change = await stepped(made, World(), config)
    assert (change.after.state, change.page, told(change)) == (
        State.CLOSED,
        None,
        ["IncidentClosed"],
    )
    assert [each.state for each in change.action_became] == ["unknown"]


async def test_a_project_that_leaves_during_it_asks_nobody() -> None:
    change = await stepped(_running(State.VERIFYING), World(), make.config(projects={}))
    assert (change.after.state, change.page) == (State.CLOSED, None)


async def test_with_an_alert_a_failed_one_is_decided_on_anew() -> None:
    made = _running(State.VERIFYING, episodes=(make.episode(),))
    change = await stepped(made, World(after=16 * SECOND))
    assert (change.after.state, told(change)) == (State.OPEN, ["ActionFailed", "RESTART_FAILED"])


async def test_with_an_alert_a_proven_one_has_resolved_it() -> None:
    made = _running(State.VERIFYING, episodes=(make.episode(),))
    well = replace(
        made,
        incident=replace(made.incident, recovered_at=NOW),
        episodes=(OVER,),
    )
    change = await stepped(well, World(probe=UP, standing=CLEAR, after=9 * SECOND))
    assert (change.after.state, told(change)[-1]) == (State.RESOLVED, "PROBLEM_RESOLVED")


async def test_alerts_before_it_are_looked_into_when_it_is_proven() -> None:
    made = _running(State.VERIFYING, episodes=(OVER,))
    well = replace(made, incident=replace(made.incident, recovered_at=NOW))
    change = await stepped(well, World(probe=UP))
    assert (change.after.state, told(change)) == (State.OPEN, ["ActionProven"])


async def test_an_alert_that_begins_during_it_is_waited_for_and_then_decided_on() -> None:
    made = replace(_running(State.VERIFYING), episodes=(HOT,))
    well = replace(made, incident=replace(made.incident, recovered_at=NOW))
    soon = await stepped(well, World(probe=UP, after=60 * SECOND))
    late = await stepped(well, World(probe=UP, after=61 * SECOND))
    assert soon.after.held == "Alertmanager still has ProjectHighCPU"
    assert (late.after.state, told(late)) == (State.OPEN, ["ActionProven"])


async def test_a_stop_during_which_an_alert_began_is_decided_on_with_that() -> None:
    action = make.action(name="stop_service", alertname="")
    made = asked(TAKEN, make.incident(state=State.VERIFYING), action=action)
    change = await stepped(made, World(probe=DOWN))
    assert (change.after.state, told(change)) == (State.OPEN, ["ActionProven"])


async def test_what_a_person_paused_without_an_alert_is_not_ours_to_resume() -> None:
    paused = replace(PAUSE, alertname="")
    world = World(probe=PAUSED, standing=CLEAR)
    by_a_person = await stepped(case(episodes=[COOL], attempts=[paused]), world, PAUSES)
    by_us = await stepped(case(episodes=[COOL], attempts=[PAUSE]), world, PAUSES)
    assert (by_a_person.after.state, by_us.after.held) == (
        State.CLOSED,
        "the alert has ended, and email-blast is paused, by us",
    )


async def test_people_are_asked_no_longer_for_what_a_person_paused_and_was_removed() -> None:
    asked = make.incident(state=State.ESCALATED, held_by="unknown_project")
    removed = make.config(projects={})
    left = [
        await stepped(case(asked, episodes=[COOL], attempts=[each]), World(), removed)
        for each in (replace(PAUSE, alertname=""), PAUSE)
    ]
    assert [each.after.state for each in left] == [State.CLOSED, State.ESCALATED]
