"""`python -m orchestrator.supervisor SERVICES.yml`: run services, and take commands for them."""

import asyncio
import signal
from pathlib import Path

import click

from orchestrator import log
from orchestrator.errors import OrchestratorError
from orchestrator.loopback import Address, address
from orchestrator.supervisor.server import supervising
from orchestrator.supervisor.service import Fleet, load


@click.command()
@click.argument("services", type=click.Path(path_type=Path))
@click.option(
    "--listen", default="127.0.0.1:3009", show_default=True, help="Loopback address of the API."
)
@log.options
def main(services: Path, listen: str, logs: log.Logs) -> None:
    """Run the services that the file SERVICES lists, and take commands for them over HTTP.

    No service outlives this process, however it ends. SIGTERM and SIGINT end it in order.

    \b
    Example:
      python -m orchestrator.supervisor services.yml --listen 127.0.0.1:3009
      curl -X POST -H 'Idempotency-Key: 1' -d '{"action": "restart_service"}' \\
        http://127.0.0.1:3009/control/email-blast
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    try:
        fleet, where = load(services), address(listen)
        log.begin(logs)
        asyncio.run(run(fleet, where))
    except OrchestratorError as error:
        raise click.ClickException(str(error)) from error


async def run(fleet: Fleet, where: Address) -> None:
    """Run *fleet* until SIGTERM or SIGINT; raise UnusableState or CannotListen before any start."""
    told_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_end.set)
    async with supervising(fleet, where):
        await told_to_end.wait()


if __name__ == "__main__":
    main(prog_name="python -m orchestrator.supervisor")
