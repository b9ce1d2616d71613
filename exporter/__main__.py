"""Start the exporter: `python -m exporter`."""

from pathlib import Path

import click

from exporter import app
from orchestrator import config, log, loopback
from orchestrator.errors import OrchestratorError
from orchestrator.version import VERSION


@click.command(epilog="Example: python -m exporter --config orchestrator.yml --listen :4010")
@click.option(
    "--config",
    "path",
    envvar="ORCHESTRATOR_CONFIG",
    default="orchestrator.yml",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The projects to watch.",
)
@click.option("--listen", default="127.0.0.1:4010", show_default=True, help="Where to be scraped.")
@log.level_option
@click.version_option(VERSION)
def main(path: Path, listen: str, log_level: str) -> None:
    """Ask every project how it is, and tell Prometheus on /metrics."""
    log.to_stderr(log_level)
    try:
        address = loopback.address(listen)
        application = app.make(config.load(path), version=VERSION)
        loopback.run(application, address)
    except OrchestratorError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main(prog_name="python -m exporter")
