"""The journal: every command's answer by its key, and every time a command was carried out."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator.clock import written
from orchestrator.errors import OrchestratorError
from orchestrator.supervisor.command import Command, Outcome, State

INTERRUPTED = (
    "the supervisor stopped in between; what was asked may have happened or not, and is not"
    " repeated"
)
_SCHEMA = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, project TEXT NOT NULL, action TEXT NOT NULL,
    state TEXT, detail TEXT, received_at TEXT NOT NULL, answered_at TEXT
);
CREATE TABLE IF NOT EXISTS executions (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, project TEXT NOT NULL, action TEXT NOT NULL,
    executed_at TEXT NOT NULL
);
"""


class UnusableState(OrchestratorError):
    """The state folder cannot hold our journal."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A command that was received before; `outcome` is None until it has been answered."""

    command: Command
    outcome: Outcome | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One time that a command was carried out. Two for one key would be a mistake of ours."""

    id: int
    key: str
    project: str
    action: str
    executed_at: str


class Journal:
    """The open journal; each method is one committed transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def receive(self, command: Command, *, at: datetime) -> Entry | None:
        """Note *command* as received and return None; return what stands there if its key does."""
        cursor = self._db.execute(
            "INSERT INTO answers (key, project, action, received_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (key) DO NOTHING",
            (command.key, command.project, command.action, written(at)),
        )
        return None if cursor.rowcount else self._entry(command.key)

    def execute(self, command: Command, *, at: datetime) -> None:
        """Note that *command* is carried out now; its effect follows this line."""
        self._db.execute(
            "INSERT INTO executions (key, project, action, executed_at) VALUES (?, ?, ?, ?)",
            (command.key, command.project, command.action, written(at)),
        )

    def answer(self, key: str, outcome: Outcome, *, at: datetime) -> None:
        """Keep the answer of the command *key*; the first one stays."""
        self._db.execute(
            "UPDATE answers SET state = ?, detail = ?, answered_at = ?"
            " WHERE key = ? AND state IS NULL",
            (outcome.state, outcome.detail, written(at), key),
        )

    def fail_interrupted(self, *, at: datetime) -> int:
        """Answer as failed what an earlier supervisor left unanswered; return how many."""
        return self._db.execute(
            "UPDATE answers SET state = ?, detail = ?, answered_at = ? WHERE state IS NULL",
            (State.FAILED, INTERRUPTED, written(at)),
        ).rowcount

    def executions(self) -> list[Execution]:
        """Return everything that was carried out, oldest first."""
        rows = self._db.execute(
            "SELECT id, key, project, action, executed_at FROM executions ORDER BY id"
        )
        return [
            Execution(id=number, key=key, project=project, action=action, executed_at=at)
            for number, key, project, action, at in rows
        ]

    def _entry(self, key: str) -> Entry:
        project, action, state, detail = self._db.execute(
            "SELECT project, action, state, detail FROM answers WHERE key = ?", (key,)
        ).fetchone()
        outcome = None if state is None else Outcome(State(state), detail)
        return Entry(Command(key=key, project=project, action=action), outcome)


@contextmanager
def opened(folder: Path) -> Iterator[Journal]:
    """Open `commands.db` in *folder*, made if need be; raise UnusableState where it cannot be.

    Only one process at a time may have it open: a second one would take the first one's running
    commands for interrupted ones.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "commands.lock").open("w")
    except OSError as error:
        raise UnusableState(f"{folder}: cannot be used: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            db = sqlite3.connect(folder / "commands.db", isolation_level=None)
        except BlockingIOError as error:
            raise UnusableState(f"{folder}: another supervisor uses it") from error
        except sqlite3.Error as error:
            raise UnusableState(f"{folder}/commands.db: {error}") from error
        with closing(db):
            _prepare(db, folder)
            yield Journal(db)


def _prepare(db: sqlite3.Connection, folder: Path) -> None:
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > _SCHEMA:
            raise UnusableState(f"{folder}/commands.db: written by a newer supervisor")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # else a power cut forgets a key that was answered
        db.executescript(f"{_TABLES} PRAGMA user_version = {_SCHEMA};")
    except sqlite3.Error as error:
        raise UnusableState(f"{folder}/commands.db: {error}") from error
