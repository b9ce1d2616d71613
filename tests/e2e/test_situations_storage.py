"""The webhook's own database fails: nothing is done that is not written down, and nothing lost."""

import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

import pytest

from orchestrator.health import State
from tests.cases import mesh
from tests.cases.conftest import Begin, StartPeer, begin, door, start_peer, tools
from tests.cases.rig import Case, down
from tests.e2e.situation import command, first_broken, read_only, small_disk, start_again

__all__ = ["begin", "door", "start_peer", "tools"]  # fixtures

pytestmark = pytest.mark.e2e

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a disk takes root")


@contextmanager
def _no_room(disk: Path) -> Iterator[None]:
    """Use up the disk, as a log that grows would."""
    other = disk / "other"
    with other.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    assert shutil.disk_usage(disk).free == 0
    yield
    other.unlink()


@contextmanager
def _no_writing(case: Case) -> Iterator[None]:
    """Have every write of the webhook to a file fail."""
    assert case.webhook._process
    pid = case.webhook._process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the database, as somebody who looks into it by hand may."""
    with closing(sqlite3.connect(folder / "orchestrator.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def _refused_and_repaired_once_it_is_over(
    case: Case, folder: Path, trouble: AbstractContextManager[None]
) -> None:
    """Let a project go down in the middle of the trouble."""
    project = case.first
    alert = down(project.name)
    with trouble:
        project.state = State.DOWN
        await case.fire(alert)
        await case.until_arrived(3)  # 503, so Alertmanager sends it again and again
        assert (case.doorway.stored, project.actions) == ([], [])
        assert case.webhook.incidents(project.name) == []
    await case.heal(project, alert)
    assert project.actions == ["restart_service"]
    assert first_broken(folder) is None


async def test_a_full_disk_keeps_alerts_at_alertmanager_and_commands_from_going_out(
    begin: Begin, start_peer: StartPeer, tmp_path: Path
) -> None:
    """Every write fails, as on a disk without room or with a quota."""
    case = await begin([start_peer()])
    await _refused_and_repaired_once_it_is_over(case, tmp_path, _no_writing(case))


@pytest.mark.long
@ROOT_ONLY
async def test_a_disk_that_another_program_has_filled_is_the_same(
    begin: Begin, start_peer: StartPeer, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "small") as disk:
        (tmp_path / "orchestrator.db").symlink_to(disk / "orchestrator.db")
        case = await begin([start_peer()])
        await _refused_and_repaired_once_it_is_over(case, tmp_path, _no_room(disk))
        await case.webhook.kill()


@pytest.mark.long
async def test_a_locked_database_keeps_alerts_at_alertmanager_and_commands_from_going_out(
    begin: Begin, start_peer: StartPeer, tmp_path: Path
) -> None:
    case = await begin([start_peer()])
    await _refused_and_repaired_once_it_is_over(case, tmp_path, _locked(tmp_path))


@pytest.mark.long
@ROOT_ONLY
async def test_a_read_only_file_keeps_the_webhook_from_starting_and_nothing_is_lost_meanwhile(
    begin: Begin, start_peer: StartPeer, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "small") as disk:
        (tmp_path / "orchestrator.db").symlink_to(disk / "orchestrator.db")
        case = await begin([start_peer()])
        await case.webhook.kill()
        project, alert = case.first, down(case.first.name)
        project.state = State.DOWN
        await case.fire(alert)
        with read_only(disk):
            starts = [_started_in_vain(case, tmp_path) for _ in range(2)]
        cannot = f"Error: {tmp_path / 'orchestrator.db'}: cannot be used as database: "
        assert {(status, said.startswith(cannot)) for status, said in starts} == {(1, True)}, starts
        await start_again(case, tmp_path)
        await case.heal(project, alert)
        assert project.actions == ["restart_service"]
        assert first_broken(tmp_path) is None
        await case.webhook.kill()


def _started_in_vain(case: Case, folder: Path) -> tuple[int, str]:
    done = subprocess.run(  # noqa: S603  our own argument list
        command(case, folder), cwd=mesh.ROOT, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr
