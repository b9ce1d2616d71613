"""The database file: locked to one process, written by one thread, many changes at a time."""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from sqlite_utils import Database

from orchestrator.errors import OrchestratorError
from webhook.store import schema

AT_ONCE = 256  # jobs of one transaction at most, so that the first of them does not wait for ever
# Seconds that another program may hold the file. Alertmanager gives up on a notification after
# ten, and asks again half a second after a 503; and whoever sets its `timeout` sets two or more.
LOCKED_FOR = 1.0
STATEMENTS = 512  # kept prepared: many have a text of their own for each count of rows
SETTINGS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "temp_store=MEMORY",  # how to undo one job of many; on disk it would need a second free disk
)

P = ParamSpec("P")
T = TypeVar("T")


class InUse(OrchestratorError):
    """A webhook works on this database."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is in use by a webhook; two on it would repair everything twice."
            " Stop that one, or name another file with --db"
        )
        self.path = path


class CannotOpen(OrchestratorError):
    """The database file cannot be used at all."""

    def __init__(self, path: Path, why: Exception) -> None:
        super().__init__(f"{path}: cannot be used as database: {why}; --db names another")
        self.path = path


class NotCommitted(OrchestratorError, sqlite3.OperationalError):
    """The transaction that a job was a part of is not on disk, so nothing of the job is."""


class Closed(OrchestratorError, sqlite3.OperationalError, RuntimeError):
    """The program ends, and its database is closed already."""

    def __init__(self) -> None:
        super().__init__("the store is closed")


@dataclass(slots=True, eq=False)
class _Job(Generic[T]):
    work: Callable[[sqlite3.Connection], T]
    done: asyncio.Future[None]
    result: T | None = None
    error: BaseException | None = None


class Store:
    """An open database. Lives as long as the program; closing it frees the lock.

    What waits is stored in one transaction, so many who ask at once wait for the disk once.
    """

    def __init__(self, path: Path) -> None:
        """Open and lock *path*, creating it when it is not there; raise InUse or CannotOpen."""
        self.path = path
        self._lock = _locked(path)
        try:
            self._connection = connect(path)
        except (sqlite3.Error, OSError) as error:
            os.close(self._lock)
            raise CannotOpen(path, error) from error
        except OrchestratorError:
            os.close(self._lock)
            raise
        self._waiting: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._closed = False
        # A daemon, because a program that fails before it closes us has to end nevertheless.
        self._writer = Thread(target=self._write, name="store", daemon=True)
        self._writer.start()

    async def __call__(
        self,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run *work* whole or not at all: all of it is on disk when this returns.

        It goes on when the caller is cancelled. Raises what *work* raises, sqlite3.Error when it
        cannot be stored, which Closed is, too.
        """
        if self._closed:
            raise Closed
        done = asyncio.get_running_loop().create_future()
        job = _Job(lambda db: work(db, *args, **kwargs), done)
        self._waiting.put(job)
        await done
        if job.error:
            raise job.error
        return job.result  # type: ignore[return-value]  # a T, as there was no error

    def close(self) -> None:
        """Store what waits, and let go of the file."""
        self._closed = True
        self._waiting.put(None)
        self._writer.join()
        self._connection.close()
        os.close(self._lock)

    def _write(self) -> None:
        while jobs := self._next():
            _store(self._connection, jobs)
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                jobs[0].done.get_loop().call_soon_threadsafe(_tell, jobs)

    def _next(self) -> list[_Job[Any]]:
        """Wait for a job; return it and those behind it, or none when the store is closed."""
        jobs: list[_Job[Any]] = []
        job = self._waiting.get()
        with suppress(Empty):
            while job:
                jobs.append(job)
                if len(jobs) == AT_ONCE:
                    return jobs
                job = self._waiting.get_nowait()
            self._waiting.put(None)  # the end, to be found again after these jobs
        return jobs


def _store(connection: sqlite3.Connection, jobs: Sequence[_Job[Any]]) -> None:
    """Run *jobs* as one transaction; when it fails, each of them gets an error of its own."""
    try:
        with atomic(connection):
            for job in jobs:
                _run(connection, job)
    except BaseException as error:  # noqa: BLE001  whatever it was, they all have to be told
        for job in jobs:
            job.error = NotCommitted(f"not stored: {error}")
            job.error.__cause__ = error


def _run(connection: sqlite3.Connection, job: _Job[Any]) -> None:
    """Run one of many, and undo it alone when it fails.

    Raises when SQLite has undone all of them, as it does with some errors of the disk.
    """
    connection.execute("SAVEPOINT job")
    try:
        job.result = job.work(connection)
    except BaseException as error:  # whatever it was, it is that job's, and must not undo others
        if not connection.in_transaction:
            raise
        job.error = error
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")


def _tell(jobs: Sequence[_Job[Any]]) -> None:
    for job in jobs:
        if not job.done.done():  # a caller who was cancelled is not there to be told
            job.done.set_result(None)


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
    connection = sqlite3.connect(
        path,
        isolation_level=None,
        check_same_thread=False,
        timeout=LOCKED_FOR,
        cached_statements=STATEMENTS,
    )
    try:
        connection.row_factory = sqlite3.Row
        for pragma in SETTINGS:
            connection.execute(f"PRAGMA {pragma}")
        schema.migrate(Database(connection))
        connection.execute("DELETE FROM boots WHERE false")  # else a read-only file is found late
    except BaseException:  # raised on; only the file must not stay open
        connection.close()
        raise
    return connection


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep every webhook off *path* for the length of the block; raise InUse or CannotOpen."""
    lock = _locked(path)
    try:
        yield
    finally:
        os.close(lock)


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
