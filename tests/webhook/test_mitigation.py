"""What was paused is resumed once, when it is calm, and is never called healed before."""

from dataclasses import replace

import pytest

from orchestrator.config import Config
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.waiting import (
    COOL,
    HOLD,
    HOT,
    MINUTE,
    PAUSE,
    PAUSED,
    PAUSES,
    mitigated,
)
from tests.webhook.world import CLEAR, DOWN, UP, World, case, stepped, told
from webhook import action as law
from webhook.change import Change
from webhook.executor import Refused
from webhook.guard import Surroundings
from webhook.incident import Episode, Incident, State


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
    first = await _waited(mitigated(), World(probe=PAUSED, standing=CLEAR))
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
    calm = mitigated(recovered_at=NOW)
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
    change = await _waited(mitigated(recovered_at=NOW), world, episodes=episodes)
    assert (change.after.state, change.after.recovered_at) == (State.MITIGATED, None)


async def test_a_hold_keeps_it_paused_and_the_calm_goes_on_counting() -> None:
    around = Surroundings(restraints=(HOLD,))
    world = World(probe=PAUSED, standing=CLEAR, after=5 * MINUTE, around=around)
    change = await _waited(mitigated(recovered_at=NOW), world)
    assert (change.after.state, change.after.recovered_at, change.after.held_by) == (
        State.MITIGATED,
        NOW,
        "hold",
    )


async def test_what_somebody_has_resumed_is_decided_anew() -> None:
    change = await _waited(mitigated(), World(probe=UP, standing=CLEAR))
    assert (change.after.state, change.reason) == (State.OPEN, "somebody has taken it back")


async def test_down_while_paused_by_us_is_not_repaired_and_is_for_people() -> None:
    down = make.episode(id=2)
    change = await _waited(mitigated(), World(probe=DOWN), episodes=(COOL, down))
    assert (change.after.state, change.action_became, change.reason) == (
        State.ESCALATED,
        (),
        "email-blast went down while it was paused by us",
    )


async def test_a_pause_that_is_never_calm_is_for_people_after_an_hour() -> None:
    world = World(probe=PAUSED, after=61 * MINUTE)
    change = await _waited(mitigated(), world, episodes=(HOT,))
    assert (change.after.state, change.reason) == (
        State.ESCALATED,
        "pause_service has held for 1h, and ProjectHighCPU has not ended",
    )


async def test_a_silence_that_ended_with_its_alert_holds_no_resume() -> None:
    ended = replace(COOL, silenced="silenced until 14:03 UTC by bob: not now")
    calm = mitigated(recovered_at=NOW)
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
