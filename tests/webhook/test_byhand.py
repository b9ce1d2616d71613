"""By hand: what a person asks for is taken or turned down at once, and ends as a person expects."""

from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import pytest

from orchestrator.commands import Command
from orchestrator.config import Config
from orchestrator.health import Probe
from orchestrator.project import Mode
from tests.webhook import make
from tests.webhook.asking import request
from tests.webhook.make import NOW, SECOND
from tests.webhook.waiting import COOL, HOT, MINUTE, PAUSE, PAUSED, PAUSES, mitigated
from tests.webhook.world import CLEAR, DOWN, OVER, UP, World, case, stepped, told
from webhook import action as law
from webhook.action import Action
from webhook.byhand import TAKES
from webhook.case import Case
from webhook.change import Change
from webhook.executor import Refused, Unanswered
from webhook.guard import Surroundings
from webhook.incident import ENDED, Episode, Incident, State
from webhook.policy import shown_open
from webhook.request import FORCIBLE, KNOWN, Outcome, Request
from webhook.restraint import Kind, Restraint

ALONE: tuple[Episode, ...] = ()  # no alert was ever part of it
TAKEN = request().taken("key-1", (), at=NOW)


def _asked(
    wanted: Request | None = None,
    incident: Incident | None = None,
    *,
    episodes: tuple[Episode, ...] | None = None,
    action: Action | None = None,
    attempts: tuple[Action, ...] = (),
    interrupted: bool = False,
) -> Case:
    """Make a case with a request: an open one for a restart, when nothing else is said."""
    made = case(incident, action=action, attempts=attempts, interrupted=interrupted)
    found = made.episodes if episodes is None else episodes
    return replace(made, episodes=found, request=wanted or request())


def _ended(change: Change) -> tuple[object, ...]:
    """Return what the request came to, and by which guard."""
    assert change.request is not None
    return change.request.outcome, change.request.guard


