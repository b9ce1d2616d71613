"""`orchestrator demo`: break a project, and watch it heal."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import click

from orchestrator.cli.online import DEFAULT
from orchestrator.demo import binaries, launch, timeline
from orchestrator.demo.fault import FAULTS, LONGEST, By, Outcome
from orchestrator.demo.run import Result, play
from orchestrator.demo.screen import Screen
from orchestrator.demo.stack import FAST, PORTS, PROJECTS, SHIPPED, Pace, Stack
from orchestrator.demo.timeline import Report, Run
from orchestrator.errors import OrchestratorError
from orchestrator.length import Length
from orchestrator.project import Mode

UNEXPECTED, NO_PLAYBOOK_YET, INTERRUPTED = 1, 3, 130  # statuses; 2: a wrong option


class _Port(click.ParamType[tuple[str, int]]):
    name = "name=port"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        name, _, number = value.partition("=")
        if name not in PORTS:
            self.fail(f"{name!r} has no port; choose from {', '.join(PORTS)}", param, ctx)
        if not (number.isascii() and number.isdigit() and 0 < int(number) < 65536):  # noqa: PLR2004  what TCP has
            self.fail(f"{number!r} is not a port; write {name}=18080", param, ctx)
        return name, int(number)


@click.command()
@click.option(
    "--fault",
    type=click.Choice(list(FAULTS)),
    default="process_killed",
    show_default=True,
    help="How the project is broken.",
)
@click.option(
    "--project",
    type=click.Choice(PROJECTS),
    default="email-blast",
    show_default=True,
    help="Which project is broken.",
)
@click.option(
    "--for", "length", type=Length(LONGEST), help="End the fault by itself after so long, like 10s."
)
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    default=Mode.ACT.value,
    show_default=True,
    help="observe: decide and record, do nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
@click.option("--keep", is_flag=True, help="Stay up afterwards, and say where everything is.")
@click.option(
    "--fast", is_flag=True, help="Probe, scrape and evaluate twice a second; for tests and haste."
)
@click.option(
    "--port", "ports", type=_Port(), multiple=True, help="Another port, like prometheus=19090."
)
def demo(
    *,
    fault: str,
    project: str,
    length: timedelta | None,
    mode: str,
    as_json: bool,
    keep: bool,
    fast: bool,
    ports: tuple[tuple[str, int], ...],
) -> None:
    """Break a demo project, and watch real Prometheus and Alertmanager have it repaired.

    Starts three projects, the exporter, Prometheus, Alertmanager and the webhook on loopback,
    breaks one project, prints what happens as it happens, and ends everything again.

    \b
    Examples:
      orchestrator demo
      orchestrator demo --fault hang --project chatbot
      orchestrator demo --fault db_lost --for 10s --mode observe
      orchestrator demo --fault disk_full --json >report.json

    \b
    Exit status: 0 the outcome is the one that the fault should have, 1 it is another,
    2 a wrong option, 3 no playbook repairs the fault yet, 130 interrupted.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    run = Run(fault=fault, project=project, mode=Mode(mode), length=length)
    screen = Screen(sys.stderr if as_json else sys.stdout)
    if length and FAULTS[fault].by is By.SUPERVISOR:
        raise click.BadParameter(f"{fault} does not end by itself", param_hint="--for")
    if FAULTS[fault].outcome is Outcome.NO_PLAYBOOK_YET:
        _say_no_playbook(run, screen, as_json=as_json)
    with tempfile.TemporaryDirectory(
        prefix="orchestrator-demo-", ignore_cleanup_errors=True
    ) as folder:
        try:
            stack = _stack(Path(folder), run, {**PORTS, **dict(ports)}, FAST if fast else SHIPPED)
            result = asyncio.run(_play(stack, run, screen, as_json=as_json, keep=keep))
        except OrchestratorError as error:
            raise click.ClickException(str(error)) from error
        except (KeyboardInterrupt, asyncio.CancelledError):
            screen.line("interrupted; everything that was started has ended")
            sys.exit(INTERRUPTED)
    sys.exit(0 if result.as_expected else UNEXPECTED)


def _stack(folder: Path, run: Run, ports: Mapping[str, int], pace: Pace) -> Stack:
    here = Path.cwd()
    launch.check(here, ports)  # before binaries are fetched, which takes a minute and a folder
    return Stack(
        checkout=here,
        folder=folder,
        binaries=binaries.find(os.environ, Path(".tools")),  # noqa: TID251  the program's own edge
        ports=ports,
        mode=run.mode,
        pace=pace,
        stand_in=not os.environ.get("ANTHROPIC_API_KEY", "").strip(),  # noqa: TID251  as above
    )


async def _play(stack: Stack, run: Run, screen: Screen, *, as_json: bool, keep: bool) -> Result:
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)

    async def then(result: Result) -> None:
        _sum_up(result.report, screen)
        if as_json:
            click.echo(json.dumps(result.report.json(), indent=2))
        if keep:
            _say_where(stack, screen)
            await asyncio.Event().wait()

    return await play(stack, run, screen, then)


def _say_no_playbook(run: Run, screen: Screen, *, as_json: bool) -> None:
    having = [name for name, each in FAULTS.items() if each.outcome is not Outcome.NO_PLAYBOOK_YET]
    told = " and ".join(FAULTS[run.fault].alerts)
    screen.line(
        f"{run.fault}: people get {told}, and no playbook repairs it yet."
        f" There is one for {', '.join(having)}."
    )
    if as_json:
        click.echo(json.dumps(timeline.nothing(run).json(), indent=2))
    sys.exit(NO_PLAYBOOK_YET)


def _sum_up(report: Report, screen: Screen) -> None:
    figures = {
        "detected": report.detected_s,
        "acted": report.acted_s,
        "recovered": report.recovered_s,
        "resolved": report.resolved_s,
    }
    known = [f"{name} {value:.1f} s" for name, value in figures.items() if value is not None]
    screen.line(f"after the injection: {', '.join(known) or 'nothing happened'}")


def _say_where(stack: Stack, screen: Screen) -> None:
    screen.line("still up; Ctrl-C ends it. Look around:")
    for name in stack.ports:
        screen.line(f"  {name:13} {stack.url(name)}")
    screen.line(f"  {'files':13} {stack.folder}")
    screen.line("Ask it, in another terminal:")
    for each in questions(sys.argv[0], stack.url("webhook"), stack.folder):
        screen.line(f"  {each}")


def questions(command: str, url: str, folder: Path) -> list[str]:
    """Return command lines, for *command*, that ask the webhook at *url* how everything is."""
    at = "" if url == DEFAULT else f" --url {url}"
    files = f"--config {folder}/orchestrator.yml --db {folder}/orchestrator.db"
    return [
        f"{command} status{at}",
        f"{command} incidents{at}",
        f"{command} doctor {files}{at}",
    ]
