"""The options that the commands have in common, and how their errors end."""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from orchestrator.config import Config
from orchestrator.errors import OrchestratorError
from orchestrator.source import Source
from webhook.plain import printable

UNREACHABLE = 4  # the status where somebody else gave no answer


def of_root(name: str) -> Callable[[click.Context, click.Parameter, Path | None], Path | None]:
    """Take what stands before the command, where it is not said behind it."""

    def take(context: click.Context, _: click.Parameter, given: Path | None) -> Path | None:
        found: Path | None = given or context.find_root().params.get(name)
        return found

    return take


db = click.option(
    "--db",
    callback=of_root("db"),
    type=click.Path(path_type=Path, dir_okay=False),
    help="The database; as the webhook has it.  [env var: ORCHESTRATOR_DB]",
)
as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else."
)


def loaded(path: Path) -> Config:
    """Read *path* as the webhook does; raise BadConfig."""
    return Source(path=path, environment=os.environ).load()  # noqa: TID251  secrets have names of the user's choice


@contextmanager
def told() -> Iterator[None]:
    """End the command with status 1 and one line for what it cannot do."""
    try:
        yield
    except BrokenPipeError:  # whoever reads us has enough; click ends us without a word
        raise
    except (OrchestratorError, sqlite3.Error, OSError) as error:
        raise click.ClickException(shown(error)) from error


class Unusable(click.ClickException):
    """What the command was given cannot be used; status 2."""

    exit_code = 2


@contextmanager
def unusable() -> Iterator[None]:
    """End the command with status 2 and a line for each thing that cannot be used."""
    try:
        yield
    except (OrchestratorError, sqlite3.Error, OSError, ValueError) as error:
        raise Unusable(shown(error)) from error


def shown(error: Exception) -> str:
    """Return the lines of *error*, in which a file of a stranger may speak, for a terminal."""
    lines = str(error).splitlines()
    return "\n".join(each if each.isprintable() else printable(each) for each in lines)


class Progress:
    """How far a long work is, on a terminal and nowhere else."""

    def __init__(self) -> None:
        self._shown = ("", -1)
        self._terminal = sys.stderr.isatty()

    def __call__(self, what: str, done: int, size: int) -> None:
        """Show that *done* of *size* is done."""
        shown = what, 100 * done // max(size, 1)
        if self._terminal and shown != self._shown:
            click.echo(f"\r\x1b[K{what} {shown[1]} %", err=True, nl=False)
        self._shown = shown

    def end(self) -> None:
        """Take the line away."""
        if self._terminal:
            click.echo("\r\x1b[K", err=True, nl=False)


@contextmanager
def progress() -> Iterator[Progress]:
    """Show how far the block is."""
    shown = Progress()
    try:
        yield shown
    finally:
        shown.end()
