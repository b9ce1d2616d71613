"""Start the webhook: `python -m webhook`."""

import os
from pathlib import Path

import click

from orchestrator import log, loopback, source
from orchestrator.errors import OrchestratorError
from orchestrator.version import VERSION
from webhook import app
from webhook.store.database import Store


@click.command(epilog="Example: python -m webhook --config orchestrator.yml --db orchestrator.db")
@source.options
@click.option(
    "--db",
    envvar="ORCHESTRATOR_DB",
    default="orchestrator.db",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The memory; made when it is not there. On a local disk.",
)
@click.option(
    "--listen", default="127.0.0.1:4001", show_default=True, help="Where Alertmanager posts to."
)
@log.level_option
@click.version_option(VERSION)
def main(path: Path, projects: str, db: Path, listen: str, log_level: str) -> None:
    """Receive alerts on /alerts, repair what orchestrator.yml allows, and prove it."""
    log.to_stderr(log_level)
    try:
        address = loopback.address(listen)
        origin = source.Source(path=path, projects=projects, environment=os.environ)  # noqa: TID251  secrets have names of the user's choice
        loaded = origin.load()
        app.check_playbooks(loaded)
        loopback.run(app.make(loaded, Store(db), version=VERSION), address)
    except OrchestratorError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main(prog_name="python -m webhook")
