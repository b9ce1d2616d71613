"""What a call may cost and did cost, to the nano-dollar."""

from dataclasses import fields, replace

import pytest

from orchestrator.prices import NANO, PRICES
from webhook.analyzer.price import Usage, cost, reserve

HAIKU, SONNET = PRICES["claude-haiku-5-5"], PRICES["claude-sonnet-5-5"]
TYPICAL = Usage(input=12_000, output=3_000)


@pytest.mark.parametrize(
    ("model", "dollars"), [("claude-sonnet-5-5", 0.054), ("claude-haiku-5-5", 0.0027)]
)
def test_a_usual_call_costs_what_is_told_of_it(model: str, dollars: float) -> None:
    assert cost(TYPICAL, PRICES[model]) == round(dollars * NANO)


def test_each_kind_of_token_has_its_own_price() -> None:
    each = Usage(input=1, cache_read=10, write_5m=100, write_1h=1_000, output=10_000, thinking=9)
    assert cost(each, SONNET) == 2_000 + 10 * 100 + 100 * 2_500 + 1_000 * 4_000 + 10_000 * 10_000


def test_thinking_is_a_part_of_the_output_and_is_not_paid_twice() -> None:
    assert cost(replace(TYPICAL, thinking=2_500), SONNET) == cost(TYPICAL, SONNET)


@pytest.mark.parametrize("kind", ["input", "cache_read", "write_5m", "write_1h"])
def test_one_token_more_than_a_long_prompt_has_makes_the_whole_dearer(kind: str) -> None:
    at, over = (Usage(**{kind: many}) for many in (100_000, 100_001))
    assert HAIKU.above is not None
    low, high = getattr(HAIKU.rate, kind), getattr(HAIKU.above.rate, kind)
    assert (cost(at, HAIKU), cost(over, HAIKU)) == (100_000 * low, 100_001 * high)


def test_a_call_of_nothing_costs_nothing() -> None:
    assert [cost(Usage(), price) for price in PRICES.values()] == [0] * len(PRICES)


def test_what_is_reserved_is_a_quarter_more_than_the_request_and_all_that_may_come_out() -> None:
    assert reserve(36_000, 4_096, SONNET) == 12_000 * 2_500 + 4_096 * 10_000


def test_a_part_of_a_token_is_reserved_as_a_whole_one() -> None:
    assert [reserve(many, 0, HAIKU) for many in (0, 1, 3, 4)] == [0, 125, 125, 250]


def test_a_long_request_is_reserved_at_the_price_of_a_long_one() -> None:
    assert HAIKU.above is not None
    rate = HAIKU.above.rate
    assert reserve(300_003, 1, HAIKU) == -(-100_001 * rate.input * 5 // 4) + rate.output


@pytest.mark.parametrize("model", PRICES)
@pytest.mark.parametrize("size", [1_000, 60_000, 400_000])
def test_a_call_of_its_size_never_costs_more_than_was_reserved(model: str, size: int) -> None:
    used = Usage(input=-(-size // 3), output=4_096)
    assert cost(used, PRICES[model]) <= reserve(size, 4_096, PRICES[model])


def test_nothing_is_free() -> None:
    rates = [price.rate for price in PRICES.values()]
    assert all(getattr(rate, field.name) > 0 for rate in rates for field in fields(rate))
