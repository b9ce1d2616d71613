"""What is tried next, and when nothing is."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from orchestrator.config import Guards
from orchestrator.project import Mode, Project
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook.action import Action, State
from webhook.policy import Act, Decision, Escalate, Hold, decide, worst

MINUTE = timedelta(minutes=1)
PLAYBOOKS = {"ProjectDown": ["restart_service"], "ProjectHighMemory": ["restart_service"]}
GUARDS = Guards()


def _tried(*ago: tuple[int, State]) -> list[Action]:
    """Make attempts, each so many minutes ago, with what became of it."""
    return [
        make.action(
            key=f"key-{place}",
            attempt=place,
            state=state,
            executed_at=NOW - minutes * MINUTE,
            detail="still down" if state is State.FAILED else "",
        )
        for place, (minutes, state) in enumerate(ago, start=1)
    ]


def _decided(
    attempts: Sequence[Action], *, guards: Guards = GUARDS, project: Project | None = None
) -> Decision:
    return decide(
        make.episode(),
        project or make.project(),
        attempts,
        playbooks=PLAYBOOKS,
        guards=guards,
        now=NOW,
    )


def _act(attempt: int) -> Act:
    return Act(action="restart_service", alertname="ProjectDown", attempt=attempt)


FAILED, DONE = State.FAILED, State.COMPLETED


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([], _act(1)),
        ([(5, FAILED)], _act(2)),
        ([(9, DONE), (5, DONE)], _act(3)),
        ([(9, FAILED), (5, DONE)], _act(3)),
        ([(61, FAILED), (60, FAILED)], _act(1)),
        ([(60, FAILED), (59, FAILED)], _act(2)),
        ([(-5, DONE)], Hold(
            reason="restart_service on email-blast held until 12:05:30 UTC: cooldown 30s",
            until=NOW + 5 * MINUTE + 30 * SECOND,
        )),
    ],
)  # fmt: skip
def test_attempts_in_the_window_decide_on_the_next(
    history: list[tuple[int, State]], expected: Decision
) -> None:
    assert _decided(_tried(*history)) == expected


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        (
            [(9, FAILED), (5, FAILED)],
            (
                "ProjectDown goes on after 2 of our attempts"
                " (restart_service 1: still down, restart_service 2: still down)"
            ),
        ),
        (
            [(9, DONE), (5, DONE), (2, DONE)],
            (
                "ProjectDown goes on after 3 of our attempts"
                " (restart_service 1: completed, restart_service 2: completed,"
                " restart_service 3: completed)"
            ),
        ),
    ],
)
def test_two_failures_in_a_row_or_three_attempts_call_for_people(
    history: list[tuple[int, State]], reason: str
) -> None:
    assert _decided(_tried(*history)) == Escalate(reason=reason)


@pytest.mark.parametrize(
    ("guards", "expected"),
    [
        (Guards(attempts=1), Escalate),
        (Guards(breaker=1), Escalate),
        (Guards(window=4 * MINUTE), Act),
        (Guards(cooldown=6 * MINUTE), Hold),
        (Guards(cooldown=timedelta(0)), Act),
        (Guards(), Act),
    ],
)
def test_every_guard_changes_the_decision(guards: Guards, expected: type[Decision]) -> None:
    assert type(_decided(_tried((5, FAILED)), guards=guards)) is expected


def test_a_restart_dated_in_the_future_counts_after_the_clock_was_set_back() -> None:
    guards = Guards(attempts=1)
    assert isinstance(_decided(_tried((-55, DONE)), guards=guards), Escalate)


def test_an_observed_project_is_told_what_would_be_done() -> None:
    observed = make.project(mode=Mode.OBSERVE)
    assert _decided([], project=observed) == Hold(
        reason="mode: observe; would restart_service email-blast"
    )


def test_a_project_that_is_not_configured_is_for_people() -> None:
    decision = decide(make.episode(), None, [], playbooks=PLAYBOOKS, guards=GUARDS, now=NOW)
    assert decision == Escalate(reason="email-blast is not in orchestrator.yml")


def test_an_alert_without_a_playbook_is_for_people() -> None:
    decision = decide(make.episode(), make.project(), [], playbooks={}, guards=GUARDS, now=NOW)
    assert decision == Escalate(reason="no playbook for ProjectDown")


def test_a_repair_of_something_else_is_not_blamed_where_there_is_no_playbook() -> None:
    decision = decide(
        make.episode(alertname="ProjectHighCPU"),
        make.project(),
        _tried((5, DONE)),
        playbooks=PLAYBOOKS,
        guards=GUARDS,
        now=NOW,
    )
    assert decision == Escalate(reason="no playbook for ProjectHighCPU")


def test_the_order_of_the_playbooks_ranks_the_open_episodes() -> None:
    down = make.episode(id=1, ended_at=None)
    memory = make.episode(id=2, alertname="ProjectHighMemory")
    other = make.episode(id=3, alertname="SomethingElse")
    over = make.episode(id=4, ended_at=NOW)
    assert worst([other, memory, down], PLAYBOOKS) == down
    assert worst([other, memory], PLAYBOOKS) == memory
    assert worst([other, over], PLAYBOOKS) == other
    assert worst([over], PLAYBOOKS) is None
