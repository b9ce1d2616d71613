"""What is counted of the analyzer, and that no stranger's word becomes a label."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from orchestrator.family.analyzer import ANALYZER
from tests.webhook.make import NOW
from webhook import plain
from webhook.analyzer import gate
from webhook.analyzer.analysis import By, Decision, Gate, Ruling
from webhook.analyzer.answer import ESCALATE, NONE
from webhook.analyzer.call import Denied, Ended, Outcome, Window
from webhook.analyzer.circuit import State
from webhook.analyzer.learning import Came, Verdict
from webhook.analyzer.price import Usage
from webhook.catalogue import CATALOGUE
from webhook.evidence import redaction
from webhook.evidence.item import Lack, Source
from webhook.meters import KINDS, STATUSES, TOKENS, Meters
from webhook.store.spending import Limits, Spent

MODELS = ("claude-sonnet-5-5", "claude-haiku-5-5")
SONNET, HAIKU = MODELS
DOLLAR = 1_000_000_000


class Page:
    """A page with the meters alone."""

    def __init__(self, *models: str) -> None:
        self.registry = CollectorRegistry()
        self.meters = Meters(self.registry)
        self.meters.follow(models)

    def __call__(self, name: str) -> dict[Any, float]:
        """Return the values of a family by its labels: the value itself, where it is one."""
        found = {
            tuple(sample.labels.values()): sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == name
        }
        return {key[0] if len(key) == 1 else key: value for key, value in found.items()}

    def above_zero(self, name: str) -> dict[Any, float]:
        """Return only what was counted."""
        return {key: value for key, value in self(name).items() if value}


@pytest.fixture
def page() -> Page:
    """Return a page of a webhook with a key."""
    return Page(*MODELS)


def test_every_family_of_the_table_is_there_and_no_other(page: Page) -> None:
    names = {family.name for family in page.registry.collect()}
    assert names == {each.name.removesuffix("_total") for each in ANALYZER}


def _call(outcome: Outcome = Outcome.OK, **changed: Any) -> Ended:  # noqa: ANN401  any field
    said: Mapping[str, Any] = {"model": SONNET, "cost": None, "seconds": 2.5, **changed}
    return Ended(outcome=outcome, **said)


def test_a_call_is_counted_with_its_time_its_tokens_and_its_cost(page: Page) -> None:
    usage = Usage(input=12_000, cache_read=7, write_5m=2, write_1h=3, output=3_000, thinking=900)
    page.meters.ended(_call(status=200, usage=usage, cost=54_000_000))
    assert {
        name: page.above_zero(f"claude_{name}")
        for name in ("requests_total", "attempts_total", "tokens_total", "cost_usd_total")
    } == {
        "requests_total": {(SONNET, "ok"): 1},
        "attempts_total": {(SONNET, "200"): 1},
        "tokens_total": {
            (SONNET, "input"): 12_000,
            (SONNET, "cache_read"): 7,
            (SONNET, "cache_write"): 5,
            (SONNET, "output"): 3_000,
            (SONNET, "thinking"): 900,
        },
        "cost_usd_total": {SONNET: 0.054},
    }
    assert page.above_zero("claude_request_duration_seconds_sum") == {(SONNET, "ok"): 2.5}


def test_a_call_without_an_answer_has_no_status_and_costs_what_was_reserved(page: Page) -> None:
    page.meters.ended(_call(Outcome.TIMEOUT, seconds=45, reserved=DOLLAR))
    assert (
        page.above_zero("claude_requests_total"),
        page.above_zero("claude_attempts_total"),
        page.above_zero("claude_tokens_total"),
        page.above_zero("claude_cost_usd_total"),
    ) == ({(SONNET, "timeout"): 1}, {(SONNET, "none"): 1}, {}, {SONNET: 1})


@pytest.mark.parametrize("cost", [0, DOLLAR // 4])
def test_a_cost_that_is_known_counts_before_what_was_reserved(page: Page, cost: int) -> None:
    page.meters.ended(_call(Outcome.OVERLOADED, cost=cost, reserved=DOLLAR))
    assert page("claude_cost_usd_total")[SONNET] == cost / DOLLAR


@pytest.mark.parametrize(
    ("status", "label"),
    [
        *((each, str(each)) for each in (200, 408, 500, 502, 503, 504, 529)),
        *((418, "other"), (-1, "other")),
    ],
)
def test_a_status_that_nobody_expects_is_another(page: Page, status: int, label: str) -> None:
    page.meters.ended(_call(Outcome.SERVER_ERROR, status=status))
    assert page.above_zero("claude_attempts_total") == {(SONNET, label): 1}


def test_a_model_is_shown_from_zero_once_it_is_followed() -> None:
    page = Page()
    before = [page(f"claude_{each}") for each in ("requests_total", "circuit_state")]
    page.meters.follow([SONNET])
    assert before == [{}, {}]
    assert [
        page("claude_requests_total"),
        page("claude_attempts_total"),
        page("claude_tokens_total"),
        page("claude_cost_usd_total"),
        page("claude_circuit_state"),
    ] == [
        {(SONNET, each.value): 0 for each in Outcome},
        {(SONNET, each): 0 for each in STATUSES},
        {(SONNET, each): 0 for each in TOKENS},
        {SONNET: 0},
        {SONNET: 0},
    ]


def test_a_model_that_is_not_followed_any_more_keeps_its_counts_and_loses_its_circuit(
    page: Page,
) -> None:
    page.meters.ended(_call(cost=DOLLAR))
    page.meters.follow([HAIKU])
    assert (page("claude_cost_usd_total"), page("claude_circuit_state")) == (
        {SONNET: 1, HAIKU: 0},
        {HAIKU: 0},
    )


def test_a_new_configuration_resets_no_circuit(page: Page) -> None:
    page.meters.circuit(SONNET, State.OPEN)
    page.meters.follow([SONNET, "claude-opus-5-5"])
    assert page("claude_circuit_state") == {SONNET: 2, "claude-opus-5-5": 0}


def test_a_model_whose_end_is_announced_is_shown_as_long_as_it_is_followed(page: Page) -> None:
    page.meters.follow([SONNET, "claude-sonnet-4-5"])
    during = page("claude_model_deprecated")
    page.meters.follow([SONNET])
    assert (during, page("claude_model_deprecated")) == (
        {SONNET: 0, "claude-sonnet-4-5": 1},
        {SONNET: 0},
    )


@pytest.mark.parametrize(
    ("state", "value"), [(State.CLOSED, 0), (State.HALF_OPEN, 1), (State.OPEN, 2)]
)
def test_a_circuit_is_a_figure(page: Page, state: State, value: int) -> None:
    page.meters.circuit(HAIKU, state)
    page.meters.circuit("mine", State.OPEN)
    assert page("claude_circuit_state") == {SONNET: 0, HAIKU: value}


def _spent(day: int, month: int, *, of: tuple[int, int]) -> Spent:
    limits = Limits(calls_per_hour=30, day=of[0], month=of[1])
    return Spent(limits=limits, calls=1, day=day, month=month)


@pytest.mark.parametrize(
    ("spent", "left", "used"),
    [
        (_spent(0, 0, of=(DOLLAR, 10 * DOLLAR)), (1, 10), (0, 0)),
        (_spent(DOLLAR // 4, DOLLAR, of=(DOLLAR, 10 * DOLLAR)), (0.75, 9), (0.25, 0.1)),
        (_spent(2 * DOLLAR, 2 * DOLLAR, of=(DOLLAR, 2 * DOLLAR)), (0, 0), (2, 1)),
        (_spent(DOLLAR, DOLLAR, of=(0, 0)), (0, 0), (0, 0)),
    ],
)
def test_what_is_left_of_a_budget_is_shown_in_dollars_and_as_a_share(
    page: Page, spent: Spent, left: tuple[float, float], used: tuple[float, float]
) -> None:
    page.meters.budget(spent)
    assert (
        page("claude_budget_remaining_usd"),
        page("webhook_analyzer_budget_used_ratio"),
    ) == (
        dict(zip(("day", "month"), left, strict=True)),
        dict(zip(("daily", "monthly"), used, strict=True)),
    )


def test_a_call_that_no_budget_allows_is_counted_by_the_budget(page: Page) -> None:
    page.meters.denied(Denied(window=Window.HOUR, why="31 calls"))
    assert page("claude_budget_denied_total") == {"hour": 1, "day": 0, "month": 0}


def _ruling(decision: Decision, *closed: str, raw: float = 0.9, effective: float = 0.6) -> Ruling:
    gates = tuple(
        Gate(name=name, passed=name not in closed, why="so it is") for name in ("answered", *closed)
    )
    return Ruling(
        analysis=1,
        decision=decision,
        gates=gates,
        raw=raw,
        calibrated=raw,
        effective=effective,
        reason="",
    )


@pytest.mark.parametrize(
    ("by", "action", "ruling", "labels"),
    [
        (
            By.CLAUDE,
            "restart_service",
            _ruling(Decision.AUTO),
            ("claude", "restart_service", "auto", "none"),
        ),
        (
            By.CLAUDE,
            "clear_cache",
            _ruling(Decision.HUMAN, "measured", "confidence"),
            ("claude", "clear_cache", "human", "measured"),
        ),
        (By.RULES, NONE, _ruling(Decision.OBSERVE), ("rules", "none", "observe", "none")),
        (By.RULES, ESCALATE, _ruling(Decision.PLAYBOOK), ("rules", "escalate", "playbook", "none")),
        (
            By.CLAUDE,
            "rm -rf /",
            _ruling(Decision.ESCALATE, "rm -rf /"),
            ("claude", "other", "escalate", "other"),
        ),
    ],
)
def test_a_decision_is_counted_with_the_first_gate_that_was_closed(
    page: Page, by: By, action: str, ruling: Ruling, labels: tuple[str, ...]
) -> None:
    page.meters.decided(by, action, ruling)
    assert page.above_zero("analyzer_decisions_total") == {labels: 1}
    assert page.above_zero("analyzer_confidence_sum") == {(by, "raw"): 0.9, (by, "effective"): 0.6}


def test_a_confidence_of_exactly_a_threshold_is_told_from_one_above(page: Page) -> None:
    for sure in (0.70, 0.7000001):
        page.meters.decided(By.CLAUDE, NONE, _ruling(Decision.OBSERVE, raw=sure, effective=sure))
    buckets = page("analyzer_confidence_bucket")
    assert [buckets["claude", "raw", le] for le in ("0.6", "0.7", "0.8")] == [0, 1, 2]


def test_every_action_and_every_gate_that_there_is_has_its_own_label(page: Page) -> None:
    pairs = list(product([*CATALOGUE, NONE, ESCALATE], gate.NAMES))
    for action, name in pairs:
        page.meters.decided(By.CLAUDE, action, _ruling(Decision.HUMAN, name))
    assert page.above_zero("analyzer_decisions_total") == {
        ("claude", action, "human", name): 1 for action, name in pairs
    }


def test_whatever_an_answer_can_come_to_begins_at_zero() -> None:
    begun = Page()("analyzer_decisions_total")
    claude = {key for key in begun if key[0] == "claude"}
    closing = [each for each in gate.NAMES if each != "answered"]  # else it is no answer of Claude
    assert claude == {
        *(("claude", action, "auto", "none") for action in CATALOGUE),
        *product(["claude"], CATALOGUE, ["human", "escalate"], closing),
        *product(["claude"], ["none"], ["escalate"], set(gate.NOTHING) - {"answered"}),
        ("claude", "none", "observe", "none"),
        ("claude", "escalate", "escalate", "action"),
    }
    assert {key[2:] for key in begun.keys() - claude} == {
        ("playbook", "none"),
        ("human", "answered"),
        ("escalate", "answered"),
    }
    assert (len(begun), set(begun.values())) == (len(claude) + 2 * (len(CATALOGUE) + 2), {0})


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        ((SONNET, HAIKU, Outcome.OVERLOADED), (SONNET, HAIKU, "overloaded")),
        (("claude", "rules", Window.DAY), ("claude", "rules", "day")),
        (("claude", "rules", "no_key"), ("claude", "rules", "no_key")),
        (("mine", "people", "it said so"), ("other", "people", "other")),
    ],
)
def test_a_fallback_is_counted_from_whom_to_whom_and_why(
    page: Page, said: tuple[str, str, str], labels: tuple[str, str, str]
) -> None:
    page.meters.fell_back(*said)
    assert page.above_zero("analyzer_fallbacks_total") == {labels: 1}


def test_each_reason_for_which_rules_may_be_asked_instead_begins_at_zero() -> None:
    begun = Page()("analyzer_fallbacks_total")
    assert {key[:2] for key in begun} == {("claude", "rules")}
    assert set(begun.values()) == {0}
    assert {key[2] for key in begun} == {
        *(each.value for each in Outcome if each is not Outcome.OK),
        *("hour", "day", "month", "no_key", "no_price", "circuit", "queue", "late"),
        *("failed", "other"),
    }


def test_each_reason_for_which_the_next_model_may_be_asked_instead_begins_at_zero() -> None:
    begun = Page(SONNET, HAIKU)("analyzer_fallbacks_total")
    of_rules = {why for asked, _, why in begun if asked == "claude"}
    assert begun == dict.fromkeys(
        [*product(["claude"], ["rules"], of_rules), *product([SONNET], [HAIKU], of_rules)], 0.0
    )


def test_each_outcome_that_an_answer_may_have_begins_at_zero() -> None:
    assert Page()("analyzer_outcomes_total") == dict.fromkeys(
        product(
            ["claude", "rules"],
            [*CATALOGUE, "none", "escalate", "other"],
            ["helped", "ended", "again", "failed", "rejected", "went_on"],
        ),
        0.0,
    )


def test_what_is_found_in_evidence_is_counted_by_its_source_or_kind(page: Page) -> None:
    page.meters.flagged(Source.LOGS)
    page.meters.redacted("email", 3)
    page.meters.redacted("a stranger's word", 1)
    page.meters.missing(Source.METRICS, Lack.TIMEOUT)
    assert (
        page("analyzer_injection_flags_total"),
        page.above_zero("analyzer_redactions_total"),
        page.above_zero("analyzer_evidence_missing_total"),
        len(page("analyzer_evidence_missing_total")),
    ) == (
        {**dict.fromkeys(map(str, Source), 0), "logs": 1},
        {"email": 3, "other": 1},
        {("metrics", "timeout"): 1},
        len(Source) * len(Lack),
    )


def test_every_kind_of_secret_that_there_is_has_its_own_label() -> None:
    kinds = {kind for kind, _ in plain._SECRETS}
    assert set(KINDS) == kinds | {redaction.EMAIL, redaction.QUERY, redaction.OWN}


def _verdict(came: Came, raw: float = 0.9, **changed: Any) -> Verdict:  # noqa: ANN401  any field
    said: Mapping[str, Any] = {
        "analysis": 1,
        "action": "clear_cache",
        "analyzer": "claude",
        **changed,
    }
    return Verdict(
        at=NOW - timedelta(hours=1),
        alertname="ProjectHighMemory",
        model=SONNET,
        prompt="1",
        decision="auto",
        raw=raw,
        effective=raw,
        came=came,
        **said,
    )


SCORES = ("accuracy_ratio", "brier_score", "brier_skill_ratio", "ece")


NONE_OF_THEM: dict[str, dict[Any, float]] = {name: {} for name in SCORES}


def _scores(page: Page) -> dict[str, dict[Any, float]]:
    found = {name: page(f"analyzer_{name}") for name in SCORES}
    return {
        name: {by: round(value, 6) for by, value in each.items()} for name, each in found.items()
    }


def test_before_anything_has_turned_out_there_is_no_score(page: Page) -> None:
    page.meters.scored([_verdict(Came.OPEN), _verdict(Came.UNLABELLED)])
    assert (_scores(page), page("analyzer_labelled_answers")) == (
        NONE_OF_THEM,
        {"claude": 0, "rules": 0},
    )


def test_the_scores_are_of_each_analyzer_alone(page: Page) -> None:
    # 0.9 right twice and wrong once, 0.2 wrong once: (0.01 + 0.01 + 0.81 + 0.04) / 4; 0.25 by half.
    claude = [_verdict(Came.HELPED), _verdict(Came.ENDED), _verdict(Came.FAILED)]
    wrong = _verdict(Came.REJECTED, 0.2)
    page.meters.scored([*claude, wrong, _verdict(Came.HELPED, 0.6, analyzer="rules")])
    assert page("analyzer_labelled_answers") == {"claude": 4, "rules": 1}
    assert _scores(page) == {
        "accuracy_ratio": {"claude": 0.5, "rules": 1},
        "brier_score": {"claude": 0.2175, "rules": 0.16},
        "brier_skill_ratio": {"claude": 0.13},
        "ece": {"claude": 0.225, "rules": 0.4},
    }


def test_a_score_that_cannot_be_reckoned_any_more_is_gone(page: Page) -> None:
    page.meters.scored([_verdict(Came.HELPED), _verdict(Came.FAILED)])
    page.meters.scored([])
    assert _scores(page) == NONE_OF_THEM


def test_only_what_turns_out_after_the_start_is_counted_and_nothing_twice(page: Page) -> None:
    page.meters.scored([_verdict(Came.HELPED), _verdict(Came.OPEN, analysis=2)])
    assert page.above_zero("analyzer_outcomes_total") == {}
    odd = _verdict(Came.WENT_ON, analysis=3, action="a stranger's word")
    for _ in range(2):
        page.meters.scored([_verdict(Came.HELPED), _verdict(Came.HELPED, analysis=2), odd])
    assert page.above_zero("analyzer_outcomes_total") == {
        ("claude", "clear_cache", "helped"): 1,
        ("claude", "other", "went_on"): 1,
    }


def test_what_is_too_old_to_be_shown_makes_no_place_for_what_is_not_counted(page: Page) -> None:
    page.meters.scored([])
    for number in range(3):
        page.meters.scored([_verdict(Came.HELPED, analysis=number)])
    assert page.above_zero("analyzer_outcomes_total") == {("claude", "clear_cache", "helped"): 3}


def test_an_answer_whose_label_is_taken_back_is_counted_once(page: Page) -> None:
    page.meters.scored([])
    for came in (Came.HELPED, Came.OPEN, Came.HELPED):
        page.meters.scored([_verdict(came)])
    assert page.above_zero("analyzer_outcomes_total") == {("claude", "clear_cache", "helped"): 1}