RESTRAINED = {
    kind: Surroundings(
        restraints=(
            Restraint(
                id=1,
                kind=kind,
                project=None,
                reason="moving",
                set_by="bob",
                starts_at=None,
                ends_at=NOW + MINUTE,
            ),
        )
    )
    for kind in Kind
}
FAILED = make.action(state=law.State.FAILED, executed_at=NOW - 10 * MINUTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What makes one guard, and no other, hold a restart of email-blast."""

    until: Any = None
    around: Surroundings = field(default_factory=Surroundings)
    episode: Episode = field(default_factory=make.episode)
    attempts: tuple[Action, ...] = ()
    probe: Probe = DOWN
    project: dict[str, Any] = field(default_factory=dict)
    guards: dict[str, Any] = field(default_factory=dict)

    def config(self) -> Config:
        return make.config(
            projects={"email-blast": make.project(**self.project)},
            guards=make.guarding(**self.guards),
        )


SCENES = {
    "kill_switch": Scene(around=RESTRAINED[Kind.KILL_SWITCH], until=NOW + MINUTE),
    "maintenance": Scene(around=RESTRAINED[Kind.MAINTENANCE], until=NOW + MINUTE),
    "hold": Scene(around=RESTRAINED[Kind.HOLD], until=NOW + MINUTE),
    "silence": Scene(episode=make.episode(silenced="silenced by bob")),
    "observe": Scene(project={"mode": Mode.OBSERVE}),
    "fleet": Scene(around=Surroundings(fleet=4, fell=("a", "b", "email-blast"))),
    "dependency": Scene(around=Surroundings(parents_down=("billing",))),
    "cooldown": Scene(
        attempts=(make.action(state=law.State.COMPLETED, executed_at=NOW - 10 * SECOND),),
        until=NOW + 20 * SECOND,
    ),
    "concurrency": Scene(around=Surroundings(repairs=4)),
    "dry_run": Scene(guards={"dry_run": True}),
    "attempts": Scene(
        attempts=(FAILED,), guards={"attempts": 1, "window": "1h"}, until=NOW + 50 * MINUTE
    ),
    "breaker": Scene(
        attempts=(replace(FAILED, executed_at=NOW - 20 * MINUTE), FAILED), until=NOW + 40 * MINUTE
    ),
    "precondition": Scene(probe=PAUSED),
}


def test_every_guard_has_a_scene_here() -> None:
    assert set(SCENES) == set(KNOWN)


@pytest.mark.parametrize(("held", "forced"), list(product(KNOWN, [None, *FORCIBLE])))
async def test_a_guard_refuses_at_once_unless_it_is_overridden_by_its_name(
    held: str, forced: str | None
) -> None:
    scene = SCENES[held]
    wanted = request(forced=() if forced is None else (forced,))
    made = _asked(wanted, episodes=(scene.episode,), attempts=scene.attempts)
    world = World(probe=scene.probe, around=scene.around)
    change = await stepped(made, world, scene.config())
    assert change.request is not None
    if forced == held:
        assert (change.request.outcome, change.request.overrode) == (Outcome.TAKEN, (held,))
        assert (change.after.state, told(change)) == (State.REPAIRING, ["ActionStarted"])
        assert change.events[0].data["overrode"] == held
        detail = f"asked for by ann, overriding {held}: it hangs"
        assert [each.detail for each in change.action_became[1:]] == [detail, detail]
        return
    assert (_ended(change), change.request.until) == ((Outcome.REFUSED, held), scene.until)
    assert (change.after, change.action_became) == (make.incident(), ())
    assert told(change) == ["RequestRefused"]
    assert change.events[0].data["guard"] == held


@pytest.mark.parametrize("window", ["2d", "1h"])
async def test_an_end_on_another_day_is_told_with_its_day(window: str) -> None:
    made = _asked(attempts=(FAILED,))
    guards = make.guarding(attempts=1, window=window)
    change = await stepped(made, World(), replace(make.config(), guards=guards))
    assert change.request is not None
    until = {"2d": "2026-11-23 11:50:00", "1h": "12:50:00"}[window]
    assert change.request.why == (
        f"restart_service on email-blast held until {until} UTC:"
        f" 1 attempts within {window}, and 1 are the limit"
    )


@pytest.mark.parametrize(
    ("state", "wanted"),
    list(product([each for each in State if each not in ENDED], [request(), TAKEN])),
)
async def test_only_where_nothing_is_under_way_is_a_request_taken(
    state: State, wanted: Request
) -> None:
    acting = state in (State.REPAIRING, State.VERIFYING, State.AWAITING_APPROVAL)
    under_way = make.action(state=law.State.PENDING) if state is State.AWAITING_APPROVAL else None
    action = (under_way or make.action()) if acting else None
    made = _asked(wanted, make.incident(state=state), action=action)
    change = await stepped(made, World())
    assert (change.request is not None) is (wanted.open and state in TAKES)


async def test_nothing_is_sent_before_the_intent_is_stored() -> None:
    world = World()
    change = await stepped(_asked(), world)
    assert change.after == make.incident(state=State.REPAIRING)
    assert change.action_became[-1] == make.action(detail="asked for by ann: it hangs")
    assert (change.request, change.at_most, world.sent) == (TAKEN, 4, [])


async def test_our_look_does_not_stop_a_person() -> None:
    change = await stepped(_asked(), World(probe=UP, standing=CLEAR))
    assert _ended(change) == (Outcome.TAKEN, None)


async def test_a_critical_project_asks_nobody_else() -> None:
    critical = make.config(projects={"email-blast": make.project(critical=True)})
    change = await stepped(_asked(episodes=(HOT,)), World(probe=UP), critical)
    assert _ended(change) == (Outcome.TAKEN, None)


async def test_an_action_is_against_the_worst_alert_and_without_one_against_none() -> None:
    against = [
        (await stepped(_asked(episodes=episodes), World())).action_became[-1].alertname
        for episodes in ((HOT, make.episode()), (OVER,), ALONE)
    ]
    assert against == ["ProjectDown", "", ""]


async def test_more_than_the_limit_may_be_under_way_when_a_person_overrides_that() -> None:
    busy = World(around=Surroundings(repairs=4))
    change = await stepped(_asked(request(forced=("concurrency",))), busy)
    assert change.at_most is not None
    assert change.at_most > 1_000


async def test_a_guard_that_would_not_have_held_it_was_not_overridden() -> None:
    change = await stepped(_asked(request(forced=("cooldown", "hold"))), World())
    assert change.request == replace(TAKEN, forced=("cooldown", "hold"))
    assert change.events[0].data["overrode"] == ""


async def test_a_restart_that_helped_without_an_alert_does_not_open_its_breaker() -> None:
    proven = make.action(alertname="", state=law.State.COMPLETED)
    twice = tuple(replace(proven, executed_at=NOW - each * 10 * MINUTE) for each in (2, 1))
    change = await stepped(_asked(episodes=ALONE, attempts=twice), World(probe=UP))
    assert _ended(change) == (Outcome.TAKEN, None)


def test_nor_is_its_breaker_shown_as_open() -> None:
    proven = make.action(alertname="", state=law.State.COMPLETED)
    against = replace(proven, alertname="ProjectDown")
    guards = make.guarding().of("email-blast", "restart_service")
    failed = make.action(state=law.State.FAILED)
    shown = [shown_open(guards, [each, failed], now=NOW + SECOND) for each in (proven, against)]
    assert shown == [False, True]


async def test_what_is_too_old_is_never_done() -> None:
    change = await stepped(_asked(), World(after=5 * MINUTE))
    assert (_ended(change), told(change)) == ((Outcome.EXPIRED, None), ["RequestRefused"])


async def test_what_has_left_the_configuration_is_not_done() -> None:
    nothing = make.config(projects={})
    gone = await stepped(_asked(), World(), nothing)
    unknown = await stepped(_asked(request(action="command:reindex")), World())
    assert [each.request and each.request.why for each in (gone, unknown)] == [
        "email-blast is not in orchestrator.yml any more",
        "command:reindex is not in orchestrator.yml any more",
    ]


async def test_a_refused_one_that_was_all_there_was_closes_its_incident() -> None:
    change = await stepped(_asked(episodes=ALONE), World(probe=PAUSED))
    why = "no restart_service: email-blast is paused; somebody chose so"
    assert (change.after.state, told(change)) == (
        State.CLOSED,
        ["RequestRefused", "IncidentClosed"],
    )
    assert change.events[1].data["how"] == f"refused: {why}"


@pytest.mark.parametrize("state", [State.ESCALATED, State.MITIGATED])
async def test_a_refused_one_leaves_its_incident_as_it_is(state: State) -> None:
    waits = make.incident(state=state, held="for people", recovered_at=NOW)
    change = await stepped(_asked(incident=waits), World(probe=PAUSED))
    assert change.after == waits


def _running(
    state: State, *, forced: tuple[str, ...] = (), episodes: tuple[Episode, ...] = ALONE
) -> Case:
    wanted = replace(TAKEN, forced=forced)
    against = episodes[0].alertname if episodes and episodes[0].open else ""
    action = make.action(alertname=against)
    return _asked(wanted, make.incident(state=state), episodes=episodes, action=action)


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
    made = _asked(
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
    made = _asked(TAKEN, recovered, episodes=ALONE, action=make.action(name=name, alertname=""))
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
    made = _asked(
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
    made = _asked(TAKEN, make.incident(state=State.VERIFYING), action=action)
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


async def test_a_limit_that_was_overridden_ends_when_few_enough_are_left() -> None:
    attempts = tuple(replace(FAILED, executed_at=NOW - each * MINUTE) for each in (50, 20, 10))
    config = make.config(guards=make.guarding(attempts=2, breaker=9))
    change = await stepped(_asked(attempts=attempts), World(), config)
    assert change.request is not None
    assert (change.request.guard, change.request.until) == ("attempts", NOW + 40 * MINUTE)


async def test_what_we_paused_can_be_resumed_by_hand_before_it_is_calm() -> None:
    wanted = request(action="resume_service")
    made = _asked(
        wanted, mitigated(), episodes=(COOL,), attempts=(replace(PAUSE, executed_at=NOW - MINUTE),)
    )
    taken = await stepped(made, World(probe=PAUSED), PAUSES)
    action = taken.action_became[-1]
    assert (taken.after.state, action.name, action.alertname) == (
        State.REPAIRING,
        "resume_service",
        "ProjectHighCPU",
    )
    verifying = make.incident(state=State.VERIFYING, recovered_at=NOW)
    proof = replace(made, incident=verifying, action=action, request=taken.request)
    change = await stepped(proof, World(probe=UP, standing=CLEAR, after=9 * SECOND), PAUSES)
    assert (change.after.state, told(change)) == (State.RESOLVED, ["PROBLEM_RESOLVED"])


async def test_another_action_where_we_paused_is_not_against_the_alert_of_the_pause() -> None:
    made = _asked(
        request(action="stop_service"),
        mitigated(),
        episodes=(COOL,),
        attempts=(replace(PAUSE, executed_at=NOW - MINUTE),),
    )
    change = await stepped(made, World(probe=PAUSED), PAUSES)
    assert change.action_became[-1].alertname == ""


async def test_an_incident_without_an_alert_or_a_request_ends() -> None:
    made = replace(_asked(), episodes=ALONE, request=None)
    change = await stepped(made, World())
    assert change.after.state is State.CLOSED
