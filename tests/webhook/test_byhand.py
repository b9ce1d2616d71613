"""By hand: what a person asks for is taken or turned down at once, and ends as a person expects."""

from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import pytest

from orchestrator.config import Config
from orchestrator.health import Probe
from orchestrator.project import Mode
from tests.webhook import make
from tests.webhook.asking import ALONE, RESTRAINED, TAKEN, asked, request
from tests.webhook.make import NOW, SECOND
from tests.webhook.waiting import COOL, HOT, MINUTE, PAUSE, PAUSED, PAUSES, mitigated
from tests.webhook.world import CLEAR, DOWN, OVER, UP, World, stepped, told
from webhook import action as law
from webhook.action import Action
from webhook.byhand import TAKES
from webhook.change import Change
from webhook.guard import Surroundings
from webhook.incident import ENDED, Episode, State
from webhook.policy import shown_open
from webhook.request import FORCIBLE, KNOWN, Outcome, Request
from webhook.restraint import Kind


def _ended(change: Change) -> tuple[object, ...]:
    """Return what the request came to, and by which guard."""
    assert change.request is not None
    return change.request.outcome, change.request.guard


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
    made = asked(wanted, episodes=(scene.episode,), attempts=scene.attempts)
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
    made = asked(attempts=(FAILED,))
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
    made = asked(wanted, make.incident(state=state), action=action)
    change = await stepped(made, World())
    assert (change.request is not None) is (wanted.open and state in TAKES)


async def test_nothing_is_sent_before_the_intent_is_stored() -> None:
    world = World()
    change = await stepped(asked(), world)
    assert change.after == make.incident(state=State.REPAIRING)
    assert change.action_became[-1] == make.action(detail="asked for by ann: it hangs")
    assert (change.request, change.at_most, world.sent) == (TAKEN, 4, [])


async def test_our_look_does_not_stop_a_person() -> None:
    change = await stepped(asked(), World(probe=UP, standing=CLEAR))
    assert _ended(change) == (Outcome.TAKEN, None)


async def test_a_critical_project_asks_nobody_else() -> None:
    critical = make.config(projects={"email-blast": make.project(critical=True)})
    change = await stepped(asked(episodes=(HOT,)), World(probe=UP), critical)
    assert _ended(change) == (Outcome.TAKEN, None)


async def test_an_action_is_against_the_worst_alert_and_without_one_against_none() -> None:
    against = [
        (await stepped(asked(episodes=episodes), World())).action_became[-1].alertname
        for episodes in ((HOT, make.episode()), (OVER,), ALONE)
    ]
    assert against == ["ProjectDown", "", ""]


async def test_more_than_the_limit_may_be_under_way_when_a_person_overrides_that() -> None:
    busy = World(around=Surroundings(repairs=4))
    change = await stepped(asked(request(forced=("concurrency",))), busy)
    assert change.at_most is not None
    assert change.at_most > 1_000


async def test_a_guard_that_would_not_have_held_it_was_not_overridden() -> None:
    change = await stepped(asked(request(forced=("cooldown", "hold"))), World())
    assert change.request == replace(TAKEN, forced=("cooldown", "hold"))
    assert change.events[0].data["overrode"] == ""


async def test_a_restart_that_helped_without_an_alert_does_not_open_its_breaker() -> None:
    proven = make.action(alertname="", state=law.State.COMPLETED)
    twice = tuple(replace(proven, executed_at=NOW - each * 10 * MINUTE) for each in (2, 1))
    change = await stepped(asked(episodes=ALONE, attempts=twice), World(probe=UP))
    assert _ended(change) == (Outcome.TAKEN, None)


def test_nor_is_its_breaker_shown_as_open() -> None:
    proven = make.action(alertname="", state=law.State.COMPLETED)
    against = replace(proven, alertname="ProjectDown")
    guards = make.guarding().of("email-blast", "restart_service")
    failed = make.action(state=law.State.FAILED)
    shown = [shown_open(guards, [each, failed], now=NOW + SECOND) for each in (proven, against)]
    assert shown == [False, True]


async def test_what_is_too_old_is_never_done() -> None:
    change = await stepped(asked(), World(after=5 * MINUTE))
    assert (_ended(change), told(change)) == ((Outcome.EXPIRED, None), ["RequestRefused"])


async def test_what_has_left_the_configuration_is_not_done() -> None:
    nothing = make.config(projects={})
    gone = await stepped(asked(), World(), nothing)
    unknown = await stepped(asked(request(action="command:reindex")), World())
    assert [each.request and each.request.why for each in (gone, unknown)] == [
        "email-blast is not in orchestrator.yml any more",
        "command:reindex is not in orchestrator.yml any more",
    ]


async def test_a_refused_one_that_was_all_there_was_closes_its_incident() -> None:
    change = await stepped(asked(episodes=ALONE), World(probe=PAUSED))
    why = "no restart_service: email-blast is paused; somebody chose so"
    assert (change.after.state, told(change)) == (
        State.CLOSED,
        ["RequestRefused", "IncidentClosed"],
    )
    assert change.events[1].data["how"] == f"refused: {why}"


@pytest.mark.parametrize("state", [State.ESCALATED, State.MITIGATED])
async def test_a_refused_one_leaves_its_incident_as_it_is(state: State) -> None:
    waits = make.incident(state=state, held="for people", recovered_at=NOW)
    change = await stepped(asked(incident=waits), World(probe=PAUSED))
    assert change.after == waits


async def test_a_limit_that_was_overridden_ends_when_few_enough_are_left() -> None:
    attempts = tuple(replace(FAILED, executed_at=NOW - each * MINUTE) for each in (50, 20, 10))
    config = make.config(guards=make.guarding(attempts=2, breaker=9))
    change = await stepped(asked(attempts=attempts), World(), config)
    assert change.request is not None
    assert (change.request.guard, change.request.until) == ("attempts", NOW + 40 * MINUTE)


async def test_what_we_paused_can_be_resumed_by_hand_before_it_is_calm() -> None:
    wanted = request(action="resume_service")
    made = asked(
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
    made = asked(
        request(action="stop_service"),
        mitigated(),
        episodes=(COOL,),
        attempts=(replace(PAUSE, executed_at=NOW - MINUTE),),
    )
    change = await stepped(made, World(probe=PAUSED), PAUSES)
    assert change.action_became[-1].alertname == ""


async def test_an_incident_without_an_alert_or_a_request_ends() -> None:
    made = replace(asked(), episodes=ALONE, request=None)
    change = await stepped(made, World())
    assert change.after.state is State.CLOSED
