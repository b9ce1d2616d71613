"""Start the exporter: `python -m exporter`."""

import os
import resource
import signal
from pathlib import Path

import click
from click.core import ParameterSource

from exporter import app
from exporter.shard import WHOLE, Shard, shard
from orchestrator import log, loopback, source
from orchestrator.errors import OrchestratorError
from orchestrator.gate import Gate
from orchestrator.version import VERSION

EXAMPLES = """
Examples:

\b
  python -m exporter --config orchestrator.yml --listen :4010
  PROJECTS=chatbot:http://127.0.0.1:3011 python -m exporter
  python -m exporter --shard 2/3 --listen :4012
  python -m exporter --listen 0.0.0.0:4010 --web-config web.yml
"""


@click.command(epilog=EXAMPLES)
@source.options
@click.option(
    "--listen", default="127.0.0.1:4010", show_default=True, help="Where to be scraped. Or PORT."
)
@click.option("--port", envvar="PORT", type=click.IntRange(1, 65535), hidden=True)
@click.option(
    "--web-config",
    "--web.config.file",
    "web",
    type=click.Path(path_type=Path),
    help="TLS and passwords for this listener, as for Prometheus' own exporters.",
)
@click.option(
    "--shard",
    "part",
    default=str(WHOLE),
    show_default=True,
    help="Watch one part of the fleet: 2/3 is the second of three.",
)
@log.options
@click.version_option(VERSION)
@click.pass_context
def main(
    context: click.Context,
    path: Path,
    projects: str,
    listen: str,
    port: int | None,
    web: Path | None,
    part: str,
    logs: log.Logs,
) -> None:
    """Ask every project how it is, and tell Prometheus on /metrics."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it is listened to: it would end us
    unsaid = context.get_parameter_source("listen") is ParameterSource.DEFAULT
    where = f"127.0.0.1:{port}" if port and unsaid else listen
    origin = source.Source(path=path, projects=projects, environment=os.environ)  # noqa: TID251  secrets have names of the user's choice
    try:
        log.begin(logs)
        _serve(origin, where, web, shard(part))
    except OrchestratorError as error:
        raise click.ClickException(str(error)) from error


def _serve(origin: source.Source, where: str, web: Path | None, part: Shard) -> None:
    gate = Gate(web) if web else None
    known = bool(gate and gate.authenticates)
    address = loopback.address(where, authenticated=known)
    config = origin.load()
    _allow_connections()
    others = loopback.own_pages_only if known else loopback.local_callers_only
    admitting = [gate.middleware, others] if gate else [others]
    application = app.make(origin, config, version=VERSION, shard=part, admitting=admitting)
    loopback.run(application, address, ssl_context=gate.ssl_context() if gate else None)


def _allow_connections() -> None:
    """Raise the soft limit of open files to the hard one: a connection a project is kept."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main(prog_name="python -m exporter")
