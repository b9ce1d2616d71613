"""Write the dashboards: `python -m dashboards`, or `--check` whether they are as they should be."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from grafanalib import core

from dashboards.fleet import fleet
from dashboards.internals import internals
from dashboards.look import RUNBOOKS, Json
from dashboards.modernize import modernize
from dashboards.project import project
from dashboards.remediation import remediation
from dashboards.slo import slo
from dashboards.variables import Places

DEFAULTS: Final = Places()
FOLDER: Final = Path(__file__).parents[1] / "deploy" / "grafana" / "dashboards"
DASHBOARDS: Final[tuple[Callable[[Places], core.Dashboard], ...]] = (
    fleet,
    project,
    remediation,
    slo,
    internals,
)


def files(places: Places = DEFAULTS) -> dict[str, str]:
    """Return every dashboard's text by the name of its file; links lead to *places*."""
    made = [modernize(dashboard(places)) for dashboard in DASHBOARDS]
    return {f"{each['uid']}.json": linked(text(each), places.runbooks) for each in made}


def linked(written: str, runbooks: str) -> str:
    """Return *written* with a link wherever a runbook is named, if it is known where they are."""
    if not runbooks:
        return written
    place = json.dumps(runbooks)[1:-1]
    named = rf"`{RUNBOOKS}/(\w+)\.md`"
    return re.sub(named, lambda found: f"[{found[1]}]({place}/{found[1]}.md)", written)


def text(dashboard: Json) -> str:
    """Return *dashboard* as it is written, the same bytes for the same dashboard."""
    return json.dumps(dashboard, sort_keys=True, indent=2) + "\n"


def drifted(wanted: dict[str, str], folder: Path) -> list[str]:
    """Return the names of the files in *folder* that are not as *wanted*, missing or too many."""
    found = {path.name: path.read_text() for path in folder.glob("*.json")}
    names = sorted(wanted.keys() | found.keys())
    return [name for name in names if wanted.get(name) != found.get(name)]


@click.command()
@click.option(
    "--check", is_flag=True, help="Write nothing; fail where a file is not as it should be."
)
@click.option(
    "--webhook", default=DEFAULTS.webhook, show_default=True, help="Where browsers find its pages."
)
@click.option(
    "--alertmanager", default=DEFAULTS.alertmanager, show_default=True, help="Where they find it."
)
@click.option(
    "--runbooks",
    default=DEFAULTS.runbooks,
    help="The folder of docs/runbooks/ as they find it, to link to; without it there are no links.",
)
@click.option(
    "--into",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER,
    help="Where the files are.  [default: deploy/grafana/dashboards]",
)
def main(*, check: bool, folder: Path, **places: str) -> None:
    """Write the dashboards as the JSON that Grafana reads."""
    wanted = files(Places(**places))
    if check:
        wrong = drifted(wanted, folder)
        for name in wrong:
            click.echo(f"{folder / name} is not as `python -m dashboards` writes it", err=True)
        sys.exit(bool(wrong))
    folder.mkdir(parents=True, exist_ok=True)
    for name, written in wanted.items():
        (folder / name).write_text(written)


if __name__ == "__main__":
    main()
