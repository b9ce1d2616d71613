"""The figures of a benchmark as Markdown tables, and as JSON."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

from tests.bench.result import Loop, Run, Verdict, ratio

Column = tuple[str, Callable[[Run], str]]


def render(runs: Sequence[Run]) -> str:
    """Return every table, each under a line that says what it shows."""
    ours = [run for run in runs if run.seen.loop]
    shown = [
        (f"Cost in {runs[0].seconds} s", _rows(_cost(runs), runs)),
        ("How our exporter keeps its times", _rows(_TIMES, ours)),
        ("What a scrape of our exporter takes", _rows(_SCRAPES, ours)),
        ("The targets, seen from outside", _rows(_TARGETS, runs)),
    ]
    return "\n".join(f"{title}:\n\n{markdown(rows)}\n" for title, rows in shown if rows[1:])


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return *rows*, the first of which is the heading, as a table with figures to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    rule = [
        f"{'-' * (width - 1)}:" if place > 1 else "-" * width for place, width in enumerate(widths)
    ]
    lines = [[_padded(cell, widths, place) for place, cell in enumerate(row)] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def json(runs: Sequence[Run], judged: Sequence[Verdict], about: dict[str, Any]) -> dict[str, Any]:
    """Return everything as one object of JSON; what is not finite is null."""
    measured = [asdict(run) | {"cpu_ratio": ratio(run, runs)} for run in runs]
    return {**about, "runs": _finite(measured), "verdicts": [asdict(each) for each in judged]}


def _finite(value: Any) -> Any:  # noqa: ANN401  any JSON
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _padded(cell: str, widths: Sequence[int], place: int) -> str:
    return cell.rjust(widths[place]) if place > 1 else cell.ljust(widths[place])


def _rows(columns: Sequence[Column], runs: Sequence[Run]) -> list[list[str]]:
    return [[name for name, _ in columns], *([cell(run) for _, cell in columns] for run in runs)]


def _cost(runs: Sequence[Run]) -> list[Column]:
    def share(run: Run) -> str:
        found = ratio(run, runs)
        return "" if found is None else f"{found:.2f}x"

    return [
        *_WHO,
        ("probes/s", lambda run: f"{sum(run.seen.made.values()) / run.seconds:.0f}"),
        ("exporter CPU s", lambda run: f"{run.exporter.cpu_seconds:.2f}"),
        ("Prometheus CPU s", lambda run: f"{run.prometheus.cpu_seconds:.2f}"),
        ("both", lambda run: f"{run.cpu_seconds:.2f}"),
        ("of the peer", share),
        ("exporter peak MB", lambda run: f"{run.exporter.peak_bytes / 1e6:.0f}"),
        ("Prometheus peak MB", lambda run: f"{run.prometheus.peak_bytes / 1e6:.0f}"),
    ]


def _of_loop(show: Callable[[Loop], str]) -> Callable[[Run], str]:
    return lambda run: show(run.seen.loop) if run.seen.loop else ""


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"


_WHO: list[Column] = [("projects", lambda run: f"{run.projects}"), ("side", lambda run: run.side)]
_TIMES: list[Column] = [
    *_WHO,
    ("due", _of_loop(lambda loop: f"{sum(loop.due.values()):.0f}")),
    ("made", lambda run: f"{sum(run.seen.made.values()):.0f}"),
    ("skipped", _of_loop(lambda loop: f"{sum(loop.skipped.values()):.0f}")),
    ("void", _of_loop(lambda loop: f"{sum(loop.void.values()):.0f}")),
    ("tick lag p50 ms", _of_loop(lambda loop: _ms(loop.lag_p50))),
    ("p99", _of_loop(lambda loop: _ms(loop.lag_p99))),
    ("max", _of_loop(lambda loop: _ms(loop.lag_max))),
]
_SCRAPES: list[Column] = [
    *_WHO,
    ("health ms", _of_loop(lambda loop: _ms(loop.health.mean))),
    ("slowest under", _of_loop(lambda loop: _ms(loop.health.slowest))),
    ("resources ms", _of_loop(lambda loop: _ms(loop.resources.mean))),
    ("slowest under", _of_loop(lambda loop: _ms(loop.resources.slowest))),
    ("both from outside ms", _of_loop(lambda loop: _ms(loop.wall))),
    ("page kB", _of_loop(lambda loop: f"{loop.page_bytes / 1000:.0f}")),
]
_TARGETS: list[Column] = [
    *_WHO,
    ("of a core", lambda run: f"{run.targets.cpu_share:.1%}"),
    ("answer p50 ms", lambda run: _ms(run.targets.p50)),
    ("p99", lambda run: _ms(run.targets.p99)),
    ("max", lambda run: _ms(run.targets.slowest)),
    ("asked", lambda run: f"{run.targets.samples}"),
    ("answered to the side", lambda run: f"{sum(run.targets.answered.values()):.0f}"),
]
