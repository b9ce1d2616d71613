"""`python -m orchestrator.demo.project NAME`: one demo project, a process that can be broken."""

import asyncio
import signal
from pathlib import Path

import click
from aiohttp import web

from orchestrator import clock, loopback
from orchestrator.demo import disk
from orchestrator.demo.business import BUSINESS
from orchestrator.demo.endpoint import application
from orchestrator.demo.instance import Instance
from orchestrator.errors import OrchestratorError
from orchestrator.log import level_option, to_stderr
from orchestrator.loopback import Address, address

GOODBYE = 0.05  # seconds for requests on their way; those that hang would take for ever


@click.command()
@click.argument("name", type=click.Choice(list(BUSINESS)))
@click.option("--listen", required=True, help="Loopback address, like 127.0.0.1:3010.")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the project's database; made if need be.",
)
@level_option
def main(name: str, listen: str, data: Path, log_level: str) -> None:
    """Run the demo project NAME until SIGTERM or SIGINT.

    \b
    Example:
      python -m orchestrator.demo.project chatbot --listen 127.0.0.1:3011 --data /tmp/chatbot
      curl -X POST 'http://127.0.0.1:3011/faults/hang?for=10s'
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    to_stderr(log_level)
    try:
        asyncio.run(run(name, where=address(listen), data=data))
    except OrchestratorError as error:
        raise click.ClickException(str(error)) from error


async def run(name: str, *, where: Address, data: Path) -> None:
    """Serve the project until it is told to end; raise CannotListen or UnusableData."""
    told_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_end.set)
    began = clock.now()
    with disk.opened(data, at=began) as opened:
        app = application(Instance(name, opened, at=began), clock.now)
        runner = web.AppRunner(app, shutdown_timeout=GOODBYE, handler_cancellation=True)
        await runner.setup()
        try:
            await loopback.bind(runner, where)
            await told_to_end.wait()
        finally:
            await runner.cleanup()


if __name__ == "__main__":
    main(prog_name="python -m orchestrator.demo.project")
