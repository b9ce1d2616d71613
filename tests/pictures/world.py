"""`python -m tests.pictures.world`: a fleet in which everything happens once, to take pictures of.

It is the story of tests/e2e/dashboards_story.py, at the pace that we ship. That takes six minutes;
the fleet then stays as it is until Ctrl-C.
"""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from dashboards.annotations import STEP
from orchestrator import clock
from orchestrator.demo import binaries
from orchestrator.demo.stack import PORTS, SHIPPED, Pace, Stack
from orchestrator.errors import OrchestratorError
from tests.e2e.dashboards_stage import PACE, staged
from tests.e2e.dashboards_story import play
from tests.pictures.ports import END, is_free

CHECKOUT: Final = Path(__file__).parent.parent.parent
BESIDE: Final = 2  # what stands in for Claude, and the newcomer
PATIENCE: Final = 15 * 60  # seconds that a turn of the story may take


async def show(folder: Path, *, first: int, pace: Pace) -> None:
    """Play the story on ports from *first* on, and stay until told to end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _ending(asyncio.current_task()))
    numbers = iter(ports(first))
    stack = Stack(
        checkout=CHECKOUT,
        folder=folder,
        binaries=binaries.find(os.environ, CHECKOUT / ".tools"),  # noqa: TID251  as the demo does
        ports=dict(zip(PORTS, numbers, strict=False)),
        pace=pace,
    )
    apart = STEP if pace is SHIPPED else "4s"
    beside = staged(stack, numbers, now=clock.now(), patience=PATIENCE, apart=apart)
    async with beside as cast:
        click.echo(f"Prometheus: {stack.url('prometheus')}  webhook: {stack.url('webhook')}")
        await play(cast)
        click.echo("all has happened; Ctrl-C ends it")
        await asyncio.Event().wait()


def ports(first: int) -> range:
    """Return the ports of all that runs, in a row; raises ClickException if one is taken."""
    row = range(first, first + len(PORTS) + BESIDE)
    taken = [str(port) for port in row if not is_free(port)]
    if taken:
        raise click.ClickException(
            f"taken by another program: port {', '.join(taken)}; choose others with --first-port"
        )
    return row


def _ending(task: asyncio.Task[Any] | None) -> Callable[[], object]:
    assert task is not None  # we are in it
    return task.cancel


@click.command()
@click.option(
    "--first-port",
    type=click.IntRange(1024, END - len(PORTS) - BESIDE),
    default=24_000,
    show_default=True,
    help=f"Of {len(PORTS) + BESIDE} in a row.",
)
@click.option("--fast", is_flag=True, help="At the pace of tests: all happens within a minute.")
def main(first_port: int, *, fast: bool) -> None:
    """Run a fleet in which everything happens once, until Ctrl-C."""
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(asyncio.CancelledError):
        pace = PACE if fast else SHIPPED
        try:
            asyncio.run(show(Path(folder), first=first_port, pace=pace))
        except OrchestratorError as reason:
            raise click.ClickException(str(reason)) from reason


if __name__ == "__main__":
    main()
