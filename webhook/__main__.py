"""Start the webhook: `python -m webhook`."""

from pathlib import Path

import click

from orchestrator import config, log, loopback
from orchestrator.errors import OrchestratorError
from orchestrator.version import VERSION
from webhook import app
from webhook.store.database import Store


@click.command(epilog="Example: python -m webhook --config orchestrator.yml --db orchestrator.db")
@click.option(
    "--config",
    "path",
    envvar="ORCHESTRATOR_CONFIG",
    default="orchestrator.yml",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Projects, playbooks and guards.",
)
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
def main(path: Path, db: Path, listen: str, log_level: str) -> None:
    """Receive alerts on /alerts, repair what orchestrator.yml allows, and prove it."""
    log.to_stderr(log_level)
    try:
        address = loopback.address(listen)
        loaded = config.load(path)
        app.check_playbooks(loaded)
        loopback.run(app.make(loaded, Store(db), version=VERSION), address)
    except OrchestratorError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main(prog_name="python -m webhook")
