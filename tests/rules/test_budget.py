"""Where AnalyzerBudgetLow fires, there is still room for a call: people hear of it before."""

import promql_parser

from orchestrator.config import Analyzer
from orchestrator.prices import NANO, PRICES
from tests.rules import promql, ruleset
from webhook.analyzer import price, prompt
from webhook.evidence.pack import HARD
from webhook.store.spending import KEPT, Limits, Spent


def _warns_above() -> float:
    [alert] = [each for each in ruleset.load().alerts if each.name == "AnalyzerBudgetLow"]
    expr = promql.parse(alert.expr)
    assert isinstance(expr, promql_parser.BinaryExpr)
    assert isinstance(expr.rhs, promql_parser.NumberLiteral)
    return float(expr.rhs.val)


def test_the_largest_call_still_fits_where_the_budget_is_said_to_be_low() -> None:
    ours = Analyzer()
    limit = round(ours.daily_budget_usd * NANO)
    asked = prompt.body("x" * HARD, model=ours.model, effort=ours.effort, instance="i" * 32)
    amount = price.reserve(len(prompt.written(asked)), prompt.MAX_TOKENS, PRICES[ours.model])

    def refused(used: int) -> bool:
        limits = Limits(calls_per_hour=1, day=limit, month=limit)
        return (
            Spent(limits=limits, calls=0, day=used, month=0).denial(amount, critical=False)
            is not None
        )

    assert not refused(round(limit * _warns_above()))
    assert refused(limit - limit // KEPT), "what is used never comes to where the last fifth begins"
