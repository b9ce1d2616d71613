"""`orchestrator doctor`: whether everything is in place that a repair needs."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click

from orchestrator import clock, source
from orchestrator.cli.online import REFUSED, Hub, online, plain
from orchestrator.doctor.finding import Finding, Mark
from orchestrator.doctor.visit import Patient, visit

DATABASE = Path("orchestrator.db")


@click.command()
@source.options
@click.option(
    "--db",
    envvar="ORCHESTRATOR_DB",
    type=click.Path(path_type=Path),
    help="The webhook's database, if it is on this machine; orchestrator.db when it is here.",
)
@click.option(
    "--tokens",
    envvar="ORCHESTRATOR_TOKENS",
    type=click.Path(path_type=Path),
    help="The webhook's file of tokens, if it is on this machine.",
)
@click.option("--strict", is_flag=True, help="Let a warning count as a failure.")
@online
def doctor(
    *, hub: Hub, path: Path, projects: str, db: Path | None, tokens: Path | None, strict: bool
) -> None:
    """Look at everything that a repair needs, and say what to do about what is wrong.

    The configuration, Prometheus and its rules, Alertmanager, the webhook, every project, the
    clocks, the disk and the files. Nothing is changed, and no project is commanded.

    \b
    Examples:
      orchestrator doctor
      orchestrator doctor --config /etc/orchestrator/orchestrator.yml --db /var/lib/orchestrator.db
      orchestrator doctor --url https://hub.example.org --token-file ann.token --json

    \b
    Exit status: 0 nothing fails, 1 something does (with --strict: or is warned of), 2 a wrong
    option.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    origin = source.Source(path=path, projects=projects, environment=os.environ)  # noqa: TID251  secrets have names of the user's choice
    here = DATABASE if db is None and DATABASE.exists() else db
    patient = Patient(origin=origin, address=hub.address, database=here, tokens=tokens)
    found = asyncio.run(visit(patient, clock.now))
    bad = {Mark.FAIL, Mark.WARN} if strict else {Mark.FAIL}
    well = not any(each.mark in bad for each in found)
    hub.show(json.loads(json.dumps(_told(found, well=well))), lambda: _lines(found))
    sys.exit(0 if well else REFUSED)


def _told(found: Iterable[Finding], *, well: bool) -> dict[str, object]:
    return {"ok": well, "findings": [each.json() for each in found]}


def _lines(found: Iterable[Finding]) -> Iterable[str]:
    many: Counter[Mark] = Counter()
    for each in found:
        many[each.mark] += 1
        do = f" -> {each.do}" if each.do else ""
        yield f"{each.mark:4} {plain(f'{each.about}: {each.said}{do}')}"
    yield ", ".join(f"{many[mark]} {mark}" for mark in Mark)
