"""An action waits for people: what they allow is done once, and nothing else is."""

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.config import Config
from orchestrator.project import Mode
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.waiting import (
    COOL,
    CRITICAL,
    HOLD,
    HOT,
    MINUTE,
    PAUSED,
)
from tests.webhook.world import CLEAR, DOWN, UP, World, case, stepped, told
from webhook import action as law
from webhook import asking
from webhook.approval import Approval, Decision
from webhook.case import Case
from webhook.guard import Surroundings
from webhook.incident import State


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
            YES,
            replace(LATE, after=20 * MINUTE),
            "expired",
            "ann allowed pause_service, and nobody took it up in time",
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


async def test_what_was_allowed_just_before_the_expiry_is_done_nevertheless() -> None:
    world = World(probe=UP, after=20 * MINUTE - SECOND)
    change = await stepped(await _asked(**YES), world, CRITICAL)
    assert change.after.state is State.REPAIRING


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
        make.config(
            projects={"email-blast": make.project(critical=True, mode=Mode.OBSERVE)},
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


def test_where_nobody_is_asked_no_question_stands() -> None:
    assert asking.moot(case(episodes=[HOT]), CRITICAL) == "its action does not wait any more"


async def test_how_long_a_question_is_open_is_a_guard() -> None:
    short = replace(CRITICAL, guards=make.guarding(approval_within="5m"))
    change = await stepped(case(episodes=[HOT]), World(probe=UP), short)
    assert change.question is not None
    assert change.question.expires_at == NOW + 5 * MINUTE
