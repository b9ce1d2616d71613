"""replay: what another configuration would have done with what happened."""

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from orchestrator import clock, source
from orchestrator.config import Config
from orchestrator.errors import OrchestratorError
from orchestrator.length import Length
from webhook import app, newfile, recording, replay
from webhook.offline import options
from webhook.recording import AROUND, BadRecording, Recording
from webhook.simulation import Simulation
from webhook.store import reader, recorded

DIFFERENT = 1


class _Instant(click.ParamType[datetime]):
    name = "instant"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read an RFC 3339 instant; a day, or one without an offset, is in UTC."""
        try:
            instant = datetime.fromisoformat(str(value))
            return clock.read(
                (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).isoformat()
            )
        except ValueError:
            self.fail(f"{value!r} is no instant; write it like 2026-11-21T14:00:00Z", param, ctx)


@click.command(name="replay")
@click.argument(
    "file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--from-db", is_flag=True, help="Take what the database has recorded.")
@options.db
@source.options
@click.option("--from", "since", type=_Instant(), help="Compare from this instant on (UTC).")
@click.option("--to", "until", type=_Instant(), help="Compare until this instant (UTC).")
@click.option(
    "--within",
    default="15s",
    show_default=True,
    type=Length(),
    help="The same thing at a time that differs by no more is the same.",
)
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the recording into this file, too.",
)
@options.as_json
def command(  # noqa: PLR0913  one for each option
    *,
    file: Path | None,
    from_db: bool,
    db: Path,
    path: Path,
    projects: str,
    since: datetime | None,
    until: datetime | None,
    within: timedelta,
    save: Path | None,
    as_json: bool,
) -> None:
    """Tell what a configuration would have done with recorded notifications.

    Runs them through the real guards, playbooks and steps, on a clock that does not wait, and shows
    what would have been done beside what was. Nothing is sent to anybody.

    \b
    Examples:
      python -m webhook replay --from-db --config new.yml
      python -m webhook replay --from-db --from 2026-11-20 --to 2026-11-21 --save day.jsonl
      python -m webhook replay day.jsonl --config new.yml --json

    \b
    Exit status: 0 the same, or nothing to compare with; 1 different; 2 a wrong option, or a file
    that cannot be used.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    if (file is None) is not from_db:
        raise click.UsageError("say what to replay: a FILE, or --from-db")
    with _told():
        config = _config(path, projects)
        warm_up = app.longest(config)
        whole = _of_file(file) if file else _of_db(db, since and since - warm_up, until)
        part = whole.part(since, until, warm_up=warm_up)
        if save is not None:
            _save(part, save)
        result = asyncio.run(_played(config, part, within))
        compared = replay.compare(part, result, within=within)
    if as_json:
        click.echo(json.dumps(replay.machine(compared), indent=2))
    else:
        click.echo("\n".join(replay.text(compared)))
    sys.exit(DIFFERENT if compared.differs else 0)


@contextmanager
def _told() -> Iterator[None]:
    """End with a line for each thing that cannot be used."""
    try:
        yield
    except (OrchestratorError, OSError, UnicodeDecodeError, sqlite3.Error) as error:
        raise options.Unusable(options.shown(error)) from error
    except OverflowError as error:
        raise options.Unusable(
            "an instant of it lies at the end of the calendar, or beyond"
        ) from error


def _config(path: Path, projects: str) -> Config:
    origin = source.Source(path=path, projects=projects, environment=os.environ)  # noqa: TID251  secrets have names of the user's choice
    config = origin.load()
    app.check_playbooks(config)
    return config


def _of_file(file: Path) -> Recording:
    with file.open(encoding="utf-8") as lines:
        try:
            return recording.read(lines)
        except BadRecording as error:
            raise BadRecording(
                "\n".join(f"{file}: {each}" for each in str(error).splitlines())
            ) from error


def _of_db(db: Path, since: datetime | None, until: datetime | None) -> Recording:
    try:
        with closing(reader.connect(db)) as connection:
            connection.execute("BEGIN")  # all of it as of one instant
            return recording.of(
                recorded.lines(connection, since=since, until=until and until + AROUND)
            )
    except sqlite3.Error as error:
        hint = "a webhook of this version has to have opened it once"
        raise BadRecording(f"{db}: {error}; {hint}") from error
    except BadRecording as error:
        raise BadRecording(f"{db}: {error}") from error


def _save(part: Recording, file: Path) -> None:
    """Write it so that only its owner reads it: bodies of alerts are nobody else's."""
    with newfile.placed(file) as out:
        out.writelines(f"{line}\n".encode() for line in recording.written(part))


async def _played(config: Config, part: Recording, within: timedelta) -> replay.Result:
    simulation = Simulation(config, part, beyond=within)
    with click.progressbar(
        length=len(part.heard), label="replaying", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        return await simulation.run(bar.update)
