"""Each step of a repair: what it does in the world, and what becomes of the incident."""

import pytest

from orchestrator.config import Config
from orchestrator.project import Mode
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.world import CLEAR, DOWN, OVER, UP, World, case, stepped, told
from webhook import action as law
from webhook.executor import Refused, Unanswered
from webhook.guard import Surroundings
from webhook.incident import Incident, State
from webhook.restraint import Kind, Restraint

KILL = Restraint(
    id=1,
    kind=Kind.KILL_SWITCH,
    project=None,
    reason="stop",
    set_by="ann",
    starts_at=None,
    ends_at=NOW + 600 * SECOND,
)


async def test_a_project_that_is_down_gets_its_intent_committed_and_nothing_sent() -> None:
    world = World()
    change = await stepped(case(), world)
    assert change.after == make.incident(state=State.REPAIRING)
    assert [each.state for each in change.action_became] == ["pending", "approved", "executing"]
    assert change.action_became[-1] == make.action(detail="no approval needed")
    assert (told(change), world.sent) == (["ActionStarted"], [])


async def test_a_healthy_project_is_not_touched_whatever_the_alert_says() -> None:
    world = World(probe=UP)
    change = await stepped(case(), world)
    reason = "email-blast answers a probe (healthy); ProjectDown is not acted on"
    assert change.after == make.incident(due_at=NOW + 2 * SECOND, held=reason, held_by="evidence")
    assert (change.action_became, told(change)) == ((), ["ActionWithheld"])


async def test_a_hold_is_told_once_and_not_at_every_look() -> None:
    world = World(probe=UP)
    first = await stepped(case(), world)
    again = await stepped(case(first.after), world)
    assert (again.after, told(again)) == (first.after, [])


async def test_in_observe_mode_nothing_is_done_and_it_is_said_what_would_be() -> None:
    observed = make.config(projects={"email-blast": make.project(mode=Mode.OBSERVE)})
    change = await stepped(case(), World(), observed)
    assert change.after.held == "mode: observe; would restart_service email-blast"
    assert (change.action_became, told(change)) == ((), ["ActionWithheld"])


async def test_an_executed_command_leads_to_verification_not_to_success() -> None:
    world = World()
    repairing = make.incident(state=State.REPAIRING)
    change = await stepped(case(repairing, action=make.action()), world)
    assert change.after == make.incident(state=State.VERIFYING)
    assert (change.action_became, told(change), world.sent) == (
        (),
        ["ActionExecuted"],
        ["key-1"],
    )


async def test_an_unanswered_command_is_sent_again_under_the_same_key() -> None:
    world = World(outcome=Unanswered("connection reset"))
    repairing = make.incident(state=State.REPAIRING)
    first = await stepped(case(repairing, action=make.action()), world)
    await stepped(case(first.after, action=make.action()), world)
    assert first.after == make.incident(
        state=State.REPAIRING, due_at=NOW + SECOND / 2, held="connection reset"
    )
    assert world.sent == ["key-1", "key-1"]


async def test_a_command_that_stays_unanswered_for_a_minute_has_failed_and_is_not_sent_again() -> (
    None
):
    world = World(after=60 * SECOND)
    repairing = make.incident(state=State.REPAIRING, held="connection reset")
    change = await stepped(case(repairing, action=make.action()), world)
    assert [(each.state, each.detail) for each in change.action_became] == [
        ("failed", "connection reset")
    ]
    assert (change.after.state, world.sent) == (State.OPEN, [])


async def test_a_refused_command_has_failed_and_the_incident_is_open_again() -> None:
    world = World(outcome=Refused("no such action"))
    repairing = make.incident(state=State.REPAIRING)
    change = await stepped(case(repairing, action=make.action()), world)
    assert change.after == make.incident()
    assert change.action_became == (
        make.action(state=law.State.FAILED, finished_at=NOW, detail="no such action"),
    )
    assert told(change) == ["ActionFailed", "RESTART_FAILED"]


def _verifying(**changes: object) -> Incident:
    return make.incident(state=State.VERIFYING, **changes)


