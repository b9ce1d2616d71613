"""What a notification is answered while the disk fails, takes its time, or gets very much."""

import asyncio
import io
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import FreePort, Serve
from tests.waiting import until
from tests.webhook import make
from webhook import app
from webhook.store.database import Store

Trouble = Callable[[Store, Path], AbstractAsyncContextManager[None]]
ROOMY = 1024**3  # pages; far more than a test writes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orchestrator.db"


@pytest.fixture
def store(path: Path) -> Store:
    return Store(path)


@pytest.fixture
async def url(store: Store, serve: Serve) -> str:
    """Serve a webhook that has no project to touch."""
    return await serve(app.make(make.config(projects={}), store, version="1"))


def _outage(name: str, *, alerts: int = 1, remediate: str = "true") -> bytes:
    """Make a notification of the size that Alertmanager's have."""
    told = {"annotations": {"description": "x" * 800}}
    names = [f"{name}-{number}" for number in range(alerts)]
    return make.body(
        *(make.alert(fingerprint=each, project=each, remediate=remediate) | told for each in names)
    )


async def _post(http: aiohttp.ClientSession, url: str, body: bytes) -> int:
    async with http.post(f"{url}/alerts", data=io.BytesIO(body)) as response:
        return response.status


def _stored(path: Path, what: str) -> list[object]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as reader:
        found = [row[0] for row in reader.execute(what)]
    reader.close()
    return found


def _set(store: Store, pragma: str) -> None:
    store._connection.execute(f"PRAGMA {pragma}").fetchall()


@asynccontextmanager
async def _full(store: Store, _: Path) -> AsyncIterator[None]:
    _set(store, "max_page_count = 1")  # no page more than it has
    yield
    _set(store, f"max_page_count = {ROOMY}")


@asynccontextmanager
async def _read_only(store: Store, _: Path) -> AsyncIterator[None]:
    _set(store, "query_only = ON")  # the same error as that of a file system gone read-only
    yield
    _set(store, "query_only = OFF")


@asynccontextmanager
async def _locked(_: Store, path: Path) -> AsyncIterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


async def _refused_then_taken(
    http: aiohttp.ClientSession, url: str, trouble: AbstractAsyncContextManager[None]
) -> list[int]:
    """Send as Alertmanager does: again until it is told that it is stored.

    What is sent does not fit into the pages that the file has.
    """
    answers = [await _post(http, url, _outage("before"))]
    async with trouble:
        answers += await asyncio.gather(
            *(_post(http, url, _outage("storm", alerts=50)) for _ in range(20))
        )
        answers.append(await _post(http, url, _outage("big", alerts=200)))
    return [
        *answers,
        await _post(http, url, _outage("storm", alerts=50)),
        await _post(http, url, _outage("big", alerts=200)),
    ]


async def _until_repairs_go_on(http: aiohttp.ClientSession, url: str) -> None:
    """Wait until a stage has done its work on what came after the trouble."""

    async def told() -> bool:
        async with http.get(f"{url}/api/v1/incidents") as response:
            shown = (await response.json())["incidents"]
        return any(each["project"] == "big-199" and each["state"] != "open" for each in shown)

    await until(told, within=60, what="a repair after the trouble")


ANSWERS = [200, *[503] * 21, 200, 200]


@pytest.mark.parametrize("trouble", [_full, _read_only, _locked])
async def test_e27_what_cannot_be_stored_is_refused_and_nothing_is_lost_once_it_is_mended(
    http: aiohttp.ClientSession, url: str, store: Store, path: Path, trouble: Trouble
) -> None:
    answers = await _refused_then_taken(http, url, trouble(store, path))
    bodies = _stored(path, "SELECT alerts FROM notifications ORDER BY id")
    episodes = _stored(path, "SELECT count(*) FROM episodes")
    assert (answers, bodies, episodes) == (ANSWERS, [1, 50, 200], [251])
    await _until_repairs_go_on(http, url)


@asynccontextmanager
async def _no_writing(process: subprocess.Popen[bytes]) -> AsyncIterator[None]:
    """Have every write of *process* to a file fail."""
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, hard))
    yield
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))


@asynccontextmanager
async def _started(path: Path, port: int) -> AsyncIterator[subprocess.Popen[bytes]]:
    config = path.with_name("orchestrator.yml")
    config.write_text("projects: []\n")
    options = ["--config", config, "--db", path, "--listen", f"127.0.0.1:{port}"]
    with subprocess.Popen(  # noqa: S603, ASYNC220  a process of ours
        [sys.executable, "-m", "webhook", *map(str, options)], stderr=subprocess.DEVNULL
    ) as process:
        yield process
        process.terminate()


async def test_e27_an_error_of_the_disk_is_survived_by_the_program_as_it_is_started(
    http: aiohttp.ClientSession, path: Path, free_port: FreePort
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    async def up() -> bool:
        try:
            return (await http.get(f"{url}/-/ready")).ok
        except aiohttp.ClientError:
            return False

    async with _started(path, port) as process:
        await until(up, within=60, what="the webhook")
        answers = await _refused_then_taken(http, url, _no_writing(process))
        await _until_repairs_go_on(http, url)
    episodes = _stored(path, "SELECT count(*) FROM episodes")
    assert (answers, episodes, process.returncode) == (ANSWERS, [251], 0)


async def test_e20_a_body_of_three_thousand_alerts_is_taken_whole(
    http: aiohttp.ClientSession, url: str, path: Path
) -> None:
    body = _outage("storm", alerts=3_000, remediate="")
    answers = [await _post(http, url, body) for _ in range(2)]
    assert (len(body) > 2_300_000, answers) == (True, [200, 200])
    assert _stored(path, "SELECT count(*) FROM episodes WHERE ended_at IS NULL") == [3_000]


async def _gives_up(http: aiohttp.ClientSession, url: str, body: bytes) -> None:
    with pytest.raises(TimeoutError):
        await http.post(
            f"{url}/alerts", data=io.BytesIO(body), timeout=aiohttp.ClientTimeout(total=0.3)
        )


async def test_e30_copies_sent_while_the_first_is_being_stored_are_all_duplicates(
    http: aiohttp.ClientSession, url: str, store: Store, path: Path
) -> None:
    go_on = threading.Event()
    slow = asyncio.create_task(store(lambda _: go_on.wait(60)))
    body = _outage("storm", alerts=50)
    for _ in range(3):  # Alertmanager with a `timeout`: a new copy each time it is over
        await _gives_up(http, url, body)
    last = asyncio.create_task(_post(http, url, body))
    go_on.set()
    assert (await slow, await last) == (True, 200)
    opened = "SELECT count(*) FROM audit WHERE what = 'episode opened'"
    kept = [_stored(path, what)[0] for what in ("SELECT count(*) FROM notifications", opened)]
    assert kept == [4, 50]
