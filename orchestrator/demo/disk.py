"""The small database of a demo project, on a disk that can be made full."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from orchestrator.clock import read, written
from orchestrator.errors import OrchestratorError

MARKER = "disk_full"  # a file beside the database; it makes the disk full for the next process, too
KEPT = 600  # rows, which are as many seconds
NOTE = "a beat of the project; " * 8  # of one length, so that where one does not fit none does
_NO_LIMIT = 1_073_741_823  # pages; SQLite's own default


class UnusableData(OrchestratorError):
    """The data folder cannot hold the project's database."""


class Disk:
    """The open database. A write that fails is kept as `problem` until one succeeds."""

    def __init__(self, db: sqlite3.Connection, marker: Path) -> None:
        self._db, self._marker = db, marker
        self.problem: str | None = None

    @property
    def full(self) -> bool:
        """Whether the fault is on."""
        return self._marker.exists()

    @property
    def full_until(self) -> datetime | None:
        """When the fault ends by itself, as the process that began it left word."""
        try:
            return read(self._marker.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # none, or made by hand
            return None

    def write(self, at: datetime) -> None:
        """Write one row, and drop those that are old; the outcome is `problem`."""
        try:
            self._db.execute("INSERT INTO beats (at, note) VALUES (?, ?)", (written(at), NOTE))
            if not self.full:  # else the dropped rows would make room
                self._db.execute("DELETE FROM beats WHERE id <= last_insert_rowid() - ?", (KEPT,))
        except sqlite3.Error as error:
            full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
            self.problem = f"database {'full' if full else 'unusable'}: {error}"
        else:
            self.problem = None

    def fill(self, at: datetime, *, until: datetime | None) -> None:
        """Let the database grow no more, and use up what room it has: the next write fails."""
        self._marker.write_text(written(until) if until else "", encoding="utf-8")
        (pages,) = self._db.execute("PRAGMA page_count").fetchone()
        self._db.execute(f"PRAGMA max_page_count = {pages:d}")
        self.problem = None
        while self.problem is None:
            self.write(at)

    def free(self, at: datetime) -> None:
        """Give the database room again, and show it by a write."""
        self._marker.unlink(missing_ok=True)
        self._db.execute(f"PRAGMA max_page_count = {_NO_LIMIT:d}")
        self.write(at)


@contextmanager
def opened(folder: Path, *, at: datetime) -> Iterator[Disk]:
    """Open the database in *folder*, made if need be, and write to it; raise UnusableData."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(folder / "project.db", isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise UnusableData(f"{folder}: cannot be used: {error}") from error
    with closing(db):
        disk = Disk(db, folder / MARKER)
        try:
            _prepare(db)
            if disk.full:
                disk.fill(at, until=disk.full_until)
        except (OSError, sqlite3.Error) as error:
            raise UnusableData(f"{folder}: cannot be used: {error}") from error
        if not disk.full:
            disk.write(at)
        yield disk


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("CREATE TABLE IF NOT EXISTS beats (id INTEGER PRIMARY KEY, at TEXT, note TEXT)")
