"""A backup that is not what was packed is refused, whatever is in it."""

import hashlib
import io
import json
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.webhook.forgery import MADE_ANEW, forged
from tests.webhook.keeping import ROWS, Place, begun, run
from webhook.archive import BadArchive


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return begun(tmp_path)


Members = list[tuple[tarfile.TarInfo, bytes]]


def _packed(path: Path) -> Members:
    with tarfile.open(path) as tar:
        return [(each, (tar.extractfile(each) or io.BytesIO()).read()) for each in tar]


def _repacked(path: Path, members: Members) -> None:
    with tarfile.open(path, "w:gz", format=tarfile.GNU_FORMAT) as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))


def _named(name: str, content: bytes = b"", *, kind: bytes = tarfile.REGTYPE) -> Members:
    member = tarfile.TarInfo(name)
    member.size, member.type, member.linkname = len(content), kind, "/etc/passwd"
    return [(member, content)]


def _manifest(members: Members, **changes: object) -> Members:
    [(member, text), *others] = members
    content = json.dumps({**json.loads(text), **changes}).encode()
    member.size = len(content)
    return [(member, content), *others]


def _database(members: Members, content: bytes) -> Members:
    """Put another database in, with a manifest that says that it is the right one."""
    described = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    members = _manifest(members, files={"orchestrator.db": described})
    members[1][0].size = len(content)
    return [members[0], (members[1][0], content)]


HOSTILE: dict[str, tuple[Callable[[Members], Members], str]] = {
    "a path that leads out": (
        lambda members: [*members, *_named("../../out", b"x")],
        "it holds '../../out', which is not in its manifest",
    ),
    "a link": (
        lambda members: [members[0], *_named("orchestrator.db", kind=tarfile.SYMTYPE)],
        "it holds something else than files",
    ),
    "a device": (
        lambda members: [members[0], *_named("orchestrator.db", kind=tarfile.CHRTYPE)],
        "it holds something else than files",
    ),
    "an endless name": (
        lambda members: [*members, *_named("x" * 5_000)],
        "it holds something else than files",
    ),
    "one file twice": (
        lambda members: [*members, members[1]],
        "it holds 'orchestrator.db', which is not in its manifest",
    ),
    "no database": (lambda members: members[:1], "orchestrator.db is missing"),
    "no manifest": (lambda members: members[1:], "it does not begin with manifest.json"),
    "nothing": (lambda _: [], "it does not begin with manifest.json"),
    "a manifest of something else": (
        lambda members: [*_named("manifest.json", b"{}"), *members[1:]],
        "its manifest is none",
    ),
    "an endless manifest": (
        lambda members: [*_named("manifest.json", b" " * (1 << 21)), *members[1:]],
        "it does not begin with manifest.json",
    ),
    "a later format": (lambda members: _manifest(members, format=2), "its manifest is none"),
    "more than was packed": (
        lambda members: [members[0], *_named("orchestrator.db", members[1][1] + b"\0" * 4096)],
        "not what it should",
    ),
    "something else than was packed": (
        lambda members: [members[0], (members[1][0], members[1][1][:-1] + b"\1")],
        "its SHA-256 is another",
    ),
    "no SQLite": (
        lambda members: _database(members, b"no database" * 400),
        "the database is damaged",
    ),
    "a damaged database": (
        lambda members: _database(members, members[1][1][:8192] + b"\xff" * 4096 * 3),
        "the database is damaged",
    ),
    "another head": (
        lambda members: _manifest(members, audit={"rows": ROWS, "head": "f" * 64, "whole": True}),
        "the audit ends elsewhere than the manifest says",
    ),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_backup_that_is_not_what_was_packed_is_refused_and_touches_nothing(
    place: Place, name: str
) -> None:
    forge, said = HOSTILE[name]
    place.made()
    _repacked(place.out, forge(_packed(place.out)))
    before = {*place.folder.rglob("*"), place.folder / "new.db.lock"}
    ran = run("restore", place.out, "--db", place.new)
    assert (ran.exit_code, said in ran.stderr) == (1, True), ran.stderr
    assert {*place.folder.rglob("*")} == before


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER audit_keeps_text",
        (
            "CREATE TRIGGER allowing AFTER INSERT ON approvals"
            " BEGIN UPDATE approvals SET decision = 'approved'; END"
        ),
    ],
)
def test_a_database_that_would_do_something_by_itself_is_refused(
    place: Place, statement: str
) -> None:
    place.made()
    with closing(sqlite3.connect(place.db)) as db:
        db.execute("PRAGMA journal_mode=DELETE").fetchone()
        db.execute(statement)
    _repacked(place.out, _database(_packed(place.out), place.db.read_bytes()))
    ran = run("restore", place.out, "--db", place.new)
    name = statement.split()[2]
    said = f"cannot be restored: its triggers and views are not the webhook's: {name}\n"
    assert (ran.exit_code, ran.stderr.endswith(said)) == (1, True), ran.stderr
    assert not place.new.exists()


@pytest.mark.parametrize("name", list(MADE_ANEW))
def test_a_database_whose_audit_was_made_anew_is_refused(place: Place, name: str) -> None:
    place.made()
    forged(place.db, MADE_ANEW[name], 7)
    with closing(sqlite3.connect(place.db)) as db:
        db.execute("PRAGMA journal_mode=DELETE").fetchone()
    _repacked(place.out, _database(_packed(place.out), place.db.read_bytes()))
    ran = run("restore", place.out, "--db", place.new)
    assert (ran.exit_code, "cannot be restored" in ran.stderr) == (1, True), ran.exception
    assert not place.new.exists()


@pytest.mark.parametrize("length", [0, 10, 2_000, -500])
def test_half_a_backup_is_refused(place: Place, length: int) -> None:
    place.made()
    place.out.write_bytes(place.out.read_bytes()[:length])
    with pytest.raises(BadArchive):
        place.restored()
