"""Again: one analysis of the database, made anew from what was stored of it."""

import asyncio
import gzip
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import click

from orchestrator.errors import OrchestratorError
from orchestrator.prices import NANO
from webhook.analyzer import rules
from webhook.analyzer.analysis import By, Gate
from webhook.analyzer.answer import Answer
from webhook.analyzer.reply import Malformed
from webhook.claude import message
from webhook.claude.question import without_logs
from webhook.evaluation import rerun
from webhook.evaluation.rerun import Part, Recorded
from webhook.evaluation.unpacked import unpacked
from webhook.evidence.item import Pack
from webhook.offline import live, options
from webhook.plain import printable
from webhook.store import analyses, reader

DIFFERENT = 1
HASHED, HASH = frozenset({"evidence", "request"}), 12  # parts, and what is shown of their hashes
MOST = 5.0  # dollars that one question may cost, beyond any


class NotThere(OrchestratorError):
    """There is no such analysis, or nothing of it to go by."""


@click.command(name="replay")
@click.argument("number", metavar="ID", type=click.IntRange(1))
@click.option("--model", help="Ask this model now, for money; else what was answered is read.")
@options.db
@click.option(
    "--config",
    "path",
    callback=options.of_root("path"),
    type=click.Path(path_type=Path),
    help="Whose url, key and prices are used with --model.",
)
@options.as_json
def command(*, number: int, model: str | None, db: Path, path: Path, as_json: bool) -> None:
    """Make the analysis ID anew from its stored evidence, and show what is different.

    Without --model nobody is asked: the stored reply is read again, or the rules answer again, and
    the gates judge. So it shows what a change of rules, prompt or gates does to what has happened.

    \b
    Examples:
      python -m webhook analyzer replay 12 --db orchestrator.db
      python -m webhook analyzer replay 12 --db orchestrator.db --model claude-opus-5-5

    \b
    Exit status: 0 the same; 1 different; 2 a wrong option, or nothing that can be made anew.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    with options.unusable():
        recorded, reply = _stored(db, number)
        pack = unpacked(recorded.evidence)
        answer = asyncio.run(_asked(pack, model, path)) if model else _known(recorded, reply, pack)
        parts = rerun.rerun(recorded, answer, variants=[without_logs])
    _show(recorded, parts, as_json=as_json)
    sys.exit(0 if all(each.same for each in parts) else DIFFERENT)


def _stored(path: Path, number: int) -> tuple[Recorded, bytes]:
    with closing(reader.connect(path)) as db:
        row = db.execute("SELECT * FROM analyses WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise NotThere(f"{path}: no analysis {number} is there")
    if row["evidence"] is None or row["answer"] is None:
        raise NotThere(f"analysis {number}: its evidence is not there, or not any more")
    recorded = Recorded(
        analysis=analyses.read(row),
        evidence=gzip.decompress(row["evidence"]).decode(),
        request=_body(row, "request"),
        gates=tuple(Gate(**each) for each in json.loads(row["gates"])),
        effective=row["effective"],
    )
    return recorded, _body(row, "reply")


def _body(row: sqlite3.Row, name: str) -> bytes:
    return gzip.decompress(row[name]) if row[name] else b""


def _known(recorded: Recorded, reply: bytes, pack: Pack) -> Answer | None:
    """Return what was answered, read anew; of rules, what they answer now."""
    if recorded.analysis.by is By.RULES:
        return rules.answer(pack)
    if not reply:  # it was taken over from an earlier analysis of the same evidence
        return recorded.analysis.answer
    try:
        return message.read(reply).answer()
    except Malformed:
        return None


async def _asked(pack: Pack, model: str, path: Path) -> Answer | None:
    config = options.loaded(path).analyzer
    most = round(MOST * NANO)
    async with live.asking(config, model=model, effort=config.effort, most=most) as (ask, _):
        said = await ask(pack, 0)
    if said.answer is None:
        raise NotThere(f"no answer: {said.why}")
    return said.answer


def _show(recorded: Recorded, parts: list[Part], *, as_json: bool) -> None:
    known = recorded.analysis
    if as_json:
        told = [
            {"part": each.name, "then": each.then, "now": each.now, "same": each.same}
            for each in parts
        ]
        click.echo(json.dumps({"analysis": known.id, "parts": told}, indent=2))
        return
    who = known.model or str(known.by)
    text = f"analysis {known.id} of {known.project}: {known.situation.alertname}, by {who}"
    click.echo(printable(text))
    for each in parts:
        many = HASH if each.name in HASHED else None
        then, now = each.then[:many], each.now[:many]
        changed = now if each.same else f"{then} -> {now}"
        click.echo(f"  {each.name:<9} {'same' if each.same else 'different':<10} {changed}")
