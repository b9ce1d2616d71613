"""The database: whole transactions, one process, no schema from the future."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webhook.make import NOW
from webhook.store import work
from webhook.store.database import CannotOpen, InUse, Store, connect
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


def _half_done(db: sqlite3.Connection) -> None:
    work.boot(db, at=NOW)
    raise LookupError


async def test_what_fails_half_way_leaves_nothing(store: Store) -> None:
    with pytest.raises(LookupError):
        await store(_half_done)
    assert await store(work.boot, at=NOW) == 1


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
        with pytest.raises(InUse, match="in use by another webhook"):
            Store(path)
        first.kill()
    Store(path).close()


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("not a database, and longer than its header would be " * 100)
    before = path.read_bytes()
    with pytest.raises(CannotOpen, match="file is not a database"):
        Store(path)
    assert path.read_bytes() == before


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
