"""A restore: a backup becomes the database again, and what stood there is moved aside."""

import os
import pwd
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator.clock import written
from webhook import archive, audit, newfile
from webhook.archive import CONFIG, DATABASE, BadArchive, Manifest, Told
from webhook.audit import RESTORED, Head
from webhook.backup import IsThere
from webhook.store import database, reader, rows, trail

# What does something by itself in a database: it could allow an action, or change the audit.
ALIVE = "SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'view')"
BESIDE = ("", "-wal", "-shm")  # what makes up a database, by the ends of the names


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was done."""

    manifest: Manifest
    head: Head  # behind the row that says that it was restored
    moved: tuple[Path, ...]  # what stood there, by its new names
    config: Path | None  # where orchestrator.yml was put


def restore(
    source: Path,
    db: Path,
    *,
    config: Path | None,
    force: bool,
    at: datetime,
    told: Told,
) -> Restored:
    """Make *db* what the backup *source* holds, and *config*, when one is given.

    1. No webhook works on *db*, and nothing stands there, unless *force*. Raises InUse, IsThere.
    2. The archive is what was packed; the database is undamaged, its audit whole and the one of
       the manifest, its schema not newer than ours. Raises BadArchive and NewerSchema.
    3. The schema is brought up to date, and has no triggers but ours, and all of these. Raises
       BadArchive. The audit says that it was restored, and by whom.
    4. What stood there is moved aside, and the new files take their places. Raises OSError.
    """
    with database.held(db):
        there = [path for path in _places(db, config) if path.exists()]
        if there and not force:
            raise IsThere(there[0], "with --force it is moved aside, and nothing is deleted")
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=db.parent) as name:
            folder = Path(name)
            manifest = archive.unpack(source, folder, told=told)
            _check(source, folder / DATABASE, manifest)
            head = _noted(source, folder / DATABASE, manifest, at)
            put = config if (folder / CONFIG).exists() else None
            with _written(folder / CONFIG, put):
                moved = _aside(db, put, at)
                _place(folder / DATABASE, db)
    return Restored(manifest=manifest, head=head, moved=moved, config=put)


def _places(db: Path, config: Path | None) -> Sequence[Path]:
    own = [db.with_name(f"{db.name}{end}") for end in BESIDE]
    return [*own, config] if config else own


def _check(source: Path, fresh: Path, manifest: Manifest) -> None:
    with closing(reader.connect(fresh)) as db:
        try:
            db.execute("PRAGMA trusted_schema=OFF")
            [said] = db.execute("PRAGMA integrity_check(1)").fetchone()
            verdict = trail.verified(db)
        except (sqlite3.DatabaseError, trail.NoAudit) as error:
            raise BadArchive(source, f"the database is damaged: {error}") from error
    if said != "ok":
        raise BadArchive(source, f"the database is damaged: {said}")
    if verdict.broken:
        found = verdict.broken
        raise BadArchive(source, f"the audit is broken at row {found.row}: {found.what}")
    if verdict.head != Head(rows=manifest.audit.rows, hash=manifest.audit.head):
        raise BadArchive(source, "the audit ends elsewhere than the manifest says")


def _noted(source: Path, fresh: Path, manifest: Manifest, at: datetime) -> Head:
    data = {"backup": manifest.at, "head": manifest.audit.head, "rows": manifest.audit.rows}
    with closing(database.connect(fresh)) as db, closing(database.connect(":memory:")) as ours:
        if strange := set(db.execute(ALIVE)) ^ set(ours.execute(ALIVE)):
            names = ", ".join(sorted({str(name) for name, _ in strange}))
            raise BadArchive(source, f"its triggers and views are not the webhook's: {names}")
        with database.atomic(db):
            rows.record(db, audit.entry(RESTORED, data, at=at, actor=user()))
        return trail.head(db)


def user() -> str:
    """Return the name that the system knows the user by, whatever the environment says."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # as in a container that runs as a number
        return f"uid {number}"


def _aside(db: Path, config: Path | None, at: datetime) -> tuple[Path, ...]:
    """Move what stands there, a database with its -wal so that it can be opened where it is."""
    when = written(at)[:19].replace(":", "").replace("-", "")
    moved = []
    for path in _places(db, config):
        if path.exists():
            base = db if path != config else path
            kept = path.with_name(f"{base.name}.before-{when}Z{path.name[len(base.name) :]}")
            if kept.exists():
                raise IsThere(kept, "try again in a second")
            path.rename(kept)
            moved.append(kept)
    return tuple(moved)


@contextmanager
def _written(fresh: Path, config: Path | None) -> Iterator[None]:
    """Write *config* before the block, where that may still fail; it has its name behind it."""
    if config is None:
        yield
        return
    with newfile.placed(config) as file:
        file.write(fresh.read_bytes())
        file.flush()  # a full disk is told now
        yield


def _place(fresh: Path, db: Path) -> None:
    newfile.settle(fresh)
    fresh.replace(db)
    newfile.settle(db.parent)