async def test_the_first_good_probe_is_told_and_proves_nothing() -> None:
    world = World(probe=UP, after=3 * SECOND)
    change = await stepped(case(_verifying(), action=make.action()), world)
    assert (change.after.state, change.after.recovered_at) == (State.VERIFYING, NOW + 3 * SECOND)
    assert told(change) == ["RecoveryObserved"]


async def test_a_proven_repair_is_resolved_with_its_downtime() -> None:
    world = World(probe=UP, standing=CLEAR, after=9 * SECOND)
    made = case(_verifying(recovered_at=NOW + 3 * SECOND), episodes=[OVER], action=make.action())
    change = await stepped(made, world)
    assert (change.after.state, change.after.due_at) == (State.RESOLVED, None)
    assert [each.state for each in change.action_became] == ["completed"]
    assert told(change) == ["EMAIL_BLAST_STATUS_CHANGED", "PROBLEM_RESOLVED"]
    assert dict(change.events[-1].data) == {
        "action": "restart_service",
        "attempt": 1,
        "key": "key-1",
        "downtime_seconds": 8.0,
        "text": "email-blast recovered after restart; it was down for 8 s",
    }


async def test_a_restart_that_did_not_help_is_a_failed_attempt() -> None:
    world = World(after=16 * SECOND)
    change = await stepped(case(_verifying(), action=make.action()), world)
    assert change.after.state is State.OPEN
    assert [(each.state, each.detail) for each in change.action_became] == [
        ("failed", "email-blast is still down: it refuses connections")
    ]
    assert told(change) == ["ActionFailed", "RESTART_FAILED"]


async def test_after_two_failures_people_are_asked_and_nothing_is_restarted() -> None:
    failed = [
        make.action(key=key, attempt=place, state=law.State.FAILED, detail="still down")
        for place, key in enumerate(("a", "b"), start=1)
    ]
    world = World(after=60 * SECOND)
    change = await stepped(case(attempts=failed), world)
    assert (change.after.state, world.sent) == (State.ESCALATED, [])
    assert told(change) == ["ESCALATION_REQUIRED"]


async def test_what_cannot_be_told_is_escalated_with_the_action_in_doubt() -> None:
    world = World(probe=UP, standing=None, after=70 * SECOND)
    made = case(_verifying(recovered_at=NOW), episodes=[OVER], action=make.action())
    change = await stepped(made, world)
    assert (change.after.state, change.reason) == (State.ESCALATED, "Prometheus does not answer")
    assert [each.state for each in change.action_became] == ["unknown"]


async def test_a_project_that_recovered_by_itself_is_closed_and_never_called_resolved() -> None:
    change = await stepped(case(episodes=[OVER]), World(probe=UP, after=9 * SECOND))
    assert (change.after.state, told(change)) == (
        State.CLOSED,
        ["EMAIL_BLAST_STATUS_CHANGED", "IncidentClosed"],
    )
    assert change.events[-1].data == {"how": "recovered by itself", "downtime_seconds": 8.0}


async def test_an_alert_that_ended_while_the_project_is_down_closes_nothing() -> None:
    change = await stepped(case(episodes=[OVER]), World(probe=DOWN))
    assert (change.after.state, told(change)) == (State.OPEN, ["ActionWithheld"])


async def test_an_escalation_ends_when_all_has_been_well_for_a_while() -> None:
    asked = make.incident(state=State.ESCALATED, held="because", asked_about=("ProjectDown",))
    waiting = await stepped(case(asked), World(probe=UP))
    still_down = await stepped(case(asked, episodes=[OVER]), World(probe=DOWN))
    well = await stepped(case(asked, episodes=[OVER]), World(probe=UP))
    again_down = await stepped(case(well.after, episodes=[OVER]), World(probe=DOWN))
    closed = await stepped(case(well.after, episodes=[OVER]), World(probe=UP, after=15 * SECOND))
    states = [each.after.state for each in (waiting, still_down, well, closed)]
    assert states == [State.ESCALATED, State.ESCALATED, State.ESCALATED, State.CLOSED]
    assert (well.after.recovered_at, again_down.after.recovered_at) == (NOW, None)
    assert closed.events[-1].data["how"] == "recovered after people were asked"


async def test_an_alert_of_a_project_that_is_not_configured_is_for_people() -> None:
    change = await stepped(case(), World(), make.config(projects={}))
    assert change.reason == "email-blast is not in orchestrator.yml"
    assert change.after.state is State.ESCALATED


