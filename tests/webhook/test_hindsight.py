"""Hindsight: what is known to have been so, from what was told."""

from datetime import timedelta

import pytest

from orchestrator.health import State
from tests.webhook.make import NOW, SECOND
from webhook import hindsight
from webhook.hindsight import Held, Hindsight, Spell, joined, settling
from webhook.verification import Standing


def spell(start: int, end: int | None) -> Spell:
    """Make a spell, in seconds."""
    return Spell(start=NOW + start * SECOND, end=None if end is None else NOW + end * SECOND)


def known(*spells: Spell, alertname: str = "ProjectDown") -> Hindsight:
    """Know when an alert of email-blast held."""
    held = (
        Held(project="email-blast", alertname=alertname, spell=each, settle=2 * SECOND)
        for each in spells
    )
    return hindsight.of(held, [("email-blast", NOW)])


@pytest.mark.parametrize(
    ("after", "down"), [(-1, False), (0, True), (9, True), (10, False), (19, False), (20, True)]
)
def test_a_project_was_down_from_the_start_of_a_spell_to_its_end(after: int, down: bool) -> None:  # noqa: FBT001  a column
    state = known(spell(0, 10), spell(20, None)).probe("email-blast", at=NOW + after * SECOND).state
    assert state is (State.DOWN if down else State.HEALTHY)


def test_an_alert_of_another_kind_takes_no_project_down() -> None:
    was = known(spell(0, None), alertname="ProjectHighCPU")
    assert was.probe("email-blast", at=NOW).state is State.HEALTHY
    assert was.standing("email-blast", "ProjectHighCPU", at=NOW) == Standing(
        firing=True, holds=True, settle=2 * SECOND
    )


def test_of_what_was_never_told_nothing_held() -> None:
    nothing = Standing(firing=False, holds=False, settle=5 * SECOND)
    assert known().standing("chatbot", "ProjectDown", at=NOW) == nothing


@pytest.mark.parametrize(
    ("spells", "one"),
    [
        ([], ()),
        ([(5, 9), (0, 3)], ((0, 3), (5, 9))),
        ([(0, 5), (5, 9)], ((0, 9),)),
        ([(0, 9), (2, 3), (4, 12)], ((0, 12),)),
        ([(0, 9), (2, None), (20, 30)], ((0, None),)),
    ],
)
def test_spells_that_touch_are_one(
    spells: list[tuple[int, int | None]], one: tuple[tuple[int, int | None], ...]
) -> None:
    assert joined(spell(*each) for each in spells) == tuple(spell(*each) for each in one)


def test_a_project_that_was_rolled_back_had_been_deployed_shortly_before() -> None:
    ago = [
        known().deployed_ago("email-blast", at=NOW - each)
        for each in (timedelta(minutes=61), timedelta(minutes=59), -SECOND)
    ]
    assert ago == [None, timedelta(0), None]


@pytest.mark.parametrize(
    ("annotations", "settle"),
    [({"settle": "1m"}, 60 * SECOND), ({}, None), ({"settle": "\x1b[2J"}, None)],
)
def test_how_long_an_alert_settles_is_read_from_its_rule_or_not_at_all(
    annotations: dict[str, str], settle: timedelta | None
) -> None:
    assert settling(annotations) == settle
