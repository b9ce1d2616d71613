"""Reading beside the writer: it waits for nobody, nobody waits for it, and it cannot write."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from webhook.store import reader
from webhook.store.database import Closed, Store
from webhook.store.reader import Reader


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Open a database with one row to be read."""
    opened = Store(tmp_path / "x y?.db")  # a name that has to be quoted
    await opened(_boot)
    yield opened
    opened.close()


@pytest.fixture
def read(store: Store) -> Iterator[Reader]:
    """Read it."""
    made = Reader(store.path)
    yield made
    made.close()


def _boot(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO boots (at) VALUES ('now')")


def _boots(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM boots").fetchone()[0])


async def test_what_was_committed_is_seen_at_once(store: Store, read: Reader) -> None:
    seen = []
    for _ in range(20):
        await store(_boot)
        seen.append(await read(_boots))
    assert seen == list(range(2, 22))


async def test_a_look_does_not_wait_for_the_writer(store: Store, read: Reader) -> None:
    go_on = threading.Event()
    writing = asyncio.create_task(store(lambda _: go_on.wait(20)))
    assert await asyncio.wait_for(read(_boots), 5) == 1
    go_on.set()
    await writing


async def test_the_writer_does_not_wait_for_a_look(store: Store, read: Reader) -> None:
    go_on = threading.Event()

    def look(db: sqlite3.Connection) -> tuple[int, int]:
        before = _boots(db)
        go_on.wait(20)
        return before, _boots(db)

    looking = asyncio.create_task(read(look))
    await asyncio.wait_for(store(_boot), 5)
    go_on.set()
    before, after = await looking
    assert before == after  # all of a look is of one instant


async def test_it_cannot_write(read: Reader) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await read(_boot)


async def test_a_look_without_end_is_ended(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "NO_LONGER", 0.05)

    def count_for_ever(db: sqlite3.Connection) -> None:
        endless = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n)"
        db.execute(f"{endless} SELECT max(i) FROM n").fetchone()  # noqa: S608  a constant

    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        await read(count_for_ever)
    monkeypatch.undo()
    assert await read(_boots) == 1


async def test_a_look_that_failed_leaves_the_next_one_alone(read: Reader) -> None:
    def fail(_: sqlite3.Connection) -> None:
        raise LookupError

    for _ in range(4):  # on each of the threads
        with pytest.raises(LookupError):
            await read(fail)
    assert await read(_boots) == 1


async def test_once_closed_it_says_so(store: Store) -> None:
    closed = Reader(store.path)
    closed.close()
    with pytest.raises(Closed):
        await closed(_boots)
