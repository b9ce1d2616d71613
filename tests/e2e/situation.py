"""What befalls the webhook of a case: another start, another clock, a disk that has no room."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from orchestrator.supervisor.leash import leashed
from tests.cases.mesh import ROOT
from tests.cases.rig import Case
from tests.waiting import until
from webhook import chain
from webhook.store import trail

ROOM = "8m"  # of the small disk; more than a case ever stores
CLOCKWORK = "tests.e2e.clockwork"


def command(case: Case, folder: Path, *program: str) -> list[str]:
    """Return how the webhook of *case* is started again on what it kept in *folder*."""
    return [
        *(sys.executable, "-m", *(program or ("webhook",))),
        f"--config={folder / 'orchestrator.yml'}",
        f"--db={folder / 'orchestrator.db'}",
        f"--listen={case.webhook.url.removeprefix('http://')}",
    ]


async def start_again(case: Case, folder: Path, *program: str) -> None:
    """Start the webhook, which has ended, on what it kept; as *program*, if that is not itself."""
    with (folder / "webhook.log").open("ab") as log:
        case.webhook._process = await asyncio.create_subprocess_exec(
            *leashed(command(case, folder, *program), os.getpid()),
            cwd=ROOT,
            stdout=DEVNULL,
            stderr=log,
        )
    await until(case.webhook._serves, within=20, what="the webhook again")


class Clock:
    """The clock of the webhook of a case, to be set wrong."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._file = folder, folder / "clock"
        self.set(0)

    def set(self, seconds: float) -> None:
        """Let it be wrong by so much from now on."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(seconds), encoding="utf-8")
        fresh.replace(self._file)

    async def given_to(self, case: Case) -> None:
        """Start the webhook of *case* anew, with this clock."""
        await case.webhook.kill()
        await start_again(case, self._folder, CLOCKWORK, str(self._file))


@contextmanager
def small_disk(at: Path) -> Iterator[Path]:
    """Mount a disk with little room; this takes root."""
    at.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(at))
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)  # noqa: S603, S607  as PATH has it


@contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """Let nothing on a mounted *disk* be written, not even by root."""
    _mount("-o", "remount,ro", str(disk))
    yield
    _mount("-o", "remount,rw", str(disk))


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)  # noqa: S603, S607  as PATH has it


def first_broken(folder: Path) -> int | None:
    """Return the first row of the audit that does not continue its chain; None: it is whole."""
    uri = f"file:{folder / 'orchestrator.db'}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=5)) as db:
        db.row_factory = sqlite3.Row
        return chain.first_broken(trail.stream(db))
