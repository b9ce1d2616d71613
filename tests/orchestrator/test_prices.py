"""What a model costs, from which day on, and that none without a price has one."""

from datetime import date

import pytest

from orchestrator.prices import PRICES, Price, Rate, known, rate

OWN = Price(rate=rate(1, 2), since=date(2026, 12, 1))


def _dollars(told: Rate) -> list[float]:
    kinds = (told.input, told.output, told.cache_read, told.write_5m, told.write_1h)
    return [each / 1_000 for each in kinds]


def test_a_known_model_costs_so_many_dollars_a_million_tokens() -> None:
    assert {model: _dollars(each.rate) for model, each in PRICES.items()} == {
        "claude-haiku-5-5": [0.10, 0.50, 0.01, 0.125, 0.20],
        "claude-sonnet-5-5": [2, 10, 0.10, 2.50, 4],
        "claude-opus-5-5": [4, 20, 0.20, 5, 8],
        "claude-fable-5-1": [10, 50, 10, 12.50, 20],
    }


@pytest.mark.parametrize(
    ("prompt", "dollars"), [(0, [0.10, 0.50]), (100_000, [0.10, 0.50]), (100_001, [0.50, 2.50])]
)
def test_a_long_prompt_makes_the_small_model_dearer(prompt: int, dollars: list[float]) -> None:
    assert _dollars(PRICES["claude-haiku-5-5"].of(prompt))[:2] == dollars


def test_no_other_model_is_dearer_for_a_long_prompt() -> None:
    assert [model for model, each in PRICES.items() if each.above] == ["claude-haiku-5-5"]


def test_what_is_not_told_of_the_cache_is_no_cheaper_than_elsewhere() -> None:
    assert _dollars(rate(2, 10)) == [2, 10, 2, 2.5, 4]


def test_an_own_price_counts_from_its_day_on_and_before_a_known_one() -> None:
    own = {"mine": OWN, "claude-opus-5-5": OWN}
    assert [known(own, date(2026, *day)) for day in ((11, 30), (12, 1))] == [
        PRICES,
        {**PRICES, **own},
    ]
