"""`backup` and `restore`: the database into one file, and back."""

import json
from pathlib import Path

import click

from orchestrator import clock, config
from webhook import backup, restore
from webhook.archive import Manifest
from webhook.offline import options
from webhook.plain import printable


@click.command(name="backup")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@options.db
@click.option(
    "--config",
    "path",
    callback=options.of_root("path"),
    type=click.Path(path_type=Path, dir_okay=False),
    help="Goes into the backup, too, when it is there.  [env var: ORCHESTRATOR_CONFIG]",
)
@options.as_json
def make(*, out: Path, db: Path, path: Path, as_json: bool) -> None:
    """Back the database up into OUT, also while a webhook works on it.

    It is the database as it was at one instant, with orchestrator.yml, for its owner alone, and
    appears under its name when it is whole. Files with secrets are not in it: keep them elsewhere.

    \b
    Examples:
      python -m webhook backup --db orchestrator.db backup.tar.gz
      python -m webhook backup --config orchestrator.yml "/backup/$(date +%F).tar.gz"

    \b
    Exit status: 0 made, 1 not made, 2 a wrong option.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    with options.told(), options.progress() as progress:
        taken = path if path.exists() else None
        if taken is None and path != config.DEFAULT:
            raise click.ClickException(f"{path}: there is no such file")
        made = backup.make(db, out, config=taken, at=clock.now(), told=progress)
    if as_json:
        click.echo(json.dumps(made.model_dump(), indent=2))
        return
    _say(out, made)


def _say(out: Path, made: Manifest) -> None:
    size = out.stat().st_size
    click.echo(f"{out}: {size} bytes, audit of {made.audit.rows} rows")
    click.echo(f"head {made.audit.rows}:{printable(made.audit.head)}")
    for each in made.not_in_here:
        click.echo(f"not in it: {printable(each)}")
    if not made.audit.whole:
        click.echo(
            "Warning: the audit is broken, and restore will refuse this backup;"
            " see python -m webhook audit verify",
            err=True,
        )


@click.command(name="restore")
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.db
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where orchestrator.yml is put; without it, it stays in the backup.",
)
@click.option("--force", is_flag=True, help="Move aside what stands there; nothing is deleted.")
@options.as_json
def put_back(*, source: Path, db: Path, path: Path | None, force: bool, as_json: bool) -> None:
    """Make the database what the backup SOURCE holds.

    The backup is checked whole before anything is touched: its hashes, the database, the audit.
    It is refused while a webhook works on the database. What a restored database has forgotten is
    in docs/backup.md.

    \b
    Examples:
      python -m webhook restore backup.tar.gz --db orchestrator.db
      python -m webhook restore backup.tar.gz --db orchestrator.db --config orchestrator.yml --force

    \b
    Exit status: 0 restored, 1 refused, 2 a wrong option.
    """  # noqa: D301  \b is click's mark for text that is not to be wrapped
    with options.told(), options.progress() as progress:
        done = restore.restore(source, db, config=path, force=force, at=clock.now(), told=progress)
    if as_json:
        told = {
            "backup": done.manifest.model_dump(),
            "head": str(done.head),
            "moved": [str(each) for each in done.moved],
            "config": None if done.config is None else str(done.config),
        }
        click.echo(json.dumps(told, indent=2))
        return
    for each in done.moved:
        click.echo(f"what stood there is now {each}")
    version = printable(done.manifest.version)
    click.echo(f"{db}: restored from the backup of {done.manifest.at}, by version {version}")
    click.echo(f"head {done.head}")
    if path:
        click.echo(f"{path}: {'restored' if done.config else 'left alone, the backup has none'}")
    for secret in done.manifest.not_in_here:
        click.echo(f"not in the backup: {printable(secret)}")
