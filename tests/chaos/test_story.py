"""The stories: the same for the same seed, and rich enough to find something."""

from collections import Counter

from tests.chaos.story import Moment, story
from tests.chaos.test_chaos import FIRST, RUNS

SEEDS = range(FIRST, FIRST + RUNS)


def test_a_seed_tells_the_same_story_again_and_no_other_does() -> None:
    assert [story(seed) for seed in SEEDS] == [story(seed) for seed in SEEDS]
    assert len({str(story(seed)) for seed in SEEDS}) == len(SEEDS)


def test_every_story_has_alerts_and_a_kill_and_every_moment_comes_often() -> None:
    stories = [story(seed) for seed in SEEDS]
    moments = Counter(kill.moment for each in stories for kill in each.kills)
    assert min(each.alerts for each in stories) >= 15
    assert max(each.alerts for each in stories) <= 60
    assert {len(each.kills) for each in stories} == {1, 2, 3}
    assert set(moments) == set(Moment)
    assert min(moments.values()) >= 30


def test_every_fifth_story_kills_alertmanager_as_well() -> None:
    killed = [seed for seed in SEEDS if story(seed).peer_killed is not None]
    assert killed == [seed for seed in SEEDS if seed % 5 == 0]
