"""Each guard: what it says, until when, and that every key of the file changes what happens."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.config import Config
from orchestrator.guards import Guarding, WrittenGuards, WrittenLimits
from orchestrator.health import Probe
from orchestrator.health import State as Health
from orchestrator.project import Mode
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import action as law
from webhook.catalogue import CATALOGUE
from webhook.guard import GUARDS, PEOPLES, Block, Scene, Surroundings, first_block, first_of
from webhook.policy import Decision, Step, decide, remaining
from webhook.remedy import Look
from webhook.restraint import Kind, Restraint

MINUTE = timedelta(minutes=1)


def _scene(**changes: Any) -> Scene:  # noqa: ANN401  any field of it
    guards = make.guarding().of("email-blast", "restart_service")
    given = {"action": "restart_service", "guards": guards, "around": Surroundings(fleet=10)}
    return make.scene(**{**given, **changes})


def _restraint(kind: Kind, **changes: Any) -> Restraint:  # noqa: ANN401  any field of it
    given = {
        "id": 1,
        "kind": kind,
        "project": None,
        "reason": "moving house",
        "set_by": "ann",
        "starts_at": NOW,
        "ends_at": NOW + 30 * MINUTE,
    }
    return Restraint(**{**given, **changes})


def _restrained(kind: Kind) -> Scene:
    return _scene(around=Surroundings(restraints=(_restraint(kind),)))


HALF_PAST = NOW + 30 * MINUTE
ON = "restart_service on email-blast held"
FELL = ("billing", "chatbot", "crm", "email-blast")
BLOCKS = {
    "kill_switch": (
        _restrained(Kind.KILL_SWITCH),
        f"{ON} until 12:30:00 UTC: kill switch by ann: moving house",
        HALF_PAST,
    ),
    "maintenance": (
        _restrained(Kind.MAINTENANCE),
        f"{ON} until 12:30:00 UTC: maintenance by ann: moving house",
        HALF_PAST,
    ),
    "hold": (
        _restrained(Kind.HOLD),
        f"{ON} until 12:30:00 UTC: hold by ann: moving house",
        HALF_PAST,
    ),
    "silence": (
        _scene(episode=make.episode(silenced="silenced until 14:03 UTC by bob: not now")),
        f"{ON}: ProjectDown is silenced until 14:03 UTC by bob: not now",
        None,
    ),
    "observe": (
        _scene(project=make.project(mode=Mode.OBSERVE)),
        "mode: observe; would restart_service email-blast",
        None,
    ),
    "fleet": (
        _scene(around=Surroundings(fleet=10, fell=FELL)),
        f"{ON}: 4 of 10 projects went down within 1m; the monitor itself is suspect",
        None,
    ),
    "dependency": (
        _scene(around=Surroundings(parents_down=("billing", "crm"))),
        f"{ON}: billing, crm are down, on which it depends; healed first",
        None,
    ),
    "cooldown": (
        _scene(attempts=(make.action(executed_at=NOW - 10 * SECOND),)),
        f"{ON} until 12:00:20 UTC: cooldown 30s",
        NOW + 20 * SECOND,
    ),
    "concurrency": (
        _scene(around=Surroundings(repairs=4)),
        f"{ON}: 4 repairs at most at once, and as many are under way",
        None,
    ),
    "dry_run": (
        _scene(guards=make.guarding(dry_run=True).of("email-blast", "restart_service")),
        f"{ON}: dry run",
        None,
    ),
}


def test_every_guard_has_its_words_here() -> None:
    assert list(BLOCKS) == list(GUARDS)


@pytest.mark.parametrize("name", BLOCKS)
def test_a_guard_says_what_it_holds_why_and_until_when(name: str) -> None:
    scene, reason, until = BLOCKS[name]
    fell = FELL if name == "fleet" else ()
    assert first_block(scene) == Block(guard=name, reason=reason, until=until, fell=fell)


def test_without_a_reason_nothing_is_held() -> None:
    assert first_block(_scene()) is None


@pytest.mark.parametrize(
    ("changes", "binds"),
    [
        ({}, True),
        ({"project": "email-blast"}, True),
        ({"project": "chatbot"}, False),
        ({"starts_at": NOW + SECOND}, False),
        ({"ends_at": NOW}, False),
        ({"ends_at": None}, True),
        ({"starts_at": None}, True),
    ],
)
def test_a_restraint_binds_whom_it_names_from_its_start_to_its_end(
    *, changes: dict[str, Any], binds: bool
) -> None:
    assert _restraint(Kind.HOLD, **changes).binds("email-blast", at=NOW) is binds


def test_resuming_is_held_by_people_and_by_nothing_else() -> None:
    peoples = {"kill_switch", "maintenance", "hold", "silence"}
    assert {name for name in BLOCKS if first_of(PEOPLES, BLOCKS[name][0])} == peoples


def test_started_with_dry_run_every_project_is_observed_whatever_its_mode() -> None:
    dry = _scene(project=make.project(mode=Mode.ACT, dry_run=True))
    assert first_block(dry) == Block(
        guard="observe", reason="--dry-run; would restart_service email-blast"
    )


def test_too_few_or_too_small_a_part_of_the_fleet_is_no_reason_to_suspect_the_monitor() -> None:
    few = _scene(around=Surroundings(fleet=4, fell=FELL[:2]))
    small = _scene(around=Surroundings(fleet=14, fell=FELL))
    assert [first_block(each) for each in (few, small)] == [None] * 2


def test_the_same_alert_on_much_of_the_fleet_is_suspect_too() -> None:
    hot = _scene(
        episode=make.episode(alertname="ProjectHighCPU"), around=Surroundings(fleet=4, fell=FELL)
    )
    block = first_block(hot)
    assert (block and block.reason) == (
        f"{ON}: 4 of 4 projects got ProjectHighCPU within 1m; the monitor itself is suspect"
    )


def test_an_attempt_from_the_future_cools_down_from_when_the_incident_came_to_stand_so() -> None:
    ahead = make.action(executed_at=NOW + timedelta(hours=1))
    scene = _scene(attempts=(ahead,), incident=make.incident(since=NOW - 10 * SECOND))
    block = first_block(scene)
    assert (block and block.until) == NOW + 20 * SECOND


# Each key of `guards`, a value that differs from its default, and a situation in which it matters.
FAILED = make.action(state=law.State.FAILED, executed_at=NOW - 5 * MINUTE)
UP = Look(
    probe=Probe(state=Health.HEALTHY, reason=None, seconds=0.01), deployed_ago=timedelta(days=2)
)
SITUATIONS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "attempts": (1, "restart_service", {"attempts": (FAILED,)}),
    "window": (
        4 * MINUTE,
        "restart_service",
        {"attempts": (FAILED, replace(FAILED, key="key-2"))},
    ),
    "breaker": (1, "restart_service", {"attempts": (FAILED,)}),
    "cooldown": (6 * MINUTE, "restart_service", {"attempts": (FAILED,)}),
    "approval": ("always", "restart_service", {}),
    "concurrency": (1, "restart_service", {"around": Surroundings(repairs=1)}),
    "fleet_share": (0.5, "restart_service", {"around": Surroundings(fleet=10, fell=FELL)}),
    "fleet_min": (5, "restart_service", {"around": Surroundings(fleet=10, fell=FELL)}),
    "recent_deployment": (timedelta(days=3), "rollback_deployment", {}),
    "dry_run": (True, "restart_service", {}),
}
# In test_asking.py, test_standby.py and test_mitigation.py.
ELSEWHERE = {"approval_within", "fleet_within", "resume_after"}


def test_every_key_of_the_schema_has_a_situation_in_which_it_matters() -> None:
    assert SITUATIONS.keys() | ELSEWHERE == WrittenLimits.model_fields.keys()


def _decided(guarding: Guarding, action: str, changes: dict[str, Any]) -> Decision:
    config: Config = make.config(guards=guarding)
    step = Step(remedy=CATALOGUE[action], guards=config.guards.of("email-blast", action))
    scene = _scene(**changes)
    steps = remaining([step], scene.attempts, alertname="ProjectDown", now=NOW)
    return decide(steps, scene, UP)


def _said(key: str, value: Any, *, action: str | None = None) -> WrittenGuards:  # noqa: ANN401  of that key
    """Make what the file says: of all, or of one action."""
    whole = WrittenGuards.model_construct(None, **{key: value})
    one = WrittenLimits.model_construct(None, **{key: value})
    return WrittenGuards.model_construct(actions={action: one}) if action else whole


@pytest.mark.parametrize("key", SITUATIONS)
def test_turning_a_key_at_any_of_its_places_changes_what_is_done(key: str) -> None:
    value, action, changes = SITUATIONS[key]
    before = _decided(Guarding(), action, changes)
    whole, one = _said(key, value), _said(key, value, action=action)
    after = [
        _decided(each, action, changes)
        for each in (
            Guarding(general=whole),
            Guarding(general=one),
            Guarding(projects={"email-blast": whole}),
            Guarding(projects={"email-blast": one}),
        )
    ]
    elsewhere = [
        _decided(each, action, changes)
        for each in (
            Guarding(projects={"chatbot": whole}),
            Guarding(general=_said(key, value, action="clear_cache")),
        )
    ]
    assert all(type(each) is not type(before) for each in after)
    assert [type(each) for each in elsewhere] == [type(before)] * 2


@pytest.mark.parametrize("longest", [0, 1, 2])
def test_of_several_words_the_one_that_ends_last_is_told(longest: int) -> None:
    said = [_restraint(Kind.HOLD, id=n, ends_at=HALF_PAST - MINUTE) for n in range(3)]
    said[longest] = _restraint(Kind.HOLD, id=longest, ends_at=HALF_PAST)
    block = first_block(_scene(around=Surroundings(restraints=tuple(said))))
    assert block is not None
    assert block.until == HALF_PAST


def test_a_word_without_an_end_is_the_last_of_all() -> None:
    said = (_restraint(Kind.HOLD), _restraint(Kind.HOLD, id=2, ends_at=None))
    block = first_block(_scene(around=Surroundings(restraints=said)))
    assert block is not None
    assert (block.until, block.reason) == (None, f"{ON}: hold by ann: moving house")


def test_an_end_on_another_day_is_told_with_its_day() -> None:
    said = (_restraint(Kind.HOLD, ends_at=NOW + timedelta(days=1)),)
    block = first_block(_scene(around=Surroundings(restraints=said)))
    assert block is not None
    assert block.reason == f"{ON} until 2026-11-22 12:00:00 UTC: hold by ann: moving house"
