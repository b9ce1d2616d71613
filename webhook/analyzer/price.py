"""The price of an answer: what a call of a model may cost, and what it did cost.

Money is whole nano-dollars; orchestrator/prices.py has what a model takes for a token.
"""

from dataclasses import dataclass

from orchestrator.prices import Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The tokens of one call, as the answer counts them."""

    input: int = 0  # neither read from the cache nor written to it
    cache_read: int = 0
    write_5m: int = 0
    write_1h: int = 0
    output: int = 0
    thinking: int = 0  # a part of the output

    @property
    def prompt(self) -> int:
        """All tokens that went in."""
        return self.input + self.cache_read + self.write_5m + self.write_1h


def cost(usage: Usage, price: Price) -> int:
    """Return what a call did cost, exactly, in nano-dollars."""
    each = price.of(usage.prompt)
    return (
        usage.input * each.input
        + usage.cache_read * each.cache_read
        + usage.write_5m * each.write_5m
        + usage.write_1h * each.write_1h
        + usage.output * each.output
    )


def reserve(request_bytes: int, max_tokens: int, price: Price) -> int:
    """Return what a call may cost at most, in nano-dollars, before it is made.

    Three bytes count as a token, and a quarter more is kept, for the real count costs a request.
    """
    tokens = -(-request_bytes // 3)
    each = price.of(tokens)
    return -(-tokens * each.input * 5 // 4) + max_tokens * each.output
