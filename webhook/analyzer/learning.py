"""Learning: how often answers were right, and whether they were as sure as they should have been.

Every figure says of how many it is, and is None where there is nothing to reckon it of: with
twenty answers even a perfect judge has a calibration error of 0.17. None depends on their order.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import fsum, log, sqrt

BINS = 10
Z = 1.959963984540054  # of the normal distribution: 95 % lie within
SURE = 1e-6  # nearer to 0 or 1 nothing counts as said: one mistake would cost without end


class Came(StrEnum):
    """What came of a decision, as far as that can be told."""

    HELPED = "helped"  # done and proven, and the alert stayed away
    AGAIN = "fired again"  # done and proven, and the alert was back soon
    FAILED = "failed"
    REJECTED = "rejected"  # by people
    ENDED = "ended by itself"
    WENT_ON = "went on"  # nothing was to be done, and the alert stayed, or somebody had to act
    OPEN = "open"  # too soon to say
    DROPPED = "dropped"  # not done: withdrawn, expired, or nobody knows whether it was
    MAINTENANCE = "maintenance"  # people were at work on the project
    UNLABELLED = "unlabelled"  # nothing was proposed, so nothing can be told from the tables


RIGHT = frozenset({Came.HELPED, Came.ENDED})
WRONG = frozenset({Came.AGAIN, Came.FAILED, Came.REJECTED, Came.WENT_ON})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one decision on an answer."""

    analysis: int
    at: datetime  # when it was decided
    alertname: str
    action: str  # as the answer has it
    analyzer: str  # who answered
    model: str  # "" of rules
    prompt: str  # its version
    decision: str  # what was decided
    raw: float  # confidence, as it was said
    effective: float
    came: Came

    @property
    def right(self) -> bool | None:
        """Whether the answer was right; None: that cannot be told, or not yet."""
        return True if self.came in RIGHT else False if self.came in WRONG else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of so many, with where the true share lies in 95 of 100 cases (Wilson)."""

    many: int
    of: int
    rate: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """The answers that were about as sure as each other."""

    low: float
    high: float
    n: int
    said: float | None  # how sure they were, the mean
    right: float | None  # how many were right


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How good some answers were. What is reckoned of confidences takes those that were said."""

    decided: int
    decisions: Mapping[str, int]
    escalated: Share  # of all decisions, those that only asked people
    accuracy: Share  # of all labelled answers, the right ones
    auto: Share  # of those that were acted on without asking, the right ones
    brier: float | None  # 0 is perfect, 0.25 is to say a half always
    base: float | None  # the Brier score of always saying the share that is right
    skill: float | None  # 1 is perfect, 0 no better than the base, below 0 worse
    ece: float | None  # the calibration error; below 200 answers it is mostly chance
    log_loss: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that was learned from some decisions."""

    whole: Score
    alerts: Mapping[str, Score]
    actions: Mapping[str, Score]
    models: Mapping[str, Score]  # those of rules under the name of their analyzer
    prompts: Mapping[str, Score]
    calibration: tuple[Bin, ...]


def report(verdicts: Sequence[Verdict]) -> Report:
    """Reckon everything, whole and by each thing that may make a difference."""
    return Report(
        whole=score(verdicts),
        alerts=_by(verdicts, lambda each: each.alertname),
        actions=_by(verdicts, lambda each: each.action),
        models=_by(verdicts, lambda each: each.model or each.analyzer),
        prompts=_by(verdicts, lambda each: each.prompt or each.analyzer),
        calibration=calibration(pairs(verdicts)),
    )


def score(verdicts: Sequence[Verdict]) -> Score:
    """Reckon how good these answers were."""
    told = pairs(verdicts)
    auto = [each.right for each in verdicts if each.decision == "auto" and each.right is not None]
    decisions = defaultdict[str, int](int)
    for each in verdicts:
        decisions[each.decision] += 1
    return Score(
        decided=len(verdicts),
        decisions=dict(sorted(decisions.items())),
        escalated=share(decisions.get("escalate", 0), len(verdicts)),
        accuracy=share(sum(right for _, right in told), len(told)),
        auto=share(sum(auto), len(auto)),
        brier=brier(told),
        base=base(told),
        skill=skill(told),
        ece=ece(told),
        log_loss=log_loss(told),
    )


def pairs(verdicts: Sequence[Verdict]) -> list[tuple[float, bool]]:
    """Return how sure each answer was, and whether it was right, where that can be told."""
    return [(each.raw, each.right) for each in verdicts if each.right is not None]


def _by(verdicts: Sequence[Verdict], key: Callable[[Verdict], str]) -> Mapping[str, Score]:
    found = defaultdict[str, list[Verdict]](list)
    for each in verdicts:
        found[key(each)].append(each)
    return {name: score(found[name]) for name in sorted(found)}


Told = Sequence[tuple[float, bool]]  # how sure, and whether right


def share(many: int, of: int) -> Share:
    """Return *many* of *of* with its Wilson interval; of nothing it may lie anywhere."""
    if of == 0:
        return Share(many=0, of=0, rate=None, low=0.0, high=1.0)
    rate, square = many / of, Z * Z
    middle = (rate + square / (2 * of)) / (1 + square / of)
    half = Z * sqrt(rate * (1 - rate) / of + square / (4 * of * of)) / (1 + square / of)
    low = 0.0 if many == 0 else middle - half  # exactly, which rounding would miss
    high = 1.0 if many == of else middle + half
    return Share(many=many, of=of, rate=rate, low=low, high=high)


def brier(told: Told) -> float | None:
    """Return the mean square of how far each was off."""
    return fsum((said - right) ** 2 for said, right in told) / len(told) if told else None


def base(told: Told) -> float | None:
    """Return the Brier score of one who always says the share that is right."""
    if not told:
        return None
    rate = sum(right for _, right in told) / len(told)
    return rate * (1 - rate)


def skill(told: Told) -> float | None:
    """Return how much better than that they are; None where all were right, or all wrong."""
    reached, reference = brier(told), base(told)
    return 1 - reached / reference if reached is not None and reference else None


def ece(told: Told) -> float | None:
    """Return how far what was said and what was so are apart, the mean over the bins."""
    if not told:
        return None
    gaps = (
        each.n * abs(each.said - each.right)
        for each in calibration(told)
        if each.said is not None and each.right is not None
    )
    return fsum(gaps) / len(told)


def log_loss(told: Told) -> float | None:
    """Return the mean of how surprising each outcome was, in nats."""
    if not told:
        return None
    chances = (said if right else 1 - said for said, right in told)
    return -fsum(log(min(max(chance, SURE), 1 - SURE)) for chance in chances) / len(told)


def calibration(told: Told) -> tuple[Bin, ...]:
    """Return the table of what was said against what was so, the least sure first."""
    found: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for said, right in told:
        found[min(int(said * BINS), BINS - 1)].append((said, right))
    return tuple(
        Bin(
            low=place / BINS,
            high=(place + 1) / BINS,
            n=len(some),
            said=fsum(said for said, _ in some) / len(some) if some else None,
            right=sum(right for _, right in some) / len(some) if some else None,
        )
        for place, some in enumerate(found)
    )
