"""What every command that works on a database has in common: the webhook's own program does it."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import click

ROOT: Final = Path(__file__).parents[2]
INTERRUPTED: Final = 130

# Not `-m`, which would take a folder `webhook` of wherever somebody stands.
_START: Final = (
    "import sys; sys.path.insert(0, sys.argv.pop(1));"
    " from webhook.__main__ import main; main(prog_name='orchestrator')"
)

Command = TypeVar("Command", bound=Callable[..., Any])

DASHES: Final = "--"  # behind them nothing is an option


class AsItIs(click.Command):
    """A command of which nothing but --help is ours: its options are the program's."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Leave them to the text, which has those of the program."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep *args* as they were written, the dashes before a name like `-x` with them."""
        asked = "--help" in takewhile(lambda each: each != DASHES, args)
        return super().parse_args(ctx, ["--help"] if asked else [DASHES, *args])


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
