"""A backup is one instant of the database, and comes back as what it was."""

import gzip
import io
import json
import sqlite3
import stat
import tarfile
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from orchestrator import clock
from orchestrator.version import VERSION
from tests.webhook.forgery import DAMAGED, HOSTILE, SEEN, forged, written
from tests.webhook.keeping import ROWS, Place, begun, run
from tests.webhook.make import NOW
from webhook import audit, backup, restore
from webhook.archive import BadArchive
from webhook.restore import user
from webhook.store import reader, rows, trail
from webhook.store.database import Store, atomic, connect

CONFIG = """
projects:
  - {name: a, url: "http://127.0.0.1:1", control: {url: "http://127.0.0.1:1", token_file: a.token}}
  - {name: b, url: "http://127.0.0.1:2", auth: {bearer_env: B_TOKEN}}
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return begun(tmp_path)


def _dump(path: Path) -> list[str]:
    with closing(reader.connect(path)) as db:
        return list(db.iterdump())


def test_what_was_backed_up_comes_back_with_a_row_that_says_so(place: Place) -> None:
    before = _dump(place.db)
    head = place.made().audit.head
    place.restored()
    with closing(reader.connect(place.new)) as db:
        [*kept, last] = trail.stream(db)
        verdict = trail.verified(db)
    data = {"backup": clock.written(NOW), "head": head, "rows": ROWS}
    assert last.entry == audit.entry("database restored", data, at=NOW, actor=user())
    assert (verdict.broken, verdict.restored, len(kept)) == (None, (ROWS + 1,), ROWS)
    assert [line for line in before if line not in _dump(place.new)] == []


def test_a_backup_holds_the_database_the_configuration_and_no_secret(place: Place) -> None:
    config = place.folder / "orchestrator.yml"
    config.write_text(CONFIG)
    (place.folder / "a.token").write_text("sesame")
    ran = run("backup", place.out, "--db", place.db, "--config", config)
    with tarfile.open(place.out) as tar:
        names = tar.getnames()
        manifest = json.load(tar.extractfile("manifest.json") or io.BytesIO())
        taken = (tar.extractfile("orchestrator.yml") or io.BytesIO()).read().decode()
    secrets = ["projects[0].control.token_file: a.token", "projects[1].auth.bearer_env: B_TOKEN"]
    assert (ran.exit_code, names, taken, manifest["not_in_here"]) == (
        0,
        ["manifest.json", "orchestrator.yml", "orchestrator.db"],
        CONFIG,
        secrets,
    )
    assert (manifest["version"], manifest["audit"]["rows"]) == (VERSION, ROWS)
    assert stat.S_IMODE(place.out.stat().st_mode) == 0o600
    assert [line for line in ran.stdout.splitlines() if line.startswith("not in it")] == [
        f"not in it: {each}" for each in secrets
    ]
    assert b"sesame" not in gzip.decompress(place.out.read_bytes())
    assert sorted(path.name for path in place.folder.glob(".*")) == []


def test_a_backup_of_a_database_that_is_written_to_is_one_instant_of_it(place: Place) -> None:
    stop, wrote = Event(), Event()

    def write() -> None:
        with closing(connect(place.db)) as db:
            while not stop.is_set():
                with atomic(db):  # two tables, always together
                    rows.record(db, audit.entry("said", {"text": "x" * 2_000}, at=NOW))
                    db.execute("INSERT INTO boots (at) VALUES ('')")
                wrote.set()

    writer = Thread(target=write)
    writer.start()
    try:
        assert wrote.wait(10)
        manifest = place.made()
    finally:
        stop.set()
        writer.join()
    done = place.restored()
    with closing(reader.connect(place.new)) as db:
        [boots] = db.execute("SELECT count(*) FROM boots").fetchone()
        broken = trail.verified(db).broken
    assert (broken, manifest.audit.whole) == (None, True)
    assert boots == manifest.audit.rows - ROWS == done.head.rows - 1 - ROWS > 0


def test_what_is_written_while_it_is_copied_is_not_in_it_and_does_not_begin_it_anew(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "PAGES", 1)
    steps: list[int] = []

    def told(what: str, done: int, _size: int) -> None:
        if what.startswith("copying"):
            steps.append(done)
            with atomic(writer):
                rows.record(writer, audit.entry("said", {}, at=NOW))

    with closing(connect(place.db)) as writer:
        manifest = backup.make(place.db, place.out, config=None, at=NOW, told=told)
    assert (manifest.audit.rows, steps) == (ROWS, sorted(set(steps)))


def test_a_backup_is_never_written_over_and_half_of_one_never_left(place: Place) -> None:
    place.out.write_text("yesterday")
    ran = run("backup", place.out, "--db", place.db)
    assert (ran.exit_code, place.out.read_text()) == (1, "yesterday")
    assert "is there already; a backup is never written over" in ran.stderr
    ran = run("backup", place.folder / "x.tar.gz", "--db", place.folder / "nowhere.db")
    assert (ran.exit_code, "unable to open database file" in ran.stderr) == (1, True)
    assert sorted(path.name for path in place.folder.iterdir() if path.name[0] in ".x") == []


def test_a_backup_that_another_one_has_made_meanwhile_is_not_written_over(place: Place) -> None:
    def other(what: str, _done: int, _size: int) -> None:
        if what.startswith("packing"):
            place.out.write_text("the other one")

    with pytest.raises(backup.IsThere):
        backup.make(place.db, place.out, config=None, at=NOW, told=other)
    assert place.out.read_text() == "the other one"
    assert [each.name for each in place.folder.iterdir() if each.name.startswith(".")] == []


@pytest.mark.parametrize("name", ["changed", *DAMAGED])
def test_a_broken_audit_is_backed_up_and_said_to_be_broken(place: Place, name: str) -> None:
    """It is evidence, whatever somebody has put into it."""
    forged(place.db, {**SEEN, **DAMAGED}[name], ROWS)
    ran = run("backup", place.out, "--db", place.db)
    assert (ran.exit_code, "Warning: the audit is broken" in ran.stderr) == (0, True)
    assert ran.output.replace("\n", "").isprintable()
    with pytest.raises(BadArchive, match=r"the audit is broken at row|the database is damaged"):
        place.restored()
    assert not place.new.exists()


def test_what_cannot_be_written_is_found_before_anything_is_touched(place: Place) -> None:
    config = place.folder / "orchestrator.yml"
    config.write_text("projects: []\n")
    place.made(config=config)
    written(place.new, 3)
    before = {path.name for path in place.folder.iterdir()} | {"new.db.lock"}
    elsewhere = place.folder / "nowhere" / "orchestrator.yml"
    ran = run("restore", place.out, "--db", place.new, "--force", "--config", elsewhere)
    with closing(reader.connect(place.new)) as db:
        left = trail.head(db).rows
    assert (ran.exit_code, left) == (1, 3)
    assert {path.name for path in place.folder.iterdir()} - before <= {"new.db-shm", "new.db-wal"}


def test_nothing_is_restored_while_a_webhook_works_on_it(place: Place) -> None:
    place.made()
    store = Store(place.new)
    ran = run("restore", place.out, "--db", place.new, "--force")
    store.close()
    assert (ran.exit_code, "is in use by a webhook" in ran.stderr) == (1, True)


def test_what_stands_there_is_refused_and_with_force_moved_aside(place: Place) -> None:
    config = place.folder / "orchestrator.yml"
    config.write_text("projects: []\n")
    place.made(config=config)
    config.write_text("projects: [] # newer\n")
    written(place.new, 3)
    given = ("restore", place.out, "--db", place.new, "--config", config)
    refused = run(*given)
    assert (refused.exit_code, "with --force it is moved aside" in refused.stderr) == (1, True)
    done = json.loads(run(*given, "--force", "--json").stdout)
    moved = [Path(each) for each in done["moved"]]
    with closing(reader.connect(moved[0])) as old:
        assert trail.head(old).rows == 3
    assert [each.name.partition(".before-")[0] for each in moved] == ["new.db", "orchestrator.yml"]
    assert moved[1].read_text() == "projects: [] # newer\n"
    assert config.read_text() == "projects: []\n"
    with closing(reader.connect(place.new)) as new:
        assert str(trail.head(new)) == done["head"]


def test_a_database_is_moved_aside_with_what_was_not_yet_in_its_file(place: Place) -> None:
    place.made()
    with closing(connect(place.new)) as db:
        with atomic(db):
            rows.record(db, audit.entry("said", {}, at=NOW))
        kept = [place.new.with_name(f"new.db{end}").read_bytes() for end in ("", "-wal")]
    for end, content in zip(("", "-wal"), kept, strict=True):  # as after a crash
        place.new.with_name(f"new.db{end}").write_bytes(content)
    moved = place.restored(force=True).moved
    with closing(reader.connect(moved[0])) as old:
        assert (len(moved), trail.head(old).rows) == (2, 1)


def test_without_a_place_for_it_the_configuration_stays_in_the_backup(place: Place) -> None:
    config = place.folder / "orchestrator.yml"
    config.write_text("projects: []\n")
    place.made(config=config)
    assert place.restored().config is None


def test_a_database_that_is_damaged_beside_its_audit_is_refused(place: Place) -> None:
    with closing(sqlite3.connect(place.db)) as db, db:
        db.execute("PRAGMA writable_schema=ON")
        db.execute(
            "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master"
            " WHERE name = 'pages_due') WHERE name = 'incidents_due'"
        )
    place.made()
    with pytest.raises(BadArchive, match="the database is damaged: "):
        place.restored()


def test_a_database_of_a_newer_version_is_refused(place: Place) -> None:
    with closing(sqlite3.connect(place.db)) as db, db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " SELECT migration_set, 'tomorrow' || ?, applied_at FROM _sqlite_migrations LIMIT 1",
            (HOSTILE,),
        )
    place.made()
    ran = run("restore", place.out, "--db", place.new)
    assert (ran.exit_code, "changes of a newer version: tomorrow" in ran.stderr) == (1, True)
    assert (place.new.exists(), ran.stderr.strip().isprintable()) == (False, True)


@pytest.mark.parametrize(
    "arguments", [["backup"], ["restore"], ["restore", "nowhere.tar.gz"], ["backup", "x", "--no"]]
)
def test_a_wrong_option_is_status_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_how_far_it_is_is_told_of_each_part(place: Place) -> None:
    seen: list[str] = []

    def told(what: str, done: int, size: int) -> None:
        assert 0 <= done <= size
        seen.append(what)

    backup.make(place.db, place.out, config=None, at=NOW, told=told)
    restore.restore(place.out, place.new, config=None, force=False, at=NOW, told=told)
    assert [*dict.fromkeys(seen)] == [
        "copying orchestrator.db",
        "reading orchestrator.db",
        "packing orchestrator.db",
        "unpacking orchestrator.db",
    ]
