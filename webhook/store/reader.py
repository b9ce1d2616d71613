"""A reader: looks into the database beside the writer, and never keeps it waiting."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import quote

from webhook.store.database import Closed

THREADS = 2  # one that searches long must not keep all the others waiting
NO_LONGER = 5.0  # seconds for one look; a longer one holds back the clearing of the WAL
TICK = 10_000  # instructions of SQLite's machine between two looks at the time

P = ParamSpec("P")
T = TypeVar("T")


class Reader:
    """Read-only connections to an open database. Lives as long as its store."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="reader")
        self._own = threading.local()
        self._closed = False
        self._opened: list[sqlite3.Connection] = []

    async def __call__(
        self,
        look: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return what *look* finds, all of it as of one instant.

        It sees everything that was committed before it was asked. Raises what *look* raises, and
        sqlite3.Error when the database cannot be read, or not within five seconds.
        """
        if self._closed:
            raise Closed
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: self._look(look, *args, **kwargs))

    def close(self) -> None:
        """Let what is under way end, and let go of the file."""
        self._closed = True
        self._threads.shutdown(cancel_futures=True)
        for connection in self._opened:
            connection.close()

    def _look(
        self,
        look: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        connection = self._connection()
        latest = time.monotonic() + NO_LONGER
        connection.set_progress_handler(lambda: time.monotonic() > latest, TICK)
        connection.execute("BEGIN")
        try:
            return look(connection, *args, **kwargs)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _connection(self) -> sqlite3.Connection:
        known: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if known is None:
            known = self._own.connection = connect(self._path)
            self._opened.append(known)
        return known


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for reading only; raises sqlite3.Error.

    The one who opened it may be asked from any thread, one at a time.
    """
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=ro",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    with closing(connection.execute("PRAGMA temp_store=MEMORY")):
        return connection
