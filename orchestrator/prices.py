"""Prices: what a model takes for a token, as far as this release knows.

Money is whole nano-dollars, so that sums are exact: one dollar for a million tokens is 1,000 of
them for one. A model without a price is never asked: no budget could hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

VERSION: Final = "2026-11-22"  # of the table below; each call keeps it beside its cost
NANO: Final = 1_000_000_000  # nano-dollars in a dollar


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Nano-dollars for one token, by what it is."""

    input: int  # neither read from the cache nor written to it
    output: int  # what a model thinks is part of it
    cache_read: int
    write_5m: int  # into the cache, for five minutes
    write_1h: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Above:
    """Another rate for the whole of a call whose prompt is long."""

    tokens: int  # a prompt with more of them
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a model takes, from a day in UTC on."""

    rate: Rate
    since: date
    above: Above | None = None

    def of(self, prompt: int) -> Rate:
        """Return the rate for a call with *prompt* tokens in."""
        return self.above.rate if self.above and prompt > self.above.tokens else self.rate


def rate(
    per_million_in: float,
    per_million_out: float,
    *,
    cache_read: float | None = None,
    write_5m: float | None = None,
    write_1h: float | None = None,
) -> Rate:
    """Return the rate for dollars a million tokens.

    What is not told of the cache is taken as no cheaper than elsewhere: full price to read, a
    quarter more to write for five minutes, twice as much for an hour.
    """
    return Rate(
        input=_nano(per_million_in),
        output=_nano(per_million_out),
        cache_read=_nano(per_million_in if cache_read is None else cache_read),
        write_5m=_nano(1.25 * per_million_in if write_5m is None else write_5m),
        write_1h=_nano(2 * per_million_in if write_1h is None else write_1h),
    )


def _nano(per_million: float) -> int:
    return round(per_million * NANO / 1_000_000)


PRICES: Final[Mapping[str, Price]] = {
    "claude-haiku-5-5": Price(
        rate=rate(0.10, 0.50, cache_read=0.01, write_5m=0.125, write_1h=0.20),
        since=date(2026, 10, 21),
        above=Above(
            tokens=100_000, rate=rate(0.50, 2.50, cache_read=0.05, write_5m=0.625, write_1h=1)
        ),
    ),
    "claude-sonnet-5-5": Price(
        rate=rate(2, 10, cache_read=0.10, write_5m=2.50, write_1h=4), since=date(2026, 10, 7)
    ),
    "claude-opus-5-5": Price(
        rate=rate(4, 20, cache_read=0.20, write_5m=5, write_1h=8), since=date(2026, 10, 21)
    ),
    "claude-fable-5-1": Price(rate=rate(10, 50), since=date(2026, 10, 21)),
}


def known(own: Mapping[str, Price], on: date) -> Mapping[str, Price]:
    """Return every price that holds on a day in UTC; one of the user's *own* comes first."""
    return {**PRICES, **{model: each for model, each in own.items() if each.since <= on}}
