"""Calls: what Claude is asked, whether it answers, and what that costs."""

from typing import Final

from dashboards import alarm, limits
from dashboards.events import count, events
from dashboards.layout import Section, band
from dashboards.limits import GREEN, ORANGE, RED, above
from dashboards.look import About, Look, Sizes, Word
from dashboards.panels import Panel, bargauge, now, query, stat, timeseries

_NO_KEY: Final = "Claude is not asked"
_SPENT: Final = above(orange=alarm.FIRES_ABOVE["AnalyzerBudgetLow"], red=alarm.KEPT)


def calls() -> Section:
    """Return them, with what they cost."""
    return Section(
        id=140,
        title="Claude: answers and money, of all projects",
        is_folded=True,
        bands=(
            band(5, (7, _used()), (5, _left()), (4, _spent()), (8, _circuit())),
            band(9, (8, _outcomes()), (8, _latency()), (8, _cost())),
            band(9, (8, _tokens()), (8, _statuses()), (8, _denied())),
        ),
    )


def _used() -> Panel:
    about = About(
        id=41,
        title="Budget used",
        unit="percentunit",
        shows="Money that is spent, of what may be spent in this day and month (UTC).",
        good="Below 60 %.",
        act="From 80 % on only what is critical is asked about; raise it, or let it.",
        empty=_NO_KEY,
        runbook="AnalyzerBudgetLow",
    )
    expr = "max by (budget) (webhook_analyzer_budget_used_ratio)"
    look = Look(steps=_SPENT, low=0, high=1, decimals=1)
    return bargauge(about, [now(expr, "{{budget}}")], look)


def _left() -> Panel:
    about = About(
        id=42,
        title="Budget left",
        unit="currencyUSD",
        shows="Dollars that may still be spent in this day and month (UTC).",
        good="More than a call costs.",
        act="Rules answer until it begins anew; raise it in `analyzer` if that is too little.",
        empty=_NO_KEY,
        runbook="WebhookBudgetSpent",
    )
    expr = "min by (window) (claude_budget_remaining_usd)"
    sizes = Sizes(name=14, value=28)
    return stat(about, [now(expr, "{{window}}")], Look(decimals=2), sizes=sizes)


def _spent() -> Panel:
    about = About(
        id=43,
        title="Spent",
        unit="currencyUSD",
        shows="Dollars that calls have cost in the time that is shown, where that is known.",
        good="What you meant to spend.",
        act="See below which model it was, and for how many tokens.",
        empty=_NO_KEY,
    )
    expr = "sum(increase(claude_cost_usd_total[$__range]))"
    sizes = Sizes(name=14, value=28)
    return stat(about, [now(expr, "all")], Look(decimals=2), sizes=sizes)


def _circuit() -> Panel:
    about = About(
        id=44,
        title="Models",
        unit="short",
        shows="Whether each model is asked, or left alone as it gave no answers.",
        good="asked.",
        act="See below what it answers; another model or rules are asked meanwhile.",
        empty=_NO_KEY,
        runbook="ClaudeUnavailable",
    )
    words = (Word("0", "asked", GREEN), Word("1", "one call tries", ORANGE), Word("2", "left", RED))
    expr = "max by (model) (claude_circuit_state)"
    sizes = Sizes(name=13, value=24)
    return stat(about, [now(expr, "{{model}}")], Look(words=words), sizes=sizes)


def _outcomes() -> Panel:
    about = About(
        id=45,
        title="What became of calls",
        unit="short",
        shows="How many calls ended, by what became of them; docs/webhook-metrics.md tells the"
        " words. Each bar is a minute or more.",
        good="`ok` alone.",
        act="`auth` and `quota` need you; the rest is tried again by itself.",
        empty=_NO_KEY,
        runbook="ClaudeRefused",
    )
    return events(about, [count("claude_requests_total", "outcome", "{{outcome}}")])


def _latency() -> Panel:
    about = About(
        id=46,
        title="Time of a call",
        unit="s",
        shows="How long calls took over the last hour: half, and 19 of 20, took no longer.",
        good="Seconds; a repair waits for it.",
        act="Ask a smaller model, or allow less time, in `analyzer`.",
        empty=_NO_KEY,
    )
    took = "sum by (le, model) (increase(claude_request_duration_seconds_bucket[1h]))"
    # A model that was not asked has no time, and else a row in the legend nevertheless.
    queries = [
        query(f"histogram_quantile(0.5, {took}) > 0", "{{model}} p50"),
        query(f"histogram_quantile(0.95, {took}) > 0", "{{model}} p95"),
    ]
    return timeseries(about, queries, Look(low=0), points=True)


def _cost() -> Panel:
    about = About(
        id=47,
        title="Cost of an hour",
        unit="currencyUSD",
        shows="Dollars that the calls of the last hour have cost, by model.",
        good="Even, and small beside the budget.",
        act="A climb with few incidents: see whether one alert is asked about again and again.",
        empty=_NO_KEY,
    )
    expr = "sum by (model) (increase(claude_cost_usd_total[1h]))"
    return timeseries(about, [query(expr, "{{model}}")], Look(low=0, decimals=2, is_stacked=True))


def _tokens() -> Panel:
    about = About(
        id=48,
        title="Tokens",
        unit="short",
        shows="How many tokens, as answers count them; those of thinking are output as well. Each"
        " bar is a minute or more.",
        good="Mostly `cache_read`: that is the cheap kind.",
        act="Much `cache_write` and no `cache_read`: calls are too far apart for the cache.",
        empty=_NO_KEY,
    )
    return events(about, [count("claude_tokens_total", "type", "{{type}}")])


def _statuses() -> Panel:
    about = About(
        id=49,
        title="HTTP answers",
        unit="short",
        shows="How many calls had which status; `none` is without an answer. Each bar is a minute"
        " or more.",
        good="200 alone.",
        act="429 and 529: it is asked too much, or is busy; `none`: look at the network.",
        empty=_NO_KEY,
        runbook="ClaudeUnavailable",
    )
    return events(about, [count("claude_attempts_total", "status", "{{status}}")])


def _denied() -> Panel:
    about = About(
        id=50,
        title="Calls that were not made",
        unit="short",
        shows="In the time that is shown, by the budget that was used up.",
        good="0.",
        act="Raise that budget, or let rules answer.",
        empty="the webhook does not answer",
        runbook="WebhookBudgetSpent",
    )
    expr = "sum by (reason) (increase(claude_budget_denied_total[$__range]))"
    return bargauge(about, [now(expr, "{{reason}}")], Look(steps=limits.ANY, low=0, decimals=0))
