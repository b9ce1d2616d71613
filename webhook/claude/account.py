"""An account with Anthropic: whom to ask, as whom, and for how much."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.prices import PRICES, Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What does not change while the program runs."""

    key: str = field(repr=False)
    url: str
    models: tuple[str, ...]  # the one to ask, and the one that stands in for it, if any
    effort: str
    instance: str  # an opaque name of this installation
    prices: Mapping[str, Price] = field(default_factory=lambda: PRICES)  # of all models
