"""How fast evidence is gathered and the gate decides: `python -m tests.bench.analyzer`."""

import asyncio
import json
import os
import platform
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from orchestrator import clock
from orchestrator.demo import binaries
from orchestrator.errors import OrchestratorError
from orchestrator.version import VERSION
from tests.bench import analyzer_fill as fill
from tests.bench.analyzer_run import Decided
from tests.bench.analyzer_site import CHECKOUT, NOBODY, Site, opened
from tests.bench.exporter import DOES_NOT_HOLD, INTERRUPTED, NOT_MEASURED
from tests.bench.latency import quantile
from tests.bench.table import markdown
from webhook.analyzer.gate import NAMES
from webhook.evidence import questions

P95_MOST: Final = 0.200  # seconds
AT_ONCE: Final = (1, 2)  # analyses; more are never made beside each other
WARM: Final = 4  # analyses before any counts: connections are opened, modules imported
EACH: Final = 10  # looks at each alert
OURS: Final = "store analyzer_fill."  # what only the benchmark does


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """How long something took, in seconds."""

    what: str
    times: int
    p50: float
    p95: float
    slowest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one run has found: so many analyses at once."""

    at_once: int
    whole: Took
    parts: tuple[Took, ...]
    decisions: Mapping[str, int]
    heard: bool  # whether each was decided on by all gates

    @property
    def holds(self) -> bool:
        """Whether it was quick enough, and all of it was done."""
        return self.whole.p95 < P95_MOST and self.heard


def took(what: str, seconds: Sequence[float]) -> Took:
    """Sum up *seconds*, of which there has to be one."""
    return Took(
        what=what,
        times=len(seconds),
        p50=quantile(seconds, 0.5),
        p95=quantile(seconds, 0.95),
        slowest=max(seconds),
    )


@click.command()
@click.option("--projects", type=click.IntRange(6), default=50, show_default=True)
@click.option("--incidents", type=click.IntRange(100), default=10_000, show_default=True)
@click.option("--analyses", type=click.IntRange(10, 400), default=200, show_default=True)
@click.option(
    "--json",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=".bench/analyzer.json",
    show_default=True,
    help="Where everything is written.",
)
def main(*, projects: int, incidents: int, analyses: int, path: Path) -> None:
    """Measure how long an analysis takes without its model.

    From the question, as it is stored, to the decision, as it is stored: the evidence is gathered
    from a real Prometheus, from projects, and from a database with many past incidents; a model
    answers at once; and every gate is asked. It is done one at a time, then two at once. 95 of 100
    have to take less than 200 ms.

    \b
    Examples:
      make bench-analyzer
      make bench-analyzer ARGS="--incidents 1000 --analyses 20"

    \b
    Exit status: 0 measured and everything holds, 1 something does not, 2 a wrong option,
    3 it could not be measured, 130 interrupted.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    try:
        found, looks = asyncio.run(_measured(projects, incidents, analyses))
    except OrchestratorError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(NOT_MEASURED)
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("interrupted; everything that was started has ended", err=True)
        sys.exit(INTERRUPTED)
    _write(path, {"projects": projects, "incidents": incidents}, found, looks)
    sys.exit(0 if _said(found, looks) else DOES_NOT_HOLD)


async def _measured(projects: int, incidents: int, analyses: int) -> tuple[list[Found], list[Took]]:
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    tools = await asyncio.to_thread(binaries.find, os.environ, CHECKOUT / ".tools")  # noqa: TID251  as the demo does
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(_folder())
        click.echo(f"making {incidents:,} past incidents of {projects} projects ...", err=True)
        await asyncio.to_thread(fill.made, str(folder / "x.db"), incidents, clock.now())
        site = await stack.enter_async_context(opened(folder, tools, projects))
        numbers = iter(range(incidents + 1, 10**9))
        await _asked(site, numbers, WARM, 1)
        found = []
        for at_once in AT_ONCE:
            click.echo(f"{analyses} analyses, {at_once} at once ...", err=True)
            found.append(await _found(site, numbers, analyses, at_once))
        click.echo("what is gathered for each alert ...", err=True)
        looks = [
            took(name, [await site.gathered(name, place) for place in range(EACH)])
            for name in sorted(questions._ASKED)
        ]
        down = [await site.gathered("ProjectDown", place, NOBODY) for place in range(EACH)]
        looks.append(took("ProjectDown, of one that is down", down))
    return found, looks


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder on the disk of the checkout: /tmp may be memory."""
    bench = Path(".bench").absolute()
    bench.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=bench, ignore_cleanup_errors=True) as name:
        yield Path(name)


async def _asked(site: Site, numbers: Iterator[int], many: int, at_once: int) -> list[Decided]:
    """Have *many* incidents analysed, the next one as soon as one is decided on."""
    left = iter(range(many))

    async def ask() -> list[Decided]:
        return [await site.bench.one(next(numbers)) for _ in left]

    return list(chain.from_iterable(await asyncio.gather(*(ask() for _ in range(at_once)))))


async def _found(site: Site, numbers: Iterator[int], many: int, at_once: int) -> Found:
    site.watch.parts.clear()
    decided = await _asked(site, numbers, many, at_once)
    rulings = [each.ruling for each in decided if each.ruling is not None]
    gates = [tuple(gate.name for gate in each.gates) for each in rulings]
    parts = {name: list(each) for name, each in site.watch.parts.items() if OURS not in name}
    return Found(
        at_once=at_once,
        whole=took("all of it", [each.seconds for each in decided]),
        parts=tuple(took(name, seconds) for name, seconds in parts.items()),
        decisions=dict(Counter(str(each.decision) for each in rulings)),
        heard=gates == [NAMES] * many,
    )


def rows(head: str, every: Sequence[Took]) -> Iterator[Sequence[str]]:
    """Yield the rows of a table, the head first."""
    yield head, "times", "p50 ms", "p95", "max"
    for each in every:
        shown = (f"{figure * 1000:.1f}" for figure in (each.p50, each.p95, each.slowest))
        yield each.what, f"{each.times}", *shown


def _said(found: Sequence[Found], looks: Sequence[Took]) -> bool:
    for each in found:
        order = sorted(each.parts, key=lambda part: part.p50 * part.times, reverse=True)
        click.echo(f"\n{each.at_once} at once; what was decided: {dict(each.decisions)}\n")
        click.echo(markdown(list(rows("part", [each.whole, *order]))))
    click.echo("\nWhat is gathered for each alert, alone:\n")
    click.echo(markdown(list(rows("alert", looks))))
    click.echo()
    for each in found:
        told = "holds" if each.holds else "DOES NOT HOLD"
        click.echo(
            f"{told}: {each.at_once} at once, p95 {each.whole.p95 * 1000:.0f} ms (less than"
            f" {P95_MOST * 1000:.0f}), {'' if each.heard else 'NOT '}all decided on by all gates"
        )
    return all(each.holds for each in found)


def _write(
    path: Path, size: Mapping[str, int], found: Sequence[Found], looks: Sequence[Took]
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "at": clock.written(clock.now()),
        "size": size,
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "kernel": platform.release(),
            "python": platform.python_version(),
        },
        "versions": {"orchestrator": VERSION, "sqlite": sqlite3.sqlite_version},
        "runs": [asdict(each) | {"holds": each.holds} for each in found],
        "looks": [asdict(each) for each in looks],
    }
    path.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(prog_name="python -m tests.bench.analyzer")
