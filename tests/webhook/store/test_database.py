"""The database: whole transactions, one process, no schema from the future."""

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from tests.webhook.make import NOW
from webhook.store import work
from webhook.store.database import (
    AT_ONCE,
    LOCKED_FOR,
    CannotOpen,
    InUse,
    NotCommitted,
    Store,
    connect,
)
from webhook.store.schema import NewerSchema

HOLD = "import sys; from pathlib import Path; from webhook.store.database import Store"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orchestrator.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store(path)
    yield opened
    opened.close()


Work = Callable[[sqlite3.Connection], object]


def _boot(db: sqlite3.Connection) -> int:
    return work.boot(db, at=NOW)


def _look(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM boots").fetchone()[0])


def _half_done(db: sqlite3.Connection) -> None:
    _boot(db)
    raise LookupError


def _end_of_iteration(db: sqlite3.Connection) -> None:
    _boot(db)
    raise StopIteration


def _refused_by_a_law(db: sqlite3.Connection) -> None:
    _boot(db)
    db.execute("INSERT INTO boots SELECT * FROM boots")


def _undone_by_sqlite(db: sqlite3.Connection) -> None:
    db.execute("ROLLBACK")  # what SQLite itself does when the disk fails
    raise sqlite3.OperationalError("disk I/O error")


def _undone_unseen(db: sqlite3.Connection) -> None:
    db.execute("ROLLBACK")


def _not_to_be_committed(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA defer_foreign_keys = ON")
    db.execute(
        "INSERT INTO episodes (fingerprint, alertname, labels, annotations, first_started_at,"
        " started_at, received_at, seen_at, incident) VALUES ('', '', '', '', '', '', '', '', 99)"
    )


async def _together(store: Store, *works: Work) -> list[object]:
    """Have *works* wait until they can only be one transaction; return how each ended."""
    begun, go = Event(), Event()

    def hold(_: sqlite3.Connection) -> None:
        begun.set()
        assert go.wait(10)

    first = asyncio.create_task(store(hold))
    assert await asyncio.to_thread(begun.wait, 10)
    rest = [asyncio.create_task(store(work)) for work in works]
    await asyncio.sleep(0)  # now each stands in the queue
    go.set()
    await first
    ends = await asyncio.gather(*rest, return_exceptions=True)
    return [type(end) if isinstance(end, BaseException) else end for end in ends]


@pytest.mark.parametrize(
    ("works", "ends", "stored"),
    [
        ([_boot], [1], 1),
        ([_half_done], [LookupError], 0),
        ([_boot, _boot, _look], [1, 2, 2], 2),
        ([_boot, _half_done, _boot], [1, LookupError, 2], 2),
        ([_boot, _refused_by_a_law, _boot], [1, sqlite3.IntegrityError, 2], 2),
        ([_boot, _end_of_iteration, _boot], [1, RuntimeError, 2], 2),
        ([_boot, _undone_by_sqlite, _boot], [NotCommitted] * 3, 0),
        ([_boot, _undone_unseen, _boot], [NotCommitted] * 3, 0),
        ([_boot, _half_done, _not_to_be_committed, _look], [NotCommitted] * 4, 0),
    ],
)
async def test_what_waits_is_stored_together_and_what_fails_is_undone_alone(
    store: Store, works: list[Work], ends: list[object], stored: int
) -> None:
    assert (await _together(store, *works), await store(_look)) == (ends, stored)


async def test_a_transaction_takes_a_bounded_number_and_the_next_goes_on(store: Store) -> None:
    said: list[str] = []
    store._connection.set_trace_callback(said.append)
    ends = await _together(store, *[_look] * (AT_ONCE + 1))
    assert (len(ends), said.count("COMMIT"), said.count("BEGIN IMMEDIATE")) == (AT_ONCE + 1, 3, 3)


async def test_what_fails_together_fails_with_an_error_of_its_own_that_says_why(
    store: Store,
) -> None:
    told = await asyncio.gather(
        *(store(each) for each in (_boot, _undone_by_sqlite)), return_exceptions=True
    )
    causes = {str(each): str(each.__cause__) for each in told if isinstance(each, NotCommitted)}
    assert causes == {"not stored: disk I/O error": "disk I/O error"}
    assert told[-1] is not told[0]


async def test_a_file_that_another_program_holds_for_a_moment_is_waited_for(
    store: Store, path: Path
) -> None:
    tried = Event()
    store._connection.set_trace_callback(lambda _: tried.set())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    asked = asyncio.create_task(store(_boot))
    assert await asyncio.to_thread(tried.wait, 10)
    await asyncio.sleep(LOCKED_FOR / 10)
    other.execute("ROLLBACK")
    other.close()
    assert await asked == 1


async def test_what_a_cancelled_caller_asked_for_is_done_nevertheless(store: Store) -> None:
    asked = asyncio.create_task(store(_boot))
    await asyncio.sleep(0)
    asked.cancel()
    assert (await store(_look), asked.cancelled() or asked.cancelling()) == (1, 1)


async def test_a_store_that_closes_ends_what_waits_and_takes_nothing_new(path: Path) -> None:
    closing = Store(path)
    asked = [asyncio.create_task(closing(_boot)) for _ in range(AT_ONCE + 1)]
    await asyncio.sleep(0)
    closing.close()
    with pytest.raises(RuntimeError, match="closed"):
        await closing(_boot)
    assert await asyncio.gather(*asked) == list(range(1, AT_ONCE + 2))


def test_a_program_that_closes_no_store_ends_all_the_same(path: Path) -> None:
    script = f"{HOLD}\nStore(Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, timeout=30)  # noqa: S603  a process of ours


async def test_what_was_answered_is_there_after_the_process_was_killed(path: Path) -> None:
    script = (
        "import asyncio, os, signal; from orchestrator import clock; from webhook.store import work"
        f"\n{HOLD}\nstore = Store(Path(sys.argv[1]))"
        "\nasync def main():\n    await store(work.boot, at=clock.now())"
        "\n    os.kill(os.getpid(), signal.SIGKILL)\nasyncio.run(main())"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)  # noqa: S603, ASYNC221  a process of ours
    reopened = Store(path)
    assert (done.returncode, await reopened(work.boot, at=NOW)) == (-9, 2)
    reopened.close()


def test_a_second_process_is_refused_while_the_first_lives(path: Path) -> None:
    script = f"{HOLD}\nStore(Path(sys.argv[1]))\nprint('held', flush=True)\nsys.stdin.read()"
    with subprocess.Popen(  # noqa: S603  a process of ours
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(InUse, match="in use by a webhook"):
            Store(path)
        first.kill()
    Store(path).close()


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("not a database, and longer than its header would be " * 100)
    before = path.read_bytes()
    with pytest.raises(CannotOpen, match="file is not a database"):
        Store(path)
    assert path.read_bytes() == before


def test_a_file_that_can_only_be_read_is_refused_at_once() -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\n"
        "from webhook.store.database import CannotOpen, Store, connect\n"
        "connect(':memory:').close()  # everything is imported while it can be read\n"
        "os.getuid() or os.setuid(65534)  # root may write everything\n"
        "try:\n    Store(Path(sys.argv[1]))\nexcept CannotOpen as error:\n    print(error)"
    )
    with tempfile.TemporaryDirectory() as folder:  # others cannot enter the folders of pytest
        path = Path(folder, "orchestrator.db")
        connect(path).close()
        path.chmod(0o444)
        path.parent.chmod(0o777)
        done = subprocess.run(  # noqa: S603  a process of ours
            [sys.executable, "-c", script, str(path)], check=True, capture_output=True, text=True
        )
    assert "attempt to write a readonly database" in done.stdout


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotOpen):
        Store(tmp_path / "file" / "orchestrator.db")


def test_a_database_of_a_newer_version_is_refused(path: Path) -> None:
    connection = connect(path)
    connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
        " VALUES ('webhook', 'from_the_future', '')"
    )
    connection.close()
    with pytest.raises(NewerSchema, match="from_the_future"):
        Store(path)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "DELETE FROM audit WHERE id = 1"],
)
def test_the_database_itself_refuses_to_change_the_audit(path: Path, statement: str) -> None:
    connection = connect(path)
    connection.execute("INSERT INTO audit VALUES (1, '', '', '', '', '', '')")
    with pytest.raises(sqlite3.IntegrityError, match="the audit only appends"):
        connection.execute(statement)
    connection.close()
