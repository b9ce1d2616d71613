"""What every command that works on a database has in common: the webhook's own program does it."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import click

ROOT: Final = Path(__file__).parents[2]
INTERRUPTED: Final = 130

# Not `-m`, which would take a folder `webhook` of wherever somebody stands.
_START: Final = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1));"
    " runpy.run_module('webhook', run_name='__main__', alter_sys=True)"
)

Command = TypeVar("Command", bound=Callable[..., Any])

AS_IT_IS: Final = {"ignore_unknown_options": True}  # of a command: its options are the program's


def passed_on(command: Command) -> Command:
    """Give a command everything that is written behind it, as *arguments*."""
    return click.argument("arguments", nargs=-1, type=click.UNPROCESSED)(command)


def run(*arguments: str, root: Path = ROOT) -> NoReturn:
    """Run `python -m webhook` of this checkout at this terminal, and end as it ends."""
    if not (root / "webhook" / "__main__.py").exists():
        raise click.ClickException(
            f"there is no webhook in {root}: this command works on its database, and needs a"
            " checkout or an image of orchestrator; see docs/backup.md"
        )
    sys.exit(_status([sys.executable, "-P", "-c", _START, str(root), *arguments]))


def _status(command: Sequence[str]) -> int:
    with subprocess.Popen(command) as process:  # noqa: S603  our own program, no shell
        try:
            status = process.wait()
        except KeyboardInterrupt:  # it got the same Ctrl-C, and ends by itself
            process.wait()
            return INTERRUPTED
    return status if status >= 0 else 128 - status
