"""Confidence: what an analyzer says of itself, held against what came of its answers before.

History may take away, it never adds: nobody is made surer than the analyzer said it was.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import comb

DECAY = 0.98  # of what an outcome weighs, with each newer one of the same action
PRIOR = 4  # the word of the analyzer counts as many outcomes
ELSEWHERE = 0.5  # what an outcome against another alert weighs, where this one has none
LAST = 50  # outcomes that a proof looks back at
ENOUGH = 100  # labelled answers of one model and prompt, before what it says is calibrated
DOUBT = 0.1  # of a proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many outcomes were good and how many bad; fractions where older ones count less."""

    good: float = 0.0
    bad: float = 0.0

    @property
    def of(self) -> float:
        """How many there were."""
        return self.good + self.bad


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What came of one action before."""

    here: Tally = Tally()  # against this alert, older ones counting less
    elsewhere: Tally = Tally()  # against any alert, older ones counting less
    good: int = 0  # of the last ones against this alert, each counting one
    bad: int = 0


BLANK = Record()


def record(here: Sequence[bool], elsewhere: Sequence[bool]) -> Record:
    """Make a record of outcomes, the newest first: against this alert, and against any."""
    last = here[:LAST]
    return Record(
        here=_decayed(here),
        elsewhere=_decayed(elsewhere),
        good=sum(last),
        bad=len(last) - sum(last),
    )


def _decayed(outcomes: Iterable[bool]) -> Tally:
    good = bad = 0.0
    for place, helped in enumerate(outcomes):
        good += DECAY**place * helped
        bad += DECAY**place * (not helped)
    return Tally(good=good, bad=bad)


def effective(raw: float, calibrated: float, record: Record) -> float:
    """Return the confidence that counts: never above *raw*, whatever helped before."""
    tally, weight = record.here, 1.0
    if not tally.of:
        tally, weight = record.elsewhere, ELSEWHERE
    good, of = weight * tally.good, weight * tally.of
    return min(raw, (PRIOR * calibrated + good) / (PRIOR + of))


def proven(record: Record, above: float = 0.7) -> bool:
    """Tell whether an action helps more often than *above*, with a doubt of one in ten.

    Asked is the lower decile of Beta(1 + good, 1 + bad): with no failure, six successes do.
    """
    tries = record.good + record.bad + 1
    beyond = sum(
        comb(tries, many) * above**many * (1 - above) ** (tries - many)
        for many in range(record.good + 1, tries + 1)
    )  # for whole numbers the Beta distribution is the tail of a binomial one
    return beyond < DOUBT


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How often answers of so much confidence were right; it rises, or stays, all the way."""

    points: tuple[tuple[float, float], ...] = ()  # none: what is said is believed

    def at(self, raw: float) -> float:
        """Return how often an answer as sure as *raw* was right."""
        if not self.points:
            return raw
        place = bisect_right(self.points, raw, key=lambda point: point[0])
        if place == 0:
            return self.points[0][1]
        if place == len(self.points):
            return self.points[-1][1]
        (left, low), (right, high) = self.points[place - 1], self.points[place]
        return low + (high - low) * (raw - left) / (right - left)


AS_SAID = Curve()


def curve(labelled: Sequence[tuple[float, bool]], enough: int = ENOUGH) -> Curve:
    """Fit a curve to answers of one model and prompt: how sure each was, and whether it was right.

    Of fewer than *enough* nothing can be told, and what is said is believed.
    """
    if len(labelled) < enough:
        return AS_SAID
    points = []
    for block in _pooled(labelled):
        rate = block.right / block.many
        points += [(end, rate) for end in sorted({block.low, block.high})]
    return Curve(points=tuple(points))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    low: float
    high: float
    right: int
    many: int


def _pooled(labelled: Iterable[tuple[float, bool]]) -> list[_Block]:
    """Pool neighbours until a surer block is right more often: the isotonic regression."""
    blocks: list[_Block] = []
    for said, group in groupby(sorted(labelled), key=lambda each: each[0]):
        outcomes = [right for _, right in group]
        new = _Block(low=said, high=said, right=sum(outcomes), many=len(outcomes))
        while blocks and blocks[-1].right * new.many >= new.right * blocks[-1].many:
            last = blocks.pop()
            new = _Block(
                low=last.low,
                high=new.high,
                right=last.right + new.right,
                many=last.many + new.many,
            )
        blocks.append(new)
    return blocks
