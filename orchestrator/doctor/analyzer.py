"""The analyzer: whether Claude would be asked, at which price, and where its key would go."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

from orchestrator.config import Analyzer, Config
from orchestrator.doctor.finding import Finding, ok, warn
from orchestrator.lifecycle import ENDS
from orchestrator.prices import Price, known

ABOUT = "analyzer"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
KEY = "analyzer.key_file or the variable ANTHROPIC_API_KEY"


def examine(config: Config, now: datetime) -> list[Finding]:
    """Look at what is configured; nobody is asked, for that would cost."""
    analyzer = config.analyzer
    if analyzer.mode == "off":
        return [ok(ABOUT, "mode off: people are asked where a playbook fails")]
    if analyzer.key is None:
        return [ok(ABOUT, f"no key, so rules answer; {KEY} would have one")]
    return [*_worries(analyzer, now), ok(ABOUT, _summary(analyzer, _prices(analyzer, now)))]


def _prices(analyzer: Analyzer, now: datetime) -> dict[str, Price | None]:
    prices = known(analyzer.prices, now.astimezone(UTC).date())
    models = (analyzer.model, analyzer.fallback_model)
    return {model: prices.get(model) for model in models if model is not None}


def _worries(analyzer: Analyzer, now: datetime) -> Iterator[Finding]:
    where = urlsplit(analyzer.url)
    if where.scheme == "http" and where.hostname not in LOOPBACK:
        said = f"the key goes to {analyzer.url} readable for everybody on the way"
        yield warn(ABOUT, said, "write analyzer.url with https")
    budgets = {
        "daily_budget_usd": analyzer.daily_budget_usd,
        "monthly_budget_usd": analyzer.monthly_budget_usd,
        "calls_per_hour": analyzer.calls_per_hour,
    }
    for key, limit in budgets.items():
        if not limit:
            do = "raise it, or say mode: 'off'"
            yield warn(ABOUT, f"analyzer.{key} is 0, so Claude is never asked", do)
    for model, price in _prices(analyzer, now).items():
        if price is None and analyzer.daily_budget_usd and analyzer.monthly_budget_usd:
            own = analyzer.prices[model].since
            said = f"nobody knows what {model} costs before {own}, so it is not asked until then"
            yield warn(ABOUT, said, f"correct analyzer.prices.{model}.since")
    yield from _endings(analyzer, now.astimezone(UTC).date())


def _endings(analyzer: Analyzer, today: date) -> Iterator[Finding]:
    for path, model in (("model", analyzer.model), ("fallback_model", analyzer.fallback_model)):
        last = ENDS.get(model) if model else None
        if last is None:
            continue
        said = f"{model} is deprecated and answers until {last}"
        if last < today:
            said = f"{model} has ended on {last}, so it does not answer"
        yield warn(ABOUT, said, f"name a model in analyzer.{path} that goes on")


def _summary(analyzer: Analyzer, prices: dict[str, Price | None]) -> str:
    models = " and then ".join(f"{model}{_cost(each)}" for model, each in prices.items())
    daily, monthly = analyzer.daily_budget_usd, analyzer.monthly_budget_usd
    return f"mode {analyzer.mode}, asks {models}, for ${daily:g} a day and ${monthly:g} a month"


def _cost(price: Price | None) -> str:
    if price is None:
        return ""
    into, out = price.rate.input / 1_000, price.rate.output / 1_000
    return f" (${into:g} and ${out:g} a million tokens in and out)"
