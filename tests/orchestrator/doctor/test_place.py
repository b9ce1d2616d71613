"""What the doctor finds of the disk, the database and the tokens."""

import os
import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database

from orchestrator.doctor import place
from webhook import token
from webhook.store import schema
from webhook.store.database import Store
from webhook.token import BadTokens, Caller, Role

MOUNTS = """\
24 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
31 24 0:40 / /srv rw - nfs4 server:/srv rw
32 31 0:41 / /srv/local\\040disk rw - xfs /dev/sdb rw
33 24 0:42 / /srv rw - cifs //server/srv rw
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    """Write what a system with a local disk says."""
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTS)
    return path


def _looked(path: Path, mounts: Path) -> list[tuple[str, str]]:
    return [(each.mark.value, each.said) for each in place.database(path, mounts=mounts)]


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/srvx", "ext4"),
        ("/srv/data", "cifs"),
        ("/srv/local disk/data", "xfs"),
    ],
)
def test_the_innermost_and_newest_mount_is_where_a_folder_is(folder: str, kind: str) -> None:
    assert place.file_system(Path(folder), MOUNTS) == kind


def test_where_nobody_says_what_is_mounted_nothing_is_known() -> None:
    assert place.file_system(Path("/srv"), "") == ""


def test_a_network_file_system_fails(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("24 1 8:1 / / rw - nfs4 server:/ rw\n")
    assert ("FAIL", f"{tmp_path} is a network file system (nfs4)") in _looked(
        tmp_path / "x.db", mounts
    )


@pytest.mark.parametrize(
    ("free", "mark"),
    [(place.TIGHT, "ok"), (place.TIGHT - 1, "warn"), (place.FULL, "warn"), (0, "FAIL")],
)
def test_a_disk_that_fills_is_told_in_time(free: int, mark: str) -> None:
    assert place.disk(Path("/srv"), free).mark == mark


def test_a_database_that_a_webhook_works_on_is_told_with_its_process(
    tmp_path: Path, mounts: Path
) -> None:
    path = tmp_path / "x.db"
    store = Store(path)
    found = _looked(path, mounts)[-2:]
    store.close()
    left = _looked(path, mounts)[-1]
    assert found == [
        ("ok", f"{path} can be read, and is of this version"),
        ("ok", f"process {os.getpid()} works on {path}, and no other can"),
    ]
    assert left == ("warn", f"no webhook on this machine works on {path}")


def test_looking_leaves_nothing_beside_the_database(tmp_path: Path, mounts: Path) -> None:
    path = tmp_path / "x.db"
    Store(path).close()
    before = {each.name for each in tmp_path.iterdir()}
    assert _looked(path, mounts)[-2] == ("ok", f"{path} can be read, and is of this version")
    assert {each.name for each in tmp_path.iterdir()} == before


def test_one_that_is_not_there_is_warned_of_and_not_made(tmp_path: Path, mounts: Path) -> None:
    path = tmp_path / "x.db"
    assert _looked(path, mounts)[-1] == ("warn", f"{path} is not there yet")
    assert not path.exists()


def test_a_folder_that_is_not_there_fails(tmp_path: Path, mounts: Path) -> None:
    assert _looked(tmp_path / "none" / "x.db", mounts) == [
        ("FAIL", f"{tmp_path / 'none'}: no such folder")
    ]


def test_what_is_no_database_fails(tmp_path: Path, mounts: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("not a database at all, and long enough to be looked at as one\n" * 20)
    assert (f"{path} cannot be read: file is not a database") in [
        said for mark, said in _looked(path, mounts) if mark == "FAIL"
    ]


def test_the_migrations_that_are_known_here_are_those_of_the_webhook() -> None:
    known = [each.name for each in schema.migrations.pending(Database(memory=True))]
    assert [*place.SCHEMA] == known


def test_a_database_of_another_version_is_told(tmp_path: Path, mounts: Path) -> None:
    path = tmp_path / "x.db"
    Store(path).close()
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'operating'")
    older = _looked(path, mounts)[-2]
    with sqlite3.connect(path) as db:
        db.execute("UPDATE _sqlite_migrations SET name = 'console' WHERE name = 'repairs'")
    newer = _looked(path, mounts)[-2]
    db.close()
    assert [older, newer] == [
        ("warn", f"{path} is of an older version"),
        ("FAIL", f"{path} was written by a newer version (console)"),
    ]


GOOD = token.line(Caller(name="ann", role=Role.OPERATOR), "secret")


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"# people\n\n{GOOD} # since May\n",
        "",
        "ann operator",
        f"ann boss {'a' * 64}",
        f"ann operator {'g' * 64}",
        "ann operator abc",
        f"{GOOD}\nbob",
    ],
)
def test_lines_of_tokens_are_judged_as_the_webhook_does(text: str) -> None:
    try:
        token.parse(text)
        refused = 0
    except BadTokens as error:
        refused = len(error.mistakes)
    assert len([*place.mistaken(text)]) == refused


def test_roles_are_those_of_the_webhook() -> None:
    assert list(place.ROLES) == list(Role)


def _tokens(path: Path) -> list[tuple[str, str]]:
    return [(each.mark.value, each.said) for each in place.tokens(path)]


def test_a_file_of_tokens_that_can_be_used_is_told(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(GOOD)
    path.chmod(0o644)
    assert _tokens(path) == [("ok", f"{path} can be used")]


def test_a_file_of_tokens_that_others_can_write_fails(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(GOOD)
    path.chmod(0o620)
    said = f"others on this machine can write {path}, and so let themselves in"
    assert _tokens(path) == [("FAIL", said)]


def test_a_wrong_line_is_named_and_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"{GOOD}\nann hunter2\n")
    path.chmod(0o600)
    said = f"{path}: line 2: has 2 words; write: name role sha256-of-token"
    assert _tokens(path) == [("FAIL", said)]


def test_a_file_of_tokens_that_is_not_there_fails(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    assert _tokens(path) == [("FAIL", f"{path}: No such file or directory")]


def test_one_that_may_not_be_looked_at_is_no_traceback(tmp_path: Path) -> None:
    """A name that is too long stands for a folder that is closed: root may look into any."""
    path = tmp_path / ("x" * 300)
    assert _looked(path, tmp_path / "none")[1:] == [("FAIL", f"{path}: File name too long")]
