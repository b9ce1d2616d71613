"""`python -m tests.scenarios.record`: record scenarios anew from the faults of the demo fleet.

Every round raises a fleet of its own, so that no log and no figure tells of an earlier one. The
fleet goes by the pace of tests: what takes half an hour elsewhere takes a minute here, and so the
questions are asked about a minute, a second apart.
"""

import asyncio
import os
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import click

from orchestrator import clock
from orchestrator.demo import binaries
from orchestrator.demo.stack import FAST, PLAYBOOKS, PORTS, PROJECTS, Stack
from orchestrator.project import Mode
from tests.scenarios import gather, writing
from tests.scenarios.cast import CAST, SPLITS, Case
from tests.scenarios.stage import Json, Stage, play, raised
from webhook.evaluation.scenario import Scenario
from webhook.evidence.item import Subject

FOLDER = Path(__file__).parent
CHECKOUT = FOLDER.parent.parent
CALM = 40.0  # seconds before anything breaks
SOURCE = "recorded from the demo fleet (python -m tests.scenarios.record); faults: {faults}"
LICENCE = "Apache-2.0"


@click.command()
@click.option("--only", multiple=True, help="The id of a scenario; all, unless named.")
@click.option("--fleets", default=1, show_default=True, help="How many at the same time.")
@click.option(
    "--into", default=FOLDER, type=click.Path(path_type=Path, file_okay=False, exists=True)
)
@click.option(
    "--checkout",
    default=CHECKOUT,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Whose programs and rules run; those of this one, unless named.",
)
def main(*, only: tuple[str, ...], fleets: int, into: Path, checkout: Path) -> None:
    """Play every case of the cast on the demo fleet, and write what is seen as scenarios."""
    chosen = [each for each in CAST if not only or each.id in only]
    found = binaries.find(os.environ, CHECKOUT / ".tools")  # noqa: TID251  as the demo does
    stack = Stack(
        checkout=checkout,
        folder=Path(),  # each fleet has its own
        binaries=found,
        mode=Mode.OBSERVE,  # or else it would be repaired before anybody looks
        pace=FAST,
    )
    asyncio.run(_record(rounds(chosen), stack, into, fleets))


def rounds(cases: Sequence[Case]) -> list[list[Case]]:
    """Put *cases* into rounds, each project once in each."""
    queues = [[each for each in cases if each.project == name] for name in PROJECTS]
    longest = max(map(len, queues), default=0)
    return [[queue[n] for queue in queues if n < len(queue)] for n in range(longest)]


async def _record(parts: list[list[Case]], stack: Stack, into: Path, fleets: int) -> None:
    ports, left = _ports(), iter(enumerate(parts, start=1))

    async def work() -> None:
        for number, cases in left:
            try:
                chosen = {name: ports() for name in PORTS}
                await _round(cases, replace(stack, ports=chosen), into)
            except Exception as error:  # noqa: BLE001  the other rounds are worth having
                click.echo(f"round {number} failed: {error!r}", err=True)
            click.echo(f"round {number} of {len(parts)}: {', '.join(c.id for c in cases)}")

    await asyncio.gather(*(work() for _ in range(fleets)))


async def _round(cases: list[Case], stack: Stack, into: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with raised(replace(stack, folder=Path(folder))) as stage:
            await asyncio.gather(
                *(play(stage, case, _look(stage, case, into), calm=CALM) for case in cases)
            )


def _look(stage: Stage, case: Case, into: Path) -> Callable[[Json], Awaitable[None]]:
    async def look(alert: Json) -> None:
        now = clock.now()
        subject = Subject(
            project=case.project,
            alertname=case.alertname,
            severity=alert["labels"].get("severity", ""),
            started_at=clock.read(alert["activeAt"]),
            asked_at=now,
            allowed=tuple(PLAYBOOKS.get(case.alertname, ())),
            tried=tuple(f"{each}: failed" for each in case.tried),
            depends_on=(),
            critical=False,
        )
        raw = await gather.gathered(stage, subject, alert)
        scenario = Scenario(
            id=case.id,
            about=case.about,
            family=case.family,
            split=SPLITS[case.family],
            injected=False,
            subject=subject,
            raw=raw,
            truth=case.truth,
            source=SOURCE.format(faults=", ".join(case.faults)),
            licence=LICENCE,
        )
        (into / f"{case.id}.yml").write_text(writing.text(scenario), encoding="utf-8")

    return look


def _ports() -> Callable[[], int]:
    """Hand out ports that nothing listens on, each once; elsewhere than tests take theirs."""

    def free() -> Iterator[int]:
        for port in count(24_000 + os.getpid() % 4_000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)):
                    yield port

    return free().__next__


if __name__ == "__main__":
    main()
