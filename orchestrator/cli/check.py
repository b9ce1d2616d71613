"""`orchestrator check`: what is to be said of orchestrator.yml before a program starts."""

import json
import os
import sys
from pathlib import Path

import click

from orchestrator import check as checking
from orchestrator import source

UNUSABLE = 1


@click.command()
@source.options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
def check(*, path: Path, projects: str, as_json: bool) -> None:
    """Say whether orchestrator.yml can be used, and every mistake in it.

    It is read as the exporter and the webhook read it, with PROJECTS, secrets and certificates.
    Nobody is asked, and nothing is changed.

    \b
    Examples:
      orchestrator check
      orchestrator check --config /etc/orchestrator/orchestrator.yml
      orchestrator check --projects chatbot:http://127.0.0.1:3011
      orchestrator check --json >check.json

    \b
    Exit status: 0 it can be used, 1 it cannot, 2 a wrong option.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    origin = source.Source(path=path, projects=projects, environment=os.environ)  # noqa: TID251  secrets have names of the user's choice
    checked = checking.check(origin)
    if as_json:
        click.echo(json.dumps(checked.json(), indent=2))
    else:
        for line in checked.mistakes:
            click.echo(line, err=True)
        if not checked.mistakes:
            click.echo(checked.summary)
    sys.exit(UNUSABLE if checked.mistakes else 0)
