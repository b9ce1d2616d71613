"""A backup: the database as it was at one instant, with its configuration, in one file."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import yaml

from orchestrator import clock
from orchestrator.errors import OrchestratorError
from orchestrator.version import VERSION
from webhook import archive, newfile
from webhook.archive import CONFIG, DATABASE, Chain, Manifest, Told
from webhook.plain import cut
from webhook.store import reader, trail
from webhook.store.database import CannotOpen

PAGES = 2_048  # copied at a time; 8 MiB
SECRET = ("_file", "_env")  # how keys end that name a secret, and do not hold it
FILED = "_sqlite_migrations"  # where sqlite-utils keeps what was done to the schema


class IsThere(OrchestratorError):
    """The file that was to be made is there already."""

    def __init__(self, path: Path, instead: str) -> None:
        super().__init__(f"{path} is there already; {instead}")
        self.path = path


def make(db: Path, out: Path, *, config: Path | None, at: datetime, told: Told) -> Manifest:
    """Back *db* up into *out*, also while a webhook writes to it, and *config* if there is one.

    A broken audit is backed up like a whole one; the manifest says so. Raises IsThere, CannotOpen,
    trail.NoAudit and OSError.
    """
    _unmade(out)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=out.parent) as folder:
        copy = Path(folder) / DATABASE
        _copy(db, copy, told)
        files = {DATABASE: copy}
        if config is not None:
            files = {CONFIG: _taken(config, Path(folder)), **files}
        manifest = _described(files, at, told)
        with newfile.placed(out) as file:
            archive.pack(file, manifest, files, at=at, told=told)
            _unmade(out)  # another one may have been quicker
    return manifest


def _unmade(out: Path) -> None:
    if out.exists():
        raise IsThere(out, "a backup is never written over")


def _copy(db: Path, to: Path, told: Told) -> None:
    """Copy what is committed now.

    One look holds the instant for the whole copying: else SQLite would begin anew with each
    commit, and beside a busy webhook never end.
    """

    def progress(_status: int, left: int, pages: int) -> None:
        told(f"copying {db.name}", pages - left, pages)

    try:
        with closing(reader.connect(db)) as source, closing(sqlite3.connect(to)) as target:
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            source.backup(target, pages=PAGES, progress=progress)
            target.execute("PRAGMA journal_mode=DELETE").fetchone()  # one file, and no -wal
    except sqlite3.Error as error:
        raise CannotOpen(db, error) from error


def _taken(config: Path, folder: Path) -> Path:
    taken = folder / CONFIG
    taken.write_bytes(config.read_bytes())
    return taken


def _described(files: dict[str, Path], at: datetime, told: Told) -> Manifest:
    with closing(reader.connect(files[DATABASE])) as db:
        db.text_factory = trail.any_text
        found = trail.verified(db)
        last = trail.head(db)
        done = db.execute(f"SELECT name FROM {FILED} ORDER BY rowid").fetchall()  # noqa: S608  a name of ours
    return Manifest(
        version=VERSION,
        at=clock.written(at),
        migrations=[row["name"] for row in done],
        audit=Chain(rows=last.rows, head=cut(last.hash, 64), whole=found.broken is None),
        files={name: archive.described(path, told) for name, path in files.items()},  # type: ignore[misc]  # two names, of archive.py
        not_in_here=sorted(_secrets(files.get(CONFIG))),
    )


def _secrets(config: Path | None) -> Iterator[str]:
    """Name every file and variable with a secret that the configuration speaks of."""
    if config is None:
        return
    try:
        written = yaml.safe_load(config.read_bytes())
    except yaml.YAMLError:  # nobody could start with it; it is kept as it is
        return
    yield from _named(written, "")


def _named(written: object, path: str) -> Iterator[str]:
    if isinstance(written, dict):
        for key, inner in written.items():
            below = f"{path}.{key}".lstrip(".")
            if isinstance(inner, str) and str(key).endswith(SECRET):
                yield f"{below}: {inner}"
            yield from _named(inner, below)
    elif isinstance(written, list):
        for place, inner in enumerate(written):
            yield from _named(inner, f"{path}[{place}]")
