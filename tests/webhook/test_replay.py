"""The comparison: which deeds are the same, and how the rest is shown."""

from datetime import timedelta

import pytest

from tests.webhook.make import NOW, SECOND
from tests.webhook.test_recording import told
from webhook.recording import Deed, Recording, What
from webhook.replay import Comparison, Hold, Result, Story, Verdict, compare, machine, text

STORY = Story(
    incident=1, project="email-blast", alerts=("ProjectDown",), began=NOW, state="resolved"
)
WITHIN = 15 * SECOND


def did(
    after: float,
    action: str = "restart_service",
    *,
    project: str = "email-blast",
    detail: str = "completed",
) -> Deed:
    """Make an attempt."""
    return Deed(
        at=NOW + timedelta(seconds=after),
        what=What.ACT,
        project=project,
        alertname="ProjectDown",
        action=action,
        detail=detail,
    )


def recorded(*done: Deed, compares: bool = True) -> Recording:
    """Make a recording of a minute."""
    return Recording(
        heard=(told(),), done=done, begin=NOW, end=NOW + 60 * SECOND, compares=compares
    )


def compared(then: list[Deed], replayed: list[Deed], *holds: Hold) -> Comparison:
    """Compare."""
    result = Result(stories=(STORY,), deeds=tuple(replayed), holds=holds)
    return compare(recorded(*then), result, within=WITHIN)


def verdicts(comparison: Comparison) -> list[tuple[str, float]]:
    """Return what is said, and of when."""
    return [
        (row.verdict, (row.at - NOW).total_seconds()) for _, rows in comparison.told for row in rows
    ]


@pytest.mark.parametrize(
    ("then", "replayed", "said"),
    [
        ([1], [1], [("same", 1)]),
        ([1], [16], [("same", 16)]),
        ([16], [1], [("same", 1)]),
        ([1], [17], [("only then", 1), ("only in replay", 17)]),
        ([17], [1], [("only in replay", 1), ("only then", 17)]),
        ([1, 31], [1], [("same", 1), ("only then", 31)]),
        ([31], [1, 31], [("only in replay", 1), ("same", 31)]),
        ([1, 2], [1, 2, 3], [("same", 1), ("same", 2), ("only in replay", 3)]),
        ([], [], []),
    ],
)
def test_the_same_thing_at_about_the_same_time_is_the_same(
    then: list[float], replayed: list[float], said: list[tuple[str, float]]
) -> None:
    comparison = compared([did(each) for each in then], [did(each) for each in replayed])
    assert verdicts(comparison) == said
    assert comparison.differs is any(verdict != "same" for verdict, _ in said)


@pytest.mark.parametrize(
    "other", [did(1, "clear_cache"), did(1, project="chatbot"), Deed(at=NOW, what=What.FLEET)]
)
def test_another_thing_is_not_the_same(other: Deed) -> None:
    comparison = compared([did(1)], [other])
    assert sorted(verdict for verdict, _ in verdicts(comparison)) == ["only in replay", "only then"]


@pytest.mark.parametrize("after", [-1, 61])
def test_of_what_lies_outside_nothing_is_said_unless_it_is_the_same(after: float) -> None:
    inside = -after if after < 0 else 59
    assert verdicts(compared([did(after)], [])) == []
    assert verdicts(compared([], [did(after)])) == []
    assert verdicts(compared([did(inside)], [did(after)])) == [("same", after)]


def test_a_hold_is_shown_and_is_no_difference() -> None:
    hold = Hold(at=NOW + SECOND, project="email-blast", guard="cooldown", reason="wait")
    comparison = compared([], [], hold)
    assert (verdicts(comparison), comparison.differs) == ([("held", 1)], False)


def test_without_what_was_done_nothing_is_compared() -> None:
    result = Result(stories=(STORY,), deeds=(did(100),))
    comparison = compare(recorded(compares=False), result, within=WITHIN)
    assert (verdicts(comparison), comparison.differs) == ([(Verdict.WOULD, 100)], False)
    assert [*text(comparison)][-1] == (
        "the recording does not tell what was done, so there is nothing to compare with"
    )


def test_people_read_what_would_be_done_beside_what_was() -> None:
    hold = Hold(at=NOW, project="email-blast", guard="", reason="it answers")
    fleet = Deed(at=NOW + 40 * SECOND, what=What.FLEET, detail="many \x1b[2J fell")
    then = [did(1, detail="failed"), did(31)]
    assert [*text(compared(then, [did(2), fleet], hold))] == [
        (
            "from 2026-11-21T12:00:00Z to 2026-11-21T12:01:00Z: notifications: 1,"
            " incidents in the replay: 1"
        ),
        "",
        "email-blast: ProjectDown, from 2026-11-21T12:00:00Z, at the end resolved",
        "  2026-11-21T12:00:00Z  held            it answers",
        (
            "  2026-11-21T12:00:02Z  same            restart_service: completed"
            " (then: restart_service: failed)"
        ),
        "  2026-11-21T12:00:31Z  only then       restart_service: completed",
        "",
        "of no incident in the replay",
        (
            "  2026-11-21T12:00:40Z  only in replay  the fleet:"
            " people are told that many fell at once: many [2J fell"
        ),
        "",
        "same: 1, only in replay: 1, only then: 1",
    ]


def test_programs_read_the_same() -> None:
    hold = Hold(at=NOW, project="email-blast", guard="cooldown", reason="wait")
    act = {"what": "act", "alertname": "ProjectDown", "action": "restart_service"}
    told_then = {"at": "2026-11-21T12:00:01.000000Z", **act, "detail": "completed"}
    assert machine(compared([did(1)], [], hold)) == {
        "from": "2026-11-21T12:00:00.000000Z",
        "to": "2026-11-21T12:01:00.000000Z",
        "notifications": 1,
        "compared": True,
        "same": 0,
        "only_in_replay": 0,
        "only_then": 1,
        "incidents": [
            {
                "incident": 1,
                "project": "email-blast",
                "alerts": ["ProjectDown"],
                "began": "2026-11-21T12:00:00.000000Z",
                "state": "resolved",
                "rows": [
                    {
                        "at": "2026-11-21T12:00:00.000000Z",
                        "project": "email-blast",
                        "verdict": "held",
                        "replay": {
                            "at": "2026-11-21T12:00:00.000000Z",
                            "what": "hold",
                            "guard": "cooldown",
                            "detail": "wait",
                        },
                        "then": None,
                    },
                    {
                        "at": "2026-11-21T12:00:01.000000Z",
                        "project": "email-blast",
                        "verdict": "only_then",
                        "replay": None,
                        "then": told_then,
                    },
                ],
            }
        ],
    }
