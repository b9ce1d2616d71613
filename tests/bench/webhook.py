"""How fast the webhook stores alerts, beside plain Flask: `python -m tests.bench.webhook`."""

import asyncio
import importlib.metadata
import json
import os
import platform
import signal
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from orchestrator import clock
from orchestrator.errors import OrchestratorError
from orchestrator.version import VERSION
from tests.bench import webhook_result as result
from tests.bench.exporter import DOES_NOT_HOLD, INTERRUPTED, NOT_MEASURED
from tests.bench.fleet import allow_sockets
from tests.bench.webhook_load import Load
from tests.bench.webhook_result import GROUPS, STORM, Big, Run
from tests.bench.webhook_run import FLASK, OURS, Side, big, cores, measure

KNOWN = 1_000  # alerts that are sent again and again
LARGE = Load(alerts=100, connections=8)
PLAN: list[tuple[Side, Load]] = [
    *((side, load) for load in (STORM, GROUPS, LARGE) for side in (FLASK, OURS)),
    (OURS, Load(alerts=1, connections=640, distinct=KNOWN)),
    (OURS, Load(alerts=10, connections=32, distinct=KNOWN)),
    (OURS, Load(alerts=1, connections=640, remediate=True)),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    runs: list[Run]
    bodies: list[Big]


@click.command()
@click.option(
    "--seconds",
    type=click.IntRange(1, 600),
    default=10,
    show_default=True,
    help="How long each load is measured, after 5 s of warm-up.",
)
@click.option(
    "--json",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=".bench/webhook.json",
    show_default=True,
    help="Where everything is written.",
)
def main(*, seconds: int, path: Path) -> None:
    """Measure the webhook, which answers when all is on disk, and Flask, which keeps nothing.

    Both are sent the same over real sockets, one after the other, on one core; the sender has the
    other. Prints tables, says of each figure that should hold whether it does, and writes JSON.

    \b
    Examples:
      make bench-webhook
      make bench-webhook ARGS="--seconds 3"

    \b
    Exit status: 0 measured and everything holds, 1 something does not, 2 a wrong option,
    3 it could not be measured, 130 interrupted.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    try:
        allow_sockets(STORM.connections)
        measured = asyncio.run(_measured(seconds))
    except OrchestratorError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(NOT_MEASURED)
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("interrupted; everything that was started has ended", err=True)
        sys.exit(INTERRUPTED)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = result.as_json(measured.runs, measured.bodies, _about(seconds))
    path.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    sys.exit(0 if _said(measured, path) else DOES_NOT_HOLD)


def _about(seconds: int) -> dict[str, Any]:
    return {
        "at": clock.written(clock.now()),
        "seconds": seconds,
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "kernel": platform.release(),
            "python": platform.python_version(),
        },
        "versions": {
            "orchestrator": VERSION,
            "sqlite": sqlite3.sqlite_version,
            "flask": importlib.metadata.version("flask"),
            "werkzeug": importlib.metadata.version("werkzeug"),
        },
    }


async def _measured(seconds: int) -> _Measured:
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    all_cores = os.sched_getaffinity(0)
    receiver, sender = cores()
    os.sched_setaffinity(0, {sender})
    runs = []
    try:
        for place, (side, load) in enumerate(PLAN, start=1):
            what = f"{load.alerts} alerts ({load.which}) over {load.connections} connections"
            click.echo(f"{place}/{len(PLAN) + 1}: {side.name}, {what} ...", err=True)
            runs.append(await measure(side, load, seconds=seconds, core=receiver))
        click.echo(
            f"{len(PLAN) + 1}/{len(PLAN) + 1}: bodies of {result.BIG:,} alerts ...", err=True
        )
        return _Measured(
            runs=runs, bodies=[await big(each, core=receiver) for each in (FLASK, OURS)]
        )
    finally:
        os.sched_setaffinity(0, all_cores)


def _said(measured: _Measured, path: Path) -> bool:
    judged = result.verdicts(measured.runs, measured.bodies)
    click.echo(result.render(measured.runs, measured.bodies))
    for each in judged:
        click.echo(f"{'holds' if each.holds else 'DOES NOT HOLD'}: {each.what}")
    click.echo(f"all of it: {path}", err=True)
    return all(each.holds for each in judged)


if __name__ == "__main__":
    main(prog_name="python -m tests.bench.webhook")
