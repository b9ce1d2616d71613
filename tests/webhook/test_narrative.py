"""The narrative: what a person reads of an incident, for every way that one can go."""

import re
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.stories import CLOSED, COMPLETED, asked, down, story, tried
from tests.webhook.stories_told import STORIES
from webhook import action as law
from webhook.approval import Decision
from webhook.catalogue import CATALOGUE
from webhook.incident import State, downtime
from webhook.narrative import DID, spelled, summary
from webhook.story import Story

DAY = timedelta(days=1)


@pytest.mark.parametrize(("case", "told"), STORIES.values(), ids=STORIES.keys())
def test_it_tells(case: Story, told: str) -> None:
    assert summary(case) == told


def test_a_shadowed_action_was_not_done() -> None:
    recorded = tried(law.State.SHADOWED, executed_at=None)
    shadowed = story(down(), incident=CLOSED, actions=(recorded,))
    assert summary(shadowed) == (
        "email-blast was down from 12:00:02 to 12:00:10 UTC. Nothing was done to it."
        " restart_service would have been done, and is on dry run. It ended after that."
        " Total downtime 8 seconds."
    )


def test_the_times_are_those_of_the_zone_that_is_asked_for() -> None:
    zone = timezone(timedelta(hours=-5, minutes=-30))
    told = summary(story(down(), actions=(tried(),)), zone)
    assert told.startswith("email-blast was down from 06:30:02 to 06:30:10 UTC-05:30. ")


def test_what_strangers_wrote_is_one_line_without_markup_and_secrets() -> None:
    hostile = story(
        down(end=None, alertname="<b>\x1b[2J\n@here"),
        incident=make.incident(held="password=hunter2 " + "x" * 9_999),
    )
    told = summary(hostile)
    assert (told.isprintable(), len(told) < 500) == (True, True)
    assert not {"<b>", "@here", "hunter2"} & set(re.split(r"[ :]", told))


def test_every_remedy_of_the_catalogue_has_its_verb() -> None:
    assert set(DID) == set(CATALOGUE)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 seconds"),
        (0.44, "0.4 seconds"),
        (1, "1 second"),
        (1.5, "1.5 seconds"),
        (59.99, "60 seconds"),
        (60, "1 minute"),
        (125.4, "2 minutes 5 seconds"),
        (3_600, "1 hour"),
        (90_061, "1 day 1 hour 1 minute 1 second"),
        (2 * 86_400, "2 days"),
    ],
)
def test_a_length_of_time_is_spelled_out(seconds: float, told: str) -> None:
    assert spelled(timedelta(seconds=seconds)) == told


_EPISODES = st.builds(
    lambda name, begin, length: down(
        begin, None if length is None else begin + length, alertname=name
    ),
    st.sampled_from(["ProjectDown", "ProjectDown", "ProjectHighCPU", "worked"]),
    st.integers(-DAY // SECOND, DAY // SECOND),
    st.none() | st.integers(0, 9_000),
)
_ACTIONS = st.builds(
    lambda state, name, begun: tried(state, name, executed_at=NOW if begun else None),
    st.sampled_from(list(law.State)),
    st.sampled_from([*CATALOGUE, "command:x"]),
    st.booleans(),
)
_APPROVALS = st.builds(asked, st.none() | st.sampled_from(list(Decision)), reason=st.text())
_STORIES = st.builds(
    lambda state, held, episodes, actions, approvals, how: story(
        *episodes,
        incident=make.incident(state=state, held=held, escalated_at=NOW),
        actions=tuple(actions),
        approvals=tuple(approvals),
        how=how,
    ),
    st.sampled_from(list(State)),
    st.none() | st.just("held"),
    st.lists(_EPISODES, max_size=6),
    st.lists(_ACTIONS, max_size=6),
    st.lists(_APPROVALS, max_size=4),
    st.none() | st.text(),
)


@given(_STORIES)
def test_it_never_says_worked_of_what_is_not_proven(case: Story) -> None:
    proven = (
        case.incident.state is State.RESOLVED
        and bool(case.attempts)
        and case.attempts[-1].state is COMPLETED
    )
    assert ("it worked." in summary(case)) is proven


@given(_STORIES)
def test_its_downtime_is_that_of_the_incident(case: Story) -> None:
    total = downtime(case.episodes)
    found = re.findall(
        r"Total downtime (?:before that )?([^.]+(?:\.\d seconds)?)\.$", summary(case)
    )
    assert found == ([] if total is None else [spelled(total)])


@given(_STORIES)
def test_it_is_one_line_of_whole_sentences(case: Story) -> None:
    told = summary(case)
    assert (told.isprintable(), told[-1], "  " in told, ".." in told) == (True, ".", False, False)
