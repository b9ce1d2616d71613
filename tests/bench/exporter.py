"""What our exporter costs, beside blackbox exporter: `python -m tests.bench.exporter`."""

import asyncio
import json
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from orchestrator import clock
from orchestrator.demo import binaries
from orchestrator.errors import OrchestratorError
from orchestrator.version import VERSION
from tests.bench import peer, table
from tests.bench.fleet import MOST
from tests.bench.ours import Ours
from tests.bench.process import free_ports
from tests.bench.result import Run, Verdict, verdicts
from tests.bench.run import Side, measure
from tests.bench.setup import SAME, SHIPPED, Programs, Setup

DOES_NOT_HOLD, NOT_MEASURED, INTERRUPTED = 1, 3, 130  # exit statuses; 2 is a wrong option


class _Counts(click.ParamType[tuple[int, ...]]):
    name = "n,n,..."

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        words = value.split(",")
        if not all(word.isascii() and word.isdigit() and 0 < int(word) <= MOST for word in words):
            self.fail(f"{value!r}: write whole numbers like 50,500; {MOST} at most", param, ctx)
        return tuple(sorted({int(word) for word in words}))


@click.command()
@click.option(
    "--projects",
    type=_Counts(),
    default="50,500,5000",
    show_default=True,
    help="The sizes of the fleet, one after the other.",
)
@click.option(
    "--seconds",
    type=click.IntRange(5, 3600),
    default=60,
    show_default=True,
    help="How long each side is measured; a multiple of 30 holds whole intervals.",
)
@click.option(
    "--warm-up",
    type=click.IntRange(0, 3600),
    default=35,
    show_default=True,
    help="Seconds before that; one metrics interval is 30.",
)
@click.option(
    "--shipped/--no-shipped",
    default=True,
    show_default=True,
    help="At the largest size, measure ours also with the intervals that we ship.",
)
@click.option(
    "--json",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=".bench/exporter.json",
    show_default=True,
    help="Where everything is written.",
)
def main(
    *, projects: tuple[int, ...], seconds: int, warm_up: int, shipped: bool, path: Path
) -> None:
    """Measure the exporter with its Prometheus, and blackbox exporter with its own.

    Both ask the same targets the same, one side after the other: health every 10 s, metrics every
    30 s. Prints tables, says of each figure that should hold whether it does, and writes JSON.

    \b
    Examples:
      make bench-exporter
      make bench-exporter ARGS="--projects 50 --seconds 30"
      make bench-exporter ARGS="--projects 5000 --seconds 300 --json long.json"

    \b
    Exit status: 0 measured and everything holds, 1 something does not, 2 a wrong option,
    3 it could not be measured, 130 interrupted.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    try:
        programs = _programs()
        plan = _plan(projects, shipped=shipped)
        about = _about(programs, seconds=seconds, warm_up=warm_up)
        runs = asyncio.run(_measured(plan, programs, seconds=seconds, warm_up=warm_up))
    except OrchestratorError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(NOT_MEASURED)
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("interrupted; everything that was started has ended", err=True)
        sys.exit(INTERRUPTED)
    judged = verdicts(runs)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(table.json(runs, judged, about), indent=2) + "\n", encoding="utf-8")
    _say(runs, judged, path)
    sys.exit(0 if all(each.holds for each in judged) else DOES_NOT_HOLD)


def _programs() -> Programs:
    environment = os.environ  # noqa: TID251  the program's own edge
    tools = Path(".tools")
    prometheus = binaries.find(environment, tools).prometheus
    return Programs(prometheus=prometheus, blackbox=peer.find(environment, tools))


def _plan(projects: tuple[int, ...], *, shipped: bool) -> list[tuple[Side, int]]:
    plan: list[tuple[Side, int]] = []
    for count in projects:
        plan += [(peer.Blackbox(), count), (Ours("ours", SAME), count)]
    if shipped:
        plan.append((Ours("ours, as shipped", SHIPPED), projects[-1]))
    return plan


def _about(programs: Programs, *, seconds: int, warm_up: int) -> dict[str, Any]:
    return {
        "at": clock.written(clock.now()),
        "seconds": seconds,
        "warm_up": warm_up,
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "kernel": platform.release(),
            "python": platform.python_version(),
        },
        "versions": {
            "orchestrator": VERSION,
            "prometheus": binaries.version(programs.prometheus),
            "blackbox": binaries.version(programs.blackbox),
        },
    }


async def _measured(
    plan: Sequence[tuple[Side, int]], programs: Programs, *, seconds: int, warm_up: int
) -> list[Run]:
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    runs = []
    for place, (side, count) in enumerate(plan, start=1):
        click.echo(
            f"{place}/{len(plan)}: {side.name}, {count} projects,"
            f" {warm_up} s of warm-up and {seconds} s ...",
            err=True,
        )
        fleet, exporter, prometheus = free_ports(3)
        with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
            setup = Setup(
                projects=count,
                seconds=seconds,
                warm_up=warm_up,
                programs=programs,
                checkout=Path.cwd(),
                folder=Path(folder),
                fleet_port=fleet,
                exporter_port=exporter,
                prometheus_port=prometheus,
            )
            runs.append(await measure(side, setup))
    return runs


def _say(runs: Sequence[Run], judged: Sequence[Verdict], path: Path) -> None:
    click.echo(table.render(runs))
    for each in judged:
        click.echo(f"{'holds' if each.holds else 'DOES NOT HOLD'}: {each.what}")
    click.echo(f"all of it: {path}", err=True)


if __name__ == "__main__":
    main(prog_name="python -m tests.bench.exporter")
