"""Limits: where a figure turns orange or red, taken from what the alert rules go by."""

from dataclasses import dataclass
from typing import Final

from orchestrator.project import Control, Project

GREEN, ORANGE, RED, BLUE, PLAIN_TEXT = "green", "orange", "red", "blue", "text"
GRAY, NO_COLOR = "#737985", "transparent"  # nothing is known; to be read on it, and in it on black


@dataclass(frozen=True, slots=True)
class Step:
    """From *value* on, the *color*; None is from the beginning."""

    color: str
    value: float | None = None


Steps = tuple[Step, ...]

_ANY: Final = Project(name="any", url="", control=Control(url=""))  # that says nothing itself
DEFAULTS: Final = _ANY.thresholds
OBJECTIVE: Final = _ANY.slo
QUEUE: Final = 100  # entries, of ProjectQueueBacklog

# How many times as fast as it may an error budget burns, by the shorter and the longer window of
# each pair in rules/slo.yml.
BURN_FAST: Final = 14.4  # 5m and 1h
BURN_QUICK: Final = 6.0  # 30m and 6h
BURN_SLOW: Final = 3.0  # 2h and 1d
BURN_SPENT: Final = 1.0  # 6h and 3d: at the end of 30 days nothing is left

# Nothing here is good or bad by itself.
NEUTRAL: Final[Steps] = (Step(PLAIN_TEXT),)


def above(*, orange: float | None = None, red: float | None = None) -> Steps:
    """Return steps for what is bad when it is high."""
    found = (Step(ORANGE, orange), Step(RED, red))
    return (Step(GREEN), *(each for each in found if each.value is not None))


def below(*, red: float | None = None, orange: float | None = None) -> Steps:
    """Return steps for what is bad when it is low: red below *red*, orange below *orange*."""
    match red, orange:
        case None, None:
            return (Step(GREEN),)
        case None, _:
            return (Step(ORANGE), Step(GREEN, orange))
        case _, None:
            return (Step(RED), Step(GREEN, red))
        case _:
            return (Step(RED), Step(ORANGE, red), Step(GREEN, orange))


CPU: Final = above(red=DEFAULTS.cpu)
MEMORY: Final = above(red=DEFAULTS.memory)
ERRORS: Final = above(red=DEFAULTS.errors)
BURN: Final = above(orange=BURN_SPENT, red=BURN_FAST)
BUDGET: Final = below(red=0.2, orange=0.5)  # what is left; below 0 it is overdrawn, and red, too
WAITING: Final = above(orange=1)  # somebody is asked
ANY: Final = above(red=1)  # one is one too many
UP: Final = below(red=1)  # 1 is up
HELPED: Final = below(red=0.5, orange=0.9)  # of the actions
