"""`audit verify` and `audit export`: whether the audit is whole, and the audit for others."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

import aiohttp
import click

from orchestrator import clock, duration
from webhook import audit, chain, export, newfile, witness
from webhook.audit import Head
from webhook.chain import Verdict
from webhook.offline import options
from webhook.plain import printable
from webhook.store import reader, trail
from webhook.store.database import CannotOpen

WHOLE, BROKEN = 0, 1


@click.group(name="audit")
def group() -> None:
    """Prove that the audit is whole, or hand it on."""


@group.command()
@options.db
@click.option(
    "--file",
    "exported",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="An export as JSON lines, instead of a database.",
)
@click.option(
    "--head",
    "noted",
    multiple=True,
    help="A head noted elsewhere, as ROWS:HASH, or a file that has some.",
)
@click.option("--prometheus", help="Compare with what this Prometheus has kept.")
@click.option("--instance", default="", help="The webhook's label `instance` in Prometheus.")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Compare with the Prometheus of this orchestrator.yml.",
)
@options.as_json
def verify(
    *,
    db: Path,
    exported: Path | None,
    noted: Sequence[str],
    prometheus: str | None,
    instance: str,
    config: Path | None,
    as_json: bool,
) -> None:
    """Follow the audit from its first row to its last, and name the first that is wrong.

    Nothing is written, and a webhook may go on meanwhile. That the end was cut off, or that rows
    were changed and all that follow hashed anew, is seen only with a head from elsewhere: --head,
    --prometheus.

    \b
    Examples:
      python -m webhook audit verify --db orchestrator.db
      python -m webhook audit verify --prometheus http://127.0.0.1:9090
      python -m webhook audit verify --head 1234:0f1e2d3c4b5a
      python -m webhook audit verify --file audit.jsonl --head heads.txt --json

    \b
    Exit status: 0 whole, 1 broken or not to be read, 2 a wrong option, 4 whole as far as can be
    seen, but Prometheus gave no answer.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    unheard: str | None = None
    with options.told():
        heads = [head for each in noted for head in _heads(each)]
        if config and not prometheus:
            prometheus = options.loaded(config).prometheus
        if prometheus:  # before the database is read, or it would have rows that we do not
            try:
                heads += asyncio.run(_witnessed(prometheus, instance))
            except witness.Unheard as error:
                unheard = str(error)
        verdict = _of_file(exported, heads) if exported else _of_database(db, heads)
    _say(verdict, unheard, as_json=as_json)
    sys.exit(BROKEN if verdict.broken else options.UNREACHABLE if unheard else WHOLE)


def _heads(text: str) -> Iterator[Head]:
    """Read one head, or a file: of each line the last word, so what `audit export` said is one."""
    path = Path(text)
    if ":" in text and not path.exists():
        yield audit.head(text)
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield audit.head(line.split()[-1])


async def _witnessed(url: str, instance: str) -> list[Head]:
    async with aiohttp.ClientSession() as session:
        return await witness.heads(session, url.rstrip("/"), instance=instance)


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the database for one look; raises CannotOpen."""
    try:
        with closing(reader.connect(path)) as db:
            db.text_factory = trail.any_text
            db.execute("BEGIN")
            yield db
    except sqlite3.Error as error:
        raise CannotOpen(path, error) from error


def _of_database(path: Path, heads: Sequence[Head]) -> Verdict:
    with _reading(path) as db:
        return trail.verified(db, heads)


def _of_file(path: Path, heads: Sequence[Head]) -> Verdict:
    with path.open(encoding="utf-8", errors="replace") as file:
        rows = export.read(file)
        first = next(rows, None)
        if first is None:
            return chain.verify([], heads=heads)
        begin = Head(rows=first.id - 1, hash=first.previous) if first.id > 1 else audit.NOTHING
        return chain.verify(_again(first, rows), begin=begin, heads=heads)


def _again(first: audit.Row, rest: Iterator[audit.Row]) -> Iterator[audit.Row]:
    yield first
    yield from rest


def _say(verdict: Verdict, unheard: str | None, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_json(verdict, unheard), indent=2))
        return
    for line in _notes(verdict):
        click.echo(line)
    if verdict.broken:
        click.echo(f"BROKEN at row {verdict.broken.row}: {printable(verdict.broken.what)}")
        click.echo(f"whole up to row {verdict.head.rows}, head {printable(str(verdict.head))}")
    else:
        click.echo(f"{verdict.head.rows} rows, whole, head {verdict.head}")
    if unheard:
        click.echo(f"Error: not compared with Prometheus: {printable(unheard)}", err=True)


def _notes(verdict: Verdict) -> Iterator[str]:
    if verdict.begin.rows:
        yield f"it begins behind row {verdict.begin.rows}; the rows before were not looked at"
    for row in verdict.restored:
        yield f"row {row} says that the database was restored from a backup"
    if verdict.older:
        yield f"{len(verdict.older)} heads are of rows before that, and were not compared"


def _json(verdict: Verdict, unheard: str | None) -> dict[str, object]:
    broken = verdict.broken
    return {
        "whole": broken is None,
        "rows": verdict.head.rows,
        "begins_behind": verdict.begin.rows,
        "head": str(verdict.head),
        "broken": None if broken is None else {"row": broken.row, "what": broken.what},
        "restored": list(verdict.restored),
        "not_compared": [str(each) for each in verdict.older],
        "prometheus": unheard,
    }


class _Since(click.ParamType[datetime]):
    name = "since"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        try:
            return clock.now() - duration.parse(value)
        except (ValueError, OverflowError):
            pass
        try:
            return clock.read(value)
        except ValueError:
            self.fail(
                f"{value!r} is no length like 30d and no instant like 2026-11-21T08:00:00Z",
                param,
                ctx,
            )


@group.command(name="export")
@options.db
@click.option(
    "--format",
    "form",
    type=click.Choice(list(export.FORMS)),
    default="jsonl",
    show_default=True,
    help="jsonl can be verified; csv is for people.",
)
@click.option("--since", type=_Since(), help="From there on: 30d, or 2026-11-21T08:00:00Z.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file, for its owner alone; without it, standard output.",
)
def export_(*, db: Path, form: str, since: datetime | None, out: Path | None) -> None:
    """Write the audit down, and say its head.

    The head, the last line on standard error, is what to keep elsewhere: `audit verify --head`
    shows by it that nothing up to there is gone or changed.

    \b
    Examples:
      python -m webhook audit export --out audit.jsonl 2>>heads.txt
      python -m webhook audit export --format csv --since 30d >audit.csv

    \b
    Exit status: 0 written, 1 not to be read or written, 2 a wrong option.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    with options.told(), _reading(db) as opened:
        after = trail.up_to(opened, since) if since else 0
        rows = trail.stream(opened, after=after)
        if out is None:
            _write(rows, form, sys.stdout)
        else:
            with newfile.placed(out) as file:
                for line in export.FORMS[form](rows):
                    file.write(line.encode())
        click.echo(f"head {printable(str(trail.head(opened)))}", err=True)


def _write(rows: Iterator[audit.Row], form: str, to: TextIO) -> None:
    to.writelines(export.FORMS[form](rows))
    to.flush()
