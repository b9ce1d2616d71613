"""The database file: locked to one process, written by one thread, one transaction at a time."""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlite_utils import Database

from orchestrator.errors import OrchestratorError
from webhook.store import schema

P = ParamSpec("P")
T = TypeVar("T")


class InUse(OrchestratorError):
    """Another webhook works on this database."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is in use by another webhook; two would repair everything twice."
            " Stop the other one, or name another file with --db"
        )
        self.path = path


class CannotOpen(OrchestratorError):
    """The database file cannot be used at all."""

    def __init__(self, path: Path, why: Exception) -> None:
        super().__init__(f"{path}: cannot be used as database: {why}")
        self.path = path


class Store:
    """An open database. Lives as long as the program; closing it frees the lock."""

    def __init__(self, path: Path) -> None:
        """Open and lock *path*, creating it when it is not there; raise InUse or CannotOpen."""
        self._lock = _locked(path)
        try:
            self._connection = connect(path)
        except (sqlite3.Error, OSError) as error:
            os.close(self._lock)
            raise CannotOpen(path, error) from error
        except OrchestratorError:
            os.close(self._lock)
            raise
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")

    async def __call__(
        self,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run *work* as one transaction: all of it is on disk when this returns, or none of it.

        Raises what *work* raises, and sqlite3.Error when it cannot be stored.
        """

        def transaction() -> T:
            with atomic(self._connection) as connection:
                return work(connection, *args, **kwargs)

        running = asyncio.get_running_loop().run_in_executor(self._writer, transaction)
        return await asyncio.shield(running)

    def close(self) -> None:
        """Finish the transaction under way and let go of the file."""
        self._writer.shutdown(wait=True)
        self._connection.close()
        os.close(self._lock)


@contextmanager
def atomic(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit what the block did, or undo all of it.

    It takes the write lock at its begin: taking it later may fail half-way, with work done.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:  # whatever it was, half of the work must not stay
        if connection.in_transaction:  # SQLite itself rolls some errors back
            connection.execute("ROLLBACK")
        raise


def connect(path: Path | str) -> sqlite3.Connection:
    """Open the file (or ":memory:") with its schema up to date; a commit waits for the disk."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        schema.migrate(Database(connection))
    except BaseException:  # raised on; only the file must not stay open
        connection.close()
        raise
    return connection


def _locked(path: Path) -> int:
    beside = path.with_name(f"{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotOpen(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise InUse(path) from error
    return descriptor
