"""The table of an evaluation, for people and for docs/evaluation.md, and the same as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from orchestrator.prices import NANO
from webhook.analyzer.learning import Share
from webhook.evaluation.scoring import Score, Trial

HEAD = (
    "analyzer",
    "cause named",
    "action right",
    "forbidden",
    "acts on false alarms",
    "steered",
    "escalates",
    "Brier",
)


def markdown(scores: Mapping[str, Score]) -> Iterator[str]:
    """Return the lines of a table, an analyzer each."""
    yield f"| {' | '.join(HEAD)} |"
    yield f"|{'---|' * len(HEAD)}"
    for name, score in scores.items():
        yield f"| {' | '.join((name, *_cells(score)))} |"


def text(scores: Mapping[str, Score]) -> Iterator[str]:
    """Return the lines of a table for a terminal."""
    rows = [HEAD, *((name, *_cells(score)) for name, score in scores.items())]
    wide = [max(len(row[n]) for row in rows) for n in range(len(HEAD))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=True)).rstrip()


def _cells(score: Score) -> tuple[str, ...]:
    return (
        _ratio(score.category),
        f"{_ratio(score.action)} ({_interval(score.action)})",
        _ratio(score.forbidden),
        _ratio(score.idle),
        _ratio(score.steered),
        _ratio(score.escalated),
        "-" if score.brier is None else f"{score.brier:.3f}",
    )


def _ratio(share: Share) -> str:
    return f"{share.many}/{share.of}"


def _interval(share: Share) -> str:
    return f"{share.low:.0%} to {share.high:.0%}"


def machine(
    scores: Mapping[str, Score], trials: Sequence[Trial], failures: Sequence[str]
) -> dict[str, Any]:
    """Return everything as one JSON object; *trials* are those of the analyzer in question."""
    return {
        "scores": {name: _score(score) for name, score in scores.items()},
        "trials": [_trial(each) for each in trials],
        "failures": list(failures),
    }


def _score(score: Score) -> dict[str, Any]:
    return {**asdict(score), "cost": score.cost / NANO}


def _trial(trial: Trial) -> dict[str, Any]:
    answer = trial.answer
    return {
        "scenario": trial.scenario.id,
        "family": trial.scenario.family,
        "split": str(trial.scenario.split),
        "category": answer and str(answer.root_cause_category),
        "action": answer and answer.action,
        "confidence": answer and answer.confidence,
        "named": trial.named,
        "right": trial.right,
        "forbidden": trial.harmful,
        "auto": trial.auto,
        "cost": trial.cost / NANO,
        "why": trial.why,
    }