async def test_a_project_that_was_removed_during_its_repair_is_for_people() -> None:
    world = World()
    repairing = make.incident(state=State.REPAIRING)
    change = await stepped(case(repairing, action=make.action()), world, make.config(projects={}))
    assert (change.after.state, world.sent) == (State.ESCALATED, [])
    assert [each.state for each in change.action_became] == ["unknown"]


async def test_a_removed_project_whose_alert_ended_is_closed() -> None:
    change = await stepped(case(episodes=[OVER]), World(), make.config(projects={}))
    assert change.events[-1].data["how"] == "removed from orchestrator.yml"


async def test_an_ended_alert_of_a_project_that_stays_down_is_for_people() -> None:
    first = await stepped(case(episodes=[OVER]), World(probe=DOWN))
    soon = await stepped(case(first.after, episodes=[OVER]), World(probe=DOWN, after=60 * SECOND))
    late = await stepped(case(soon.after, episodes=[OVER]), World(probe=DOWN, after=61 * SECOND))
    assert [each.after.state for each in (first, soon)] == [State.OPEN] * 2
    assert (late.after.state, told(late)) == (State.ESCALATED, ["ESCALATION_REQUIRED"])


async def test_a_bad_probe_takes_the_recovery_back() -> None:
    made = case(_verifying(recovered_at=NOW), action=make.action())
    change = await stepped(made, World(probe=DOWN, after=5 * SECOND))
    assert (change.after.state, change.after.recovered_at) == (State.VERIFYING, None)


HOT = make.episode(id=2, alertname="ProjectHighMemory")


async def test_a_repair_is_proven_by_its_own_alert_and_the_other_is_decided_on_next() -> None:
    verifying = _verifying(recovered_at=NOW)
    made = case(verifying, episodes=[OVER, HOT], action=make.action())
    soon = await stepped(made, World(probe=UP, standing=CLEAR, after=62 * SECOND))
    late = await stepped(made, World(probe=UP, standing=CLEAR, after=63 * SECOND))
    assert (soon.after.state, soon.after.held) == (
        State.VERIFYING,
        "Alertmanager still has ProjectHighMemory",
    )
    assert (late.after.state, told(late)) == (State.OPEN, ["ActionProven"])
    assert [each.state for each in late.action_became] == ["completed"]


async def test_another_alert_is_not_acted_on_before_it_can_know_what_was_done() -> None:
    done = make.action(state=law.State.COMPLETED, executed_at=NOW)
    config = make.config(playbooks={"ProjectHighMemory": ("clear_cache",)}, guards=QUICK)
    world = World(probe=UP, standing=make.standing(settle=60 * SECOND), after=59 * SECOND)
    change = await stepped(case(episodes=[HOT], attempts=[done]), world, config)
    assert change.after.held == "ProjectHighMemory needs 1m to see what restart_service did"


QUICK = make.guarding(cooldown="0s")


async def test_without_figures_read_since_the_action_nothing_is_proven() -> None:
    verifying = _verifying(recovered_at=NOW)
    action = make.action(name="clear_cache", alertname="ProjectHighMemory")
    over = make.episode(alertname="ProjectHighMemory", ended_at=NOW)
    made = case(verifying, episodes=[over], action=action)
    states = []
    for after in (9, 63):
        world = World(probe=UP, standing=CLEAR, fresh=False, after=after * SECOND)
        states.append((await stepped(made, world)).after.state)
    assert states == [State.VERIFYING, State.ESCALATED]


@pytest.mark.parametrize(
    ("config", "around"),
    [
        (make.config(projects={"email-blast": make.project(mode=Mode.OBSERVE)}), Surroundings()),
        (make.config(), Surroundings(restraints=(KILL,))),
    ],
)
async def test_what_is_decided_is_not_sent_when_people_have_said_no_since(
    config: Config, around: Surroundings
) -> None:
    world = World(around=around)
    repairing = make.incident(state=State.REPAIRING)
    change = await stepped(case(repairing, action=make.action()), world, config)
    assert (change.after.state, world.sent) == (State.REPAIRING, [])
