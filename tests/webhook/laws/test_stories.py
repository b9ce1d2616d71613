"""Short stories that the machine of test_laws.py has told, each kept because it once went wrong."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.health import State as Health
from tests.webhook.laws.fleet import CPU, MEMORY, Answer
from tests.webhook.laws.post import Look, Post
from tests.webhook.laws.rules import Rules
from tests.webhook.laws.story import Story
from tests.webhook.make import SECOND
from webhook.incident import State
from webhook.restraint import Kind
from webhook.store import history, restraints


@pytest.fixture
def story() -> Iterator[Story]:
    told = Story()
    yield told
    told.close()


@pytest.fixture
def post(story: Story) -> Post:
    return Post(story)


def _go_on(story: Story, post: Post, *, rounds: int, gap: timedelta) -> None:
    for _ in range(rounds):
        post.tell_the_truth()
        story.work_off()
        story.elapsed += gap


def _states(story: Story) -> dict[str, str]:
    return {row["project"]: row["state"] for row in story.rows("SELECT * FROM incidents")}


def _told(story: Story) -> list[object]:
    return [event["name"] for event in history.events(story.db, after=0, limit=100)]


def _paused(story: Story, post: Post) -> None:
    """Let `chatbot` be paused by us, and calm from now on."""
    story.fleet["chatbot"].ill.add(CPU)
    _go_on(story, post, rounds=2, gap=SECOND)
    assert _states(story) == {"chatbot": "mitigated"}


def _hold(story: Story, kind: Kind) -> None:
    """Let people say that nothing is to be repaired for a minute."""
    now = story.now
    restraints.add(
        story.db,
        kind,
        None,
        reason="stop",
        by="ann",
        starts_at=now,
        ends_at=now + 60 * SECOND,
        at=now,
    )


def test_a_project_that_left_and_is_back_is_repaired_while_its_alert_goes_on(
    story: Story, post: Post
) -> None:
    story.fleet["chatbot"].health = Health.DOWN
    story.fleet["chatbot"].answer = Answer.REFUSED
    _go_on(story, post, rounds=2, gap=2 * SECOND)
    story.follow(Rules(known=Rules().known - {"chatbot"}))
    _go_on(story, post, rounds=2, gap=2 * SECOND)
    assert _states(story) == {"chatbot": "closed"}
    story.follow(Rules())
    story.fleet["chatbot"].answer = Answer.DONE
    _go_on(story, post, rounds=8, gap=16 * SECOND)
    assert _states(story) == {"chatbot": "resolved"}


def test_what_is_calm_waits_its_turn_while_others_are_repaired(story: Story, post: Post) -> None:
    story.follow(Rules(limits={"concurrency": 1, "resume_after": "3s"}))
    _paused(story, post)
    story.fleet["email-blast"].health = Health.DOWN
    story.fleet["email-blast"].answer = Answer.DEAF
    _go_on(story, post, rounds=20, gap=SECOND / 4)
    assert _states(story) == {"chatbot": "mitigated", "email-blast": "repairing"}


def test_a_kill_switch_binds_a_step_that_is_under_way(story: Story, post: Post) -> None:
    story.fleet["chatbot"].health = Health.DOWN
    post.tell_the_truth()
    flight = story.work_off(stop=State.OPEN)
    assert flight is not None
    flight.go_on()  # it has read what people said, and looks at the project
    _hold(story, Kind.KILL_SWITCH)
    story.land(flight)
    story.work_off()
    assert story.fleet["chatbot"].effects == {}


def test_what_we_paused_is_for_people_when_only_observing_is_wanted(
    story: Story, post: Post
) -> None:
    _paused(story, post)
    story.follow(Rules(observed=frozenset({"chatbot"})))
    _go_on(story, post, rounds=40, gap=16 * SECOND)
    assert _states(story) == {"chatbot": "escalated"}


def test_people_are_asked_before_a_resume_where_they_always_want_to_be(
    story: Story, post: Post
) -> None:
    _paused(story, post)
    story.follow(replace(story.rules, limits={"approval": "always"}))
    _go_on(story, post, rounds=40, gap=16 * SECOND)
    assert "ActionStarted" not in _told(story)[_told(story).index("Mitigated") :]


def test_a_resume_that_failed_is_told_as_a_failed_action(story: Story, post: Post) -> None:
    _paused(story, post)
    story.fleet["chatbot"].answer = Answer.REFUSED
    _go_on(story, post, rounds=40, gap=16 * SECOND)
    after = _told(story)[_told(story).index("ActionStarted", 3) :]
    assert after[:3] == ["ActionStarted", "ActionFailed", "ESCALATION_REQUIRED"]


def test_what_is_calm_is_resumed_though_its_alert_was_silenced_when_it_ended(
    story: Story, post: Post
) -> None:
    story.fleet["chatbot"].ill.add(CPU)
    post.tell_the_truth()
    story.work_off(stop=State.VERIFYING)
    story.crash(keeping=False)
    post.look()
    post.reconcile(CPU, "chatbot", Look.SILENCED)
    _go_on(story, post, rounds=40, gap=16 * SECOND)
    assert _states(story) == {"chatbot": "resolved"}


def test_an_alert_is_told_of_again_when_its_project_is_back(story: Story, post: Post) -> None:
    story.fleet["chatbot"].health = Health.DOWN
    story.fleet["chatbot"].answer = Answer.REFUSED
    _go_on(story, post, rounds=2, gap=2 * SECOND)
    story.follow(Rules(known=Rules().known - {"chatbot"}))
    story.work_off()
    before = _told(story)
    story.follow(Rules())
    assert _told(story)[len(before) :] == ["ProjectDown", "CHATBOT_STATUS_CHANGED"]


def test_what_we_paused_is_known_as_ours_after_the_clock_was_set_back(
    story: Story, post: Post
) -> None:
    story.fleet["chatbot"].ill.add(CPU)
    post.tell_the_truth()
    story.skew -= timedelta(hours=1)
    _go_on(story, post, rounds=40, gap=16 * SECOND)
    assert (story.fleet["chatbot"].health, _states(story)) == (
        Health.HEALTHY,
        {"chatbot": "resolved"},
    )


def test_what_is_paused_still_when_its_alert_has_ended_is_not_kept_open_for_ever(
    story: Story, post: Post
) -> None:
    _paused(story, post)
    _hold(story, Kind.HOLD)
    chatbot = story.fleet["chatbot"]
    chatbot.become(Health.HEALTHY)
    chatbot.ill.add(CPU)
    _go_on(story, post, rounds=2, gap=2 * SECOND)
    assert _states(story) == {"chatbot": "open"}
    chatbot.become(Health.PAUSED)
    chatbot.ill.clear()
    restraints.lift(story.db, 1, by="ann", at=story.now)
    _go_on(story, post, rounds=300, gap=16 * SECOND)
    assert _states(story) != {"chatbot": "open"}


def test_what_we_paused_is_for_people_when_its_project_leaves_the_configuration(
    story: Story, post: Post
) -> None:
    _paused(story, post)
    post.tell_the_truth()  # its alert has ended, for it does nothing any more
    story.follow(Rules(known=Rules().known - {"chatbot"}))
    _go_on(story, post, rounds=3, gap=16 * SECOND)
    assert _states(story) == {"chatbot": "escalated"}


def test_a_command_that_was_cut_off_is_not_run_a_second_time(story: Story, post: Post) -> None:
    story.fleet["chatbot"].ill.add(MEMORY)
    post.tell_the_truth()
    flight = story.work_off(stop=State.REPAIRING)
    assert flight is not None
    flight.go_on()
    story.crash(keeping=False)
    story.work_off()
    assert (story.fleet["chatbot"].runs, _states(story)) == (
        {"key-1": 1},
        {"chatbot": "escalated"},
    )


def test_people_forgive_once_in_a_window(story: Story, post: Post) -> None:
    story.follow(Rules(limits={"attempts": 1}, commands=False))
    chatbot = story.fleet["chatbot"]
    for _ in range(3):
        chatbot.become(Health.DOWN)
        chatbot.answer = Answer.IDLE
        _go_on(story, post, rounds=8, gap=16 * SECOND)
        assert _states(story) == {"chatbot": "escalated"}
        chatbot.heal()
        _go_on(story, post, rounds=4, gap=16 * SECOND)
        assert _states(story) == {"chatbot": "closed"}
    assert len(chatbot.effects) == 2


def test_two_that_are_decided_at_once_are_not_both_begun_where_one_is_the_limit(
    story: Story, post: Post
) -> None:
    story.follow(Rules(limits={"concurrency": 1}))
    for project in ("chatbot", "email-blast"):
        story.fleet[project].become(Health.DOWN)
    post.tell_the_truth()
    flights = [story.claim(), story.claim()]
    for flight in flights:
        assert flight is not None
        flight.arrive()
    for flight in flights:
        assert flight is not None
        story.land(flight)
    assert _states(story) == {"chatbot": "repairing", "email-blast": "open"}
