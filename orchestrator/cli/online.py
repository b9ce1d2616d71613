"""What every command that asks the webhook has in common: where it is, and what is said to people.

Exit statuses: 0 done, 1 refused or not as it should be, 2 a wrong option, 3 still going on, 4 the
webhook cannot be reached, 5 not allowed, 130 interrupted.
"""

import functools
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import click

from orchestrator import clock, hub, secret, strict, tls
from orchestrator.errors import OrchestratorError
from orchestrator.host import is_loopback
from orchestrator.hub import Address, Json, Refused, Unreachable
from orchestrator.project import Tls

REFUSED: Final = 1
GOING_ON: Final = 3
UNREACHABLE: Final = 4
NOT_ALLOWED: Final = 5
INTERRUPTED: Final = 130

DEFAULT = "http://127.0.0.1:4001"


class Strange(OrchestratorError):
    """The answer is that of another program, or of another version."""

    def __init__(self, url: str, lacking: str) -> None:
        super().__init__(
            f"{url}: its answer lacks {lacking}, so it is no webhook of orchestrator, or of another"
            " version than this command: see its address, and bring both to the same version"
        )
        self.url = url


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """The webhook, as a command asks it; a refusal ends the command with its status."""

    address: Address
    as_json: bool

    def get(self, path: str, **query: object) -> Json:
        """Read; what is None in *query* is left out."""
        asked = {key: str(value) for key, value in query.items() if value is not None}
        return self._ask("GET", path, query=asked)

    def post(self, path: str, body: Json | None = None) -> Json:
        """Do."""
        return self._ask("POST", path, body=body or {})

    def found(self, path: str) -> Json | None:
        """Read what may not be there; None: it is not."""
        return self._unless(HTTPStatus.NOT_FOUND, "GET", path)

    def once(self, path: str) -> Json | None:
        """Do what somebody else may have done by now; None: somebody has."""
        return self._unless(HTTPStatus.CONFLICT, "POST", path, body={})

    def refuse(self, why: str) -> NoReturn:
        """End the command as a refusal of the webhook does."""
        _end(OrchestratorError(why), {"detail": why}, self.as_json, REFUSED)

    def show(self, answer: Json, lines: Callable[[], Iterable[str]]) -> None:
        """Print *answer* as JSON when that is wanted, or else the *lines* for people."""
        if self.as_json:
            click.echo(json.dumps(answer, indent=2))
            return
        for line in lines():
            click.echo(line)

    def _unless(self, status: int, method: str, path: str, **more: Any) -> Json | None:  # noqa: ANN401  as hub.asked has it
        try:
            return hub.asked(self.address, method, path, **more)
        except (Refused, Unreachable) as error:
            if isinstance(error, Refused) and error.status == status:
                return None
            self._over(error)

    def _ask(self, method: str, path: str, **more: Any) -> Json:  # noqa: ANN401  as hub.asked has it
        try:
            return hub.asked(self.address, method, path, **more)
        except (Refused, Unreachable) as error:
            self._over(error)

    def _over(self, error: Refused | Unreachable) -> NoReturn:
        if isinstance(error, Refused):
            _end(error, error.problem, self.as_json, _status(error.status))
        _end(error, {"detail": str(error)}, self.as_json, UNREACHABLE)


def _status(status: int) -> int:
    denied = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    return NOT_ALLOWED if status in denied else REFUSED


def _end(error: Exception, problem: Json, as_json: bool, status: int) -> NoReturn:  # noqa: FBT001  one road
    if as_json:
        click.echo(json.dumps(problem, indent=2))
    click.echo(f"orchestrator: {plain(str(error))}", err=True)
    sys.exit(status)


def online(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say where the webhook is, and the Hub as *hub*."""

    @click.option(
        "--url",
        envvar="ORCHESTRATOR_URL",
        default=DEFAULT,
        show_default=True,
        help="Where the webhook is.",
    )
    @click.option(
        "--token-file",
        envvar="ORCHESTRATOR_TOKEN_FILE",
        type=click.Path(path_type=Path),
        help="Holds the token to be shown to it.",
    )
    @click.option(
        "--ca-file",
        envvar="ORCHESTRATOR_CA_FILE",
        type=click.Path(path_type=Path),
        help="Whom to trust about its certificate; the system's authorities otherwise.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
    @functools.wraps(command)
    def asked(
        *args: object,
        url: str,
        token_file: Path | None,
        ca_file: Path | None,
        as_json: bool,
        **more: object,
    ) -> None:
        address = _address(url, token_file, ca_file)
        try:
            command(*args, hub=Hub(address=address, as_json=as_json), **more)
        except KeyboardInterrupt:
            said = "interrupted; what was asked of the webhook may be done nevertheless"
            click.echo(f"orchestrator: {said}", err=True)
            sys.exit(INTERRUPTED)
        except KeyError as error:
            strange = Strange(address.url, str(error))
            _end(strange, {"detail": str(strange)}, as_json, UNREACHABLE)

    return asked


def _address(url: str, token_file: Path | None, ca_file: Path | None) -> Address:
    try:
        where = strict.url(url)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--url") from error
    try:
        token = secret.from_file(token_file) if token_file else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--token-file") from error
    try:
        trust = tls.context(Tls(ca_file=ca_file)) if ca_file else True
    except tls.BadTls as error:
        raise click.BadParameter(str(error), param_hint="--ca-file") from error
    parts = urlsplit(where)
    if token and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        click.echo("orchestrator: no TLS: the token crosses the network readable", err=True)
    return Address(url=where, token=token, trust=trust)


def plain(text: str) -> str:
    """Return *text* as one line that cannot steer a terminal."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def local(instant: str | None, *, day: bool = False) -> str:
    """Show an instant of the API in the zone of this machine; nothing for none."""
    if instant is None:
        return ""
    shown = datetime.fromisoformat(instant).astimezone()
    return shown.strftime("%Y-%m-%d %H:%M:%S" if day else "%H:%M:%S")


def zone(*instants: str | None) -> str:
    """Name the zone in which `local` shows *instants*, or this one: CET, or CET/CEST for both."""
    shown = [datetime.fromisoformat(each).astimezone() for each in instants if each]
    names = [each.tzname() or "local" for each in shown or [clock.now().astimezone()]]
    return "/".join(dict.fromkeys(names))


def table(rows: Iterable[Iterable[str]]) -> list[str]:
    """Lay *rows* out in columns, two spaces apart; the first is the head."""
    cells = [[plain(each) for each in row] for row in rows]
    widths = [max(len(each) for each in column) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
