"""Start the webhook, or make a token for it: `python -m webhook`."""

import logging
import os
import secrets
import signal
from pathlib import Path

import click

from orchestrator import log, loopback, source, webconfig
from orchestrator.errors import OrchestratorError
from orchestrator.gate import Gate
from orchestrator.host import is_loopback
from orchestrator.loopback import Address, NotLoopback
from orchestrator.version import VERSION
from webhook import app, door, token
from webhook.door import Roll
from webhook.offline import analyzer, audit, keeping, replay
from webhook.store.database import Store
from webhook.token import BadTokens, Caller, Role

EXAMPLES = """
Examples:

\b
  python -m webhook --config orchestrator.yml --db orchestrator.db
  python -m webhook token alertmanager alertmanager
  python -m webhook --listen 0.0.0.0:4001 --tokens tokens --web-config web.yml
"""

logger = logging.getLogger("webhook")


class StrangersReachIt(OrchestratorError):
    """The webhook was to listen beyond loopback without knowing who calls."""

    def __init__(self, listen: str) -> None:
        super().__init__(
            f"{listen}: refusing to listen beyond loopback without --tokens FILE, because anybody"
            " could post alerts; python -m webhook token makes a token"
        )


class PasswordsElsewhere(OrchestratorError):
    """The web configuration has passwords, which the webhook does not take from there."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path}: basic_auth_users: the webhook knows its callers by --tokens FILE, with their"
            " roles, by HTTP Basic, too; take the users out here"
        )


@click.group(invoke_without_command=True, epilog=EXAMPLES)
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
@click.option(
    "--tokens",
    envvar="ORCHESTRATOR_TOKENS",
    type=click.Path(path_type=Path),
    help="Who may call, and as what: lines of name, role and SHA-256 of a token.",
)
@click.option(
    "--web-config",
    "--web.config.file",
    "web",
    type=click.Path(path_type=Path),
    help="TLS and headers for this listener, as for Prometheus' own exporters.",
)
@click.option(
    "--enable-test-endpoints",
    "test_calls",
    is_flag=True,
    help="Take POST /api/test/anomaly, which breaks a project on purpose.",
)
@click.option(
    "--dry-run", is_flag=True, help="Decide and record; do nothing to any project, tell nobody."
)
@log.options
@click.version_option(VERSION)
def main(  # noqa: PLR0913  one for each option
    *,
    path: Path,
    projects: str,
    db: Path,
    listen: str,
    tokens: Path | None,
    web: Path | None,
    test_calls: bool,
    dry_run: bool,
    logs: log.Logs,
) -> None:
    """Receive alerts on /alerts, repair what orchestrator.yml allows, and prove it."""
    if click.get_current_context().invoked_subcommand:
        return
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it is listened to: it would end us
    environment = os.environ  # noqa: TID251  secrets have names of the user's choice
    origin = source.Source(path=path, projects=projects, environment=environment, dry_run=dry_run)
    try:
        log.begin(logs)
        roll = Roll(tokens) if tokens else None
        gate = _gate(web) if web else None
        address = _address(listen, roll)
        _serve(origin, db, address, roll, gate, test_calls=test_calls)
    except OrchestratorError as error:
        raise click.ClickException(str(error)) from error


def _gate(path: Path) -> Gate:
    if webconfig.load(path).users:
        raise PasswordsElsewhere(path)
    return Gate(path, users=False)


def _address(listen: str, roll: Roll | None) -> Address:
    try:
        return loopback.address(listen, authenticated=roll is not None)
    except NotLoopback as error:
        raise StrangersReachIt(listen) from error


def _serve(
    origin: source.Source,
    db: Path,
    address: Address,
    roll: Roll | None,
    gate: Gate | None,
    *,
    test_calls: bool,
) -> None:
    config = origin.load()
    app.check_playbooks(config)  # before a database is made for it
    if config.dry_run:
        logger.warning("DRY RUN: nothing is done to any project, and nobody is told of anything")
    tls = gate.ssl_context() if gate else None
    if tls is None and not is_loopback(address.host):
        logger.warning("no TLS: tokens cross the network readable", extra={"listen": str(address)})
    admitting = door.admitting(roll, *([gate.middleware] if gate else []))
    application = app.make(
        config,
        Store(db),
        version=VERSION,
        admitting=admitting,
        origin=origin,
        test_calls=test_calls,
    )
    if roll:
        roll.tell(application[app.INSTRUMENTS].tokens_read.set)
    loopback.run(application, address, ssl_context=tls)


@main.command(name="token")
@click.argument("name")
@click.argument("role", type=click.Choice([role.value for role in Role]))
def make_token(*, name: str, role: str) -> None:
    """Make a token for the caller NAME, who is to have ROLE.

    Prints the token, and in a second line what makes it count, for the file of --tokens. Nothing
    is kept.

    \b
    Examples:
      python -m webhook token alertmanager alertmanager
      python -m webhook token ann@example.org admin >fresh
      head -n 1 fresh >ann.token; tail -n 1 fresh >>tokens

    \b
    Exit status: 0 made, 1 an unusable name, 2 a wrong option.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    made = secrets.token_urlsafe(32)
    try:
        line = token.line(Caller(name=name, role=Role(role)), made)
    except BadTokens as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{made}\n{line}")
    click.echo(
        f"The first line is the token: give it to {name}, and to nobody else.\n"
        "The second line goes into the file of --tokens, which is read again by itself.",
        err=True,
    )


main.add_command(replay.command)
main.add_command(audit.group)
main.add_command(analyzer.group)
main.add_command(keeping.make)
main.add_command(keeping.put_back)


if __name__ == "__main__":
    main(prog_name="python -m webhook")
