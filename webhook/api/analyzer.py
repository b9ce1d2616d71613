"""The analyzer: why something was decided, what is left to spend, and how often it was right."""

import sqlite3
from dataclasses import asdict
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Literal

from pydantic import Field

from orchestrator import clock
from orchestrator.config import Analyzer
from orchestrator.prices import NANO
from webhook.analyzer import learning
from webhook.api.history import Instant
from webhook.api.operation import Answer, Call, Query, Table
from webhook.api.why import SHOWN, Why, dollars, why
from webhook.instruments import Instruments
from webhook.plain import line
from webhook.problem import Problem
from webhook.store import explained, spending, verdicts
from webhook.store.explained import Standing
from webhook.store.spending import Limits, Spent
from webhook.token import READERS

DAY = timedelta(days=1)  # for which it is counted what was done
QUARTER = timedelta(days=90)  # of which a report is, where nobody said how long
CIRCUITS = ("closed", "half_open", "open")  # as the gauge counts them
NAME = 100  # characters

table = Table("analyzer")


class Analyses(Answer):
    """The newest 20 analyses of an incident, the oldest first."""

    analyses: list[Why]


@table.get("/api/v1/incidents/{id}/analyses", roles=READERS, answer=Analyses)
async def list_analyses(call: Call) -> Analyses:
    """Return why the analyzer decided as it did about one incident.

    Of each analysis: what was asked, the evidence, the answer, each condition of acting with how it
    was met, what was decided, what that cost, and what happened after.
    """
    number = call.number()
    found = await call.desk.read(_found, number, call.desk.now())
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no incident {number}")
    return Analyses(analyses=found)


def _found(db: sqlite3.Connection, number: int, now: datetime) -> list[Why] | None:
    if not db.execute("SELECT 1 FROM incidents WHERE id = ?", (number,)).fetchone():
        return None
    return [why(each) for each in explained.explained(db, number, limit=SHOWN, now=now)]


class WindowShown(Answer):
    """A budget of dollars, of a day or a month in UTC."""

    limit_usd: float
    spent_usd: float  # what is reserved for calls under way counts
    left_usd: float  # for what is critical: of the others, a fifth less


class HourShown(Answer):
    """A budget of calls, of the last hour."""

    limit: int
    made: int
    left: int


class AnalyzerShown(Answer):
    """How the analyzer is."""

    at: str
    mode: Literal["always", "on_failure", "off"]
    model: str
    fallback_model: str | None
    key: bool  # whether there is one; without it rules answer
    day: WindowShown
    month: WindowShown
    hour: HourShown
    circuits: dict[str, str]  # closed, half_open or open, by model; none: it was never asked
    waiting: int  # questions that nobody has taken up
    running: int
    answered: dict[str, int]  # within a day, by who has answered
    decided: dict[str, int]  # within a day, by the decision


@table.get("/api/v1/analyzer", roles=READERS, answer=AnalyzerShown)
async def show_analyzer(call: Call) -> AnalyzerShown:
    """Return what the analyzer may still spend, whether its models can be asked, and its counts."""
    desk, now = call.desk, call.desk.now()
    settings = desk.config().analyzer
    spent, counts = await desk.read(_standing, settings, now)
    return AnalyzerShown(
        at=clock.written(now),
        mode=settings.mode,
        model=settings.model,
        fallback_model=settings.fallback_model,
        key=settings.key is not None,
        day=_window(spent.limits.day, spent.day, spent.left.day),
        month=_window(spent.limits.month, spent.month, spent.left.month),
        hour=HourShown(
            limit=spent.limits.calls_per_hour, made=spent.calls, left=spent.left.calls_per_hour
        ),
        circuits=_circuits(desk.instruments),
        waiting=counts.waiting,
        running=counts.running,
        answered=dict(counts.answered),
        decided=dict(counts.decided),
    )


def _standing(db: sqlite3.Connection, settings: Analyzer, now: datetime) -> tuple[Spent, Standing]:
    limits = Limits(
        calls_per_hour=settings.calls_per_hour,
        day=round(settings.daily_budget_usd * NANO),
        month=round(settings.monthly_budget_usd * NANO),
    )
    return spending.spent(db, limits, at=now), explained.standing(db, since=now - DAY)


def _window(limit: int, spent: int, left: int) -> WindowShown:
    return WindowShown(limit_usd=dollars(limit), spent_usd=dollars(spent), left_usd=dollars(left))


def _circuits(instruments: Instruments) -> dict[str, str]:
    """Read the state of each model's circuit where it is shown to Prometheus, too."""
    families = instruments.registry.restricted_registry(["claude_circuit_state"]).collect()
    return {
        line(each.labels["model"], NAME): CIRCUITS[int(each.value)]
        for family in families
        for each in family.samples
    }


class Since(Query):
    """From when on."""

    since: Instant | None = Field(default=None, description="answers from there on; 90 days ago")


class ShareShown(Answer):
    """So many of so many; the true share lies between `low` and `high` in 95 of 100 cases."""

    many: int
    of: int
    rate: float | None
    low: float
    high: float


class BinShown(Answer):
    """The answers that were about as sure as each other."""

    low: float
    high: float
    n: int
    said: float | None  # how sure they were, the mean
    right: float | None  # how many were right


class ScoreShown(Answer):
    """How good some answers were; null where there is nothing to reckon it of."""

    decided: int
    decisions: dict[str, int]
    escalated: ShareShown  # of all decisions, those that only asked people
    accuracy: ShareShown  # of the answers of which that can be told, the right ones
    auto: ShareShown  # the same, of those that were acted on without asking
    brier: float | None  # 0 is perfect, 0.25 is to say a half always
    base: float | None  # of who always says the share that is right
    skill: float | None  # 1 is perfect, 0 no better than that, below 0 worse
    ece: float | None  # the calibration error; below 200 answers it is mostly chance
    log_loss: float | None  # in nats


class AnalyzerReport(Answer):
    """How good the answers were, whole and by each thing that may make a difference."""

    since: str
    until: str
    whole: ScoreShown
    alerts: dict[str, ScoreShown]
    actions: dict[str, ScoreShown]
    models: dict[str, ScoreShown]  # those of rules as `rules`
    prompts: dict[str, ScoreShown]
    calibration: list[BinShown]


@table.get("/api/v1/analyzer/report", roles=READERS, query=Since, answer=AnalyzerReport)
async def report_analyzer(call: Call) -> AnalyzerReport:
    """Return how often the analyzer was right, and whether it was as sure as it should have been.

    An answer was right when what it proposed was done and proven and the alert stayed away for half
    an hour, or when it proposed nothing and the alert ended by itself.
    """
    now = call.desk.now()
    since = call.asked(Since).since or now - QUARTER
    if since >= now:
        raise Problem(HTTPStatus.BAD_REQUEST, "query.since: it has to lie in the past")
    return await call.desk.read(_report, since, now)


def _report(db: sqlite3.Connection, since: datetime, now: datetime) -> AnalyzerReport:
    made = asdict(learning.report(verdicts.decided(db, now=now, since=since)))
    for by in ("alerts", "actions", "models", "prompts"):
        made[by] = {line(name, NAME): score for name, score in made[by].items()}
    span = {"since": clock.written(since), "until": clock.written(now)}
    return AnalyzerReport.model_validate(span | made)
