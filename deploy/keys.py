"""`python -m deploy.keys FOLDER`: every secret of docker-compose.yml, each in a file of its own."""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

import bcrypt
import click

from orchestrator.errors import OrchestratorError
from webhook import token
from webhook.token import Caller, Role

# Each is read by a user of its own in a container of its own, the folder by its owner alone, who
# may fill in what is empty.
FILE, FOLDER = 0o644, 0o700
# Nobody guesses 256 random bits, so a dear hash would cost each scrape and gain nothing.
ROUNDS = 4

NewToken = Callable[[], str]


class Halfway(OrchestratorError):
    """Some of what belongs together is there, and some is not."""

    def __init__(self, folder: Path, found: list[str], lacking: list[str]) -> None:
        super().__init__(
            f"{folder}: {', '.join(lacking)} missing beside {', '.join(found)}, which belong"
            " together; put them back, or take the others away, too, for new ones"
        )


class CannotWrite(OrchestratorError):
    """The folder is another user's."""

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(
            f"{folder}: {error.strerror}: it has to belong to the user that this runs as,"
            " which is OWNER in .env"
        )


def _callers(new: NewToken) -> dict[str, str]:
    """Return the tokens that the webhook knows: its file, and what each caller shows."""
    roles = {"alertmanager": Role.ALERTMANAGER, "prometheus": Role.VIEWER, "admin": Role.ADMIN}
    made = {name: new() for name in roles}
    lines = [token.line(Caller(name=name, role=roles[name]), made[name]) for name in roles]
    return {
        "webhook.tokens": "\n".join(lines),
        **{f"{name}.token": each for name, each in made.items()},
    }


def _scraper(new: NewToken) -> dict[str, str]:
    """Return the web configuration of the exporter, and the password that fits it."""
    password = new()
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(ROUNDS)).decode()
    return {
        "exporter.web.yml": f'basic_auth_users: {{prometheus: "{hashed}"}}',
        "exporter.password": password,
    }


# What has to be made at once, because one file holds what another one has to fit.
MADE_TOGETHER: tuple[Callable[[NewToken], Mapping[str, str]], ...] = (
    _callers,
    _scraper,
    lambda new: {"control.token": new()},
    lambda new: {"grafana.password": new()},
    lambda new: {"grafana.key": new()},
    lambda new: {"scraper.password": new()},  # for what Grafana tells of itself
    lambda _: {"anthropic.key": ""},  # yours to fill in; empty, rules answer
)


def make(folder: Path, new: NewToken = secrets.token_urlsafe) -> list[str]:
    """Make what is missing in *folder*, and return its names; what is there is left as it is.

    Raises Halfway and CannotWrite.
    """
    made: dict[str, str] = {}
    for together in MADE_TOGETHER:
        files = together(new)
        found = [name for name in files if (folder / name).exists()]
        if not found:
            made |= files
        elif lacking := [name for name in files if name not in found]:
            raise Halfway(folder, found, lacking)
    try:
        _write(folder, made)
    except OSError as error:
        raise CannotWrite(folder, error) from error
    return list(made)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.chmod(FOLDER)  # first: no secret is ever where others may look
    for name, content in files.items():
        (folder / name).write_text(f"{content}\n", encoding="utf-8")
        (folder / name).chmod(FILE)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(folder: Path) -> None:
    """Make in FOLDER every secret that is missing; what is there stays as it is."""
    try:
        made = make(folder)
    except OrchestratorError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"made {', '.join(made)}" if made else "nothing is missing")


if __name__ == "__main__":
    main(prog_name="python -m deploy.keys")
