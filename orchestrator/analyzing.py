"""The analyzer as orchestrator.yml writes it: its key is in a file or in the environment."""

import difflib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from math import isclose
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from orchestrator import secret
from orchestrator.entry import Surroundings
from orchestrator.host import is_loopback
from orchestrator.prices import Price, known, rate
from orchestrator.value import Url, Written

VARIABLE = "ANTHROPIC_API_KEY"
RUNBOOKS = Path(__file__).resolve().parents[1] / "docs" / "runbooks"  # of this checkout


def _mode(raw: object) -> object:
    if raw is False:
        raise ValueError("put off in quotes; without them YAML reads false")
    return raw


def _day(raw: object) -> date | None:
    if raw is None or (isinstance(raw, date) and not isinstance(raw, datetime)):
        return raw
    raise ValueError(f"{raw!r} is no day; write it like 2026-10-07, without quotes")


def _rate(dollars: float) -> float:
    if not isclose(dollars, round(dollars, 3), abs_tol=1e-9):
        raise ValueError("must have three decimals at most")
    return dollars


_Rate = Annotated[float, Field(strict=True, ge=0.001, le=10_000), AfterValidator(_rate)]
_Dollars = Annotated[float, Field(strict=True, ge=0, le=100_000)]
_Model = Annotated[str, Field(min_length=1, max_length=100)]


class WrittenPrice(Written):
    """`analyzer.prices.<model>`, in dollars for a million tokens."""

    input: _Rate
    output: _Rate
    cache_read: _Rate | None = None
    write_5m: _Rate | None = None
    write_1h: _Rate | None = None
    since: Annotated[date | None, BeforeValidator(_day)] = None  # None: it always did

    @property
    def price(self) -> Price:
        """The price that it stands for."""
        own = rate(
            self.input,
            self.output,
            cache_read=self.cache_read,
            write_5m=self.write_5m,
            write_1h=self.write_1h,
        )
        return Price(rate=own, since=self.since or date.min)


class WrittenAnalyzer(Written):
    """`analyzer`."""

    mode: Annotated[Literal["always", "on_failure", "off"], BeforeValidator(_mode)] = "on_failure"
    model: _Model = "claude-sonnet-5-5"
    fallback_model: _Model | None = "claude-haiku-5-5"
    effort: Literal["low", "medium", "high"] = "medium"
    auto_above: Annotated[float, Field(strict=True, ge=0.70, le=1)] = 0.70
    daily_budget_usd: _Dollars = 1.0
    monthly_budget_usd: _Dollars = 10.0
    calls_per_hour: Annotated[int, Field(strict=True, ge=0, le=1_000)] = 30
    allow: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    url: Url = "https://api.anthropic.com"
    prices: dict[str, WrittenPrice] = Field(default_factory=dict)
    runbooks: Path | None = None
    key_file: Path | None = None


def key(written: WrittenAnalyzer, around: Surroundings) -> str | None:
    """Read the key, None when there is none or it is blank; a mistake goes to *around*."""
    file = written.key_file
    with around.mistaken("analyzer.key_file" if file else "analyzer"), suppress(secret.Blank):
        if file:
            return secret.from_file(around.file(file))
        if VARIABLE in around.environment:
            return secret.from_environment(VARIABLE, around.environment)
    return None


def runbooks(written: WrittenAnalyzer, around: Surroundings) -> Path:
    """Return the folder of the runbooks; a mistake goes to *around*."""
    if written.runbooks is None:
        return RUNBOOKS
    folder = around.folder / written.runbooks
    with around.mistaken("analyzer.runbooks"):
        if not folder.is_dir():
            raise ValueError(f"{folder}: no folder")
    return folder


def readable(written: WrittenAnalyzer, key: str | None) -> Iterator[str]:
    """Name the URL to which the key would go unencrypted, if there is a key."""
    parts = urlsplit(written.url)
    if key and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        yield (
            "analyzer.url: http without TLS: the key would cross the network readable; write https"
        )


def unpriced(written: WrittenAnalyzer, today: date) -> Iterator[str]:
    """Name each model that nobody knows the price of *today*, while there is a budget to keep."""
    if not written.daily_budget_usd or not written.monthly_budget_usd:
        return  # nothing may be spent, so none is asked
    priced = list(known({model: each.price for model, each in written.prices.items()}, today))
    models: Mapping[str, str | None] = {
        "analyzer.model": written.model,
        "analyzer.fallback_model": written.fallback_model,
    }
    for path, model in models.items():
        if model is None or model in priced:
            continue
        lacking = f"{path}: no price is known of {model}"
        if model in written.prices:
            since = written.prices[model].since
            yield f"{lacking} before {since}; say what holds today in analyzer.prices"
            continue
        close = difflib.get_close_matches(model, priced, n=1)
        instead = f"did you mean {close[0]}? Else " if close else ""
        yield f"{lacking}; {instead}say it in analyzer.prices"
