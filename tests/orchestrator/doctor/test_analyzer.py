"""What the doctor finds of the analyzer, without asking anybody."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from orchestrator.config import Analyzer
from orchestrator.doctor import analyzer
from orchestrator.prices import Price, rate
from tests.webhook import make

NOW = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
SONNET = "claude-sonnet-5-5 ($2 and $10 a million tokens in and out)"
HAIKU = "claude-haiku-5-5 ($0.1 and $0.5 a million tokens in and out)"
ASKS = f"mode on_failure, asks {SONNET} and then {HAIKU}, for $1 a day and $10 a month"
LATER = Price(rate=rate(1, 2), since=date(2026, 11, 23))
EVER = Price(rate=rate(1, 2), since=date.min)


def _found(**said: Any) -> list[tuple[str, str]]:  # noqa: ANN401  any key
    config = make.config(analyzer=Analyzer(**said))
    return [(each.mark.value, each.said) for each in analyzer.examine(config, NOW)]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"mode": "off", "key": "sk-s3same"}, "mode off: people are asked where a playbook fails"),
        (
            {},
            f"no key, so rules answer; {analyzer.KEY} would have one",
        ),
        ({"key": "sk-s3same"}, ASKS),
        (
            {
                "key": "sk-s3same",
                "mode": "always",
                "fallback_model": None,
                "daily_budget_usd": 0.5,
                "url": "http://127.0.0.1:8080",
            },
            f"mode always, asks {SONNET}, for $0.5 a day and $10 a month",
        ),
    ],
)
def test_where_all_is_well_it_says_who_answers_and_for_how_much(
    said: dict[str, Any], found: str
) -> None:
    assert _found(**said) == [("ok", found)]


@pytest.mark.parametrize(
    ("said", "worry"),
    [
        (
            {"url": "http://messages.internal"},
            "the key goes to http://messages.internal readable for everybody on the way",
        ),
        ({"daily_budget_usd": 0.0}, "analyzer.daily_budget_usd is 0, so Claude is never asked"),
        ({"monthly_budget_usd": 0.0}, "analyzer.monthly_budget_usd is 0, so Claude is never asked"),
        ({"calls_per_hour": 0}, "analyzer.calls_per_hour is 0, so Claude is never asked"),
        (
            {"model": "mine", "prices": {"mine": LATER}},
            "nobody knows what mine costs before 2026-11-23, so it is not asked until then",
        ),
        (
            {"model": "claude-sonnet-4-5", "prices": {"claude-sonnet-4-5": EVER}},
            "claude-sonnet-4-5 is deprecated and answers until 2026-11-30",
        ),
        (
            {"fallback_model": "claude-opus-4-0", "prices": {"claude-opus-4-0": EVER}},
            "claude-opus-4-0 has ended on 2026-06-15, so it does not answer",
        ),
    ],
)
def test_what_keeps_claude_from_being_asked_well_is_warned_of(
    said: dict[str, Any], worry: str
) -> None:
    first, last = _found(key="sk-s3same", **said)
    assert (first, last[0]) == (("warn", worry), "ok")


def test_a_model_that_is_never_asked_needs_no_price() -> None:
    found = _found(key="sk-s3same", model="mine", daily_budget_usd=0.0)
    assert found[0] == ("warn", "analyzer.daily_budget_usd is 0, so Claude is never asked")
    assert [mark for mark, _ in found] == ["warn", "ok"]


@pytest.mark.parametrize(
    ("on", "said"),
    [
        (date(2026, 11, 30), "is deprecated and answers until 2026-11-30"),
        (date(2026, 12, 1), "has ended on 2026-11-30, so it does not answer"),
    ],
)
def test_a_model_answers_on_its_last_day(on: date, said: str) -> None:
    ours = Analyzer(key="sk-s3same", model="claude-sonnet-4-5", prices={"claude-sonnet-4-5": EVER})
    now = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    first, _ = analyzer.examine(make.config(analyzer=ours), now)
    assert (first.said, first.do) == (
        f"claude-sonnet-4-5 {said}",
        "name a model in analyzer.model that goes on",
    )


def test_the_key_is_never_told() -> None:
    assert "s3same" not in str(_found(key="sk-s3same", url="http://messages.internal"))
