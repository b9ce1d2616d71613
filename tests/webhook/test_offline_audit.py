"""`python -m webhook audit`: what it finds, what it writes, and the status that it ends with."""

import csv
import json
import sqlite3
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.conftest import FreePort
from tests.webhook import forgery
from tests.webhook.forgery import (
    DAMAGED,
    MADE_ANEW,
    SEEN,
    SHOWN_BY_A_HEAD,
    forged,
    written,
)
from webhook.__main__ import main
from webhook.audit import Head
from webhook.store.database import Store

ROWS = 60


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "orchestrator.db"


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["audit", *map(str, arguments)])


def _found(db: Path, *more: object) -> tuple[int, int | None]:
    """Return the status, and the row that is named."""
    ran = _run("verify", "--json", "--db", db, *more)
    broken = json.loads(ran.stdout)["broken"]
    return ran.exit_code, broken and broken["row"]


FOUND_AT = {"swapped": 0, "inserted": 1, "deleted": 1, "anchor moved": 0}  # rows further on
MANY = [ROWS, pytest.param(100_000, marks=pytest.mark.long)]


@pytest.mark.parametrize("length", MANY)
@pytest.mark.parametrize("name", list(SEEN))
def test_what_a_forger_did_is_found_at_its_row(db: Path, name: str, length: int) -> None:
    written(db, length)
    at = length - 10
    forged(db, SEEN[name], at)
    assert _found(db) == (1, at + FOUND_AT.get(name, 0))


@pytest.mark.parametrize("length", MANY)
@pytest.mark.parametrize("name", list(SHOWN_BY_A_HEAD))
def test_what_is_whole_by_itself_is_shown_by_a_head(db: Path, name: str, length: int) -> None:
    noted = written(db, length)
    at = length - 10
    forged(db, SHOWN_BY_A_HEAD[name], at)
    row = {"cut": at, "hashed anew": length}[name]
    assert (_found(db), _found(db, "--head", noted)) == ((0, None), (1, row))


def test_a_whole_audit_is_whole_while_a_webhook_has_it(db: Path) -> None:
    head = written(db, ROWS)
    store = Store(db)
    ran = _run("verify", "--db", db)
    store.close()
    assert (ran.exit_code, ran.output) == (0, f"{ROWS} rows, whole, head {head}\n")


def test_a_break_is_told_in_words(db: Path) -> None:
    written(db, ROWS)
    forged(db, forgery.delete, 7)
    ran = _run("verify", "--db", db)
    first, second = ran.output.splitlines()
    assert (ran.exit_code, first) == (1, "BROKEN at row 8: row 7 is missing before it")
    assert second.startswith("whole up to row 6, head 6:")


@pytest.mark.parametrize("name", list(DAMAGED))
def test_what_a_stranger_put_into_a_row_is_a_break_and_does_nothing_to_a_terminal(
    db: Path, tmp_path: Path, name: str
) -> None:
    written(db, ROWS)
    forged(db, DAMAGED[name], ROWS)
    verified = _run("verify", "--db", db)
    exported = _run("export", "--db", db, "--out", tmp_path / "audit.jsonl")
    assert (verified.exit_code, "BROKEN at row" in verified.stdout) == (1, True)
    said = (verified.output + exported.output).replace("\n", "")
    assert (exported.exit_code, said.isprintable()) == (0, True)


@pytest.mark.parametrize("name", list(MADE_ANEW))
def test_a_table_that_is_not_ours_is_an_error_and_no_traceback(db: Path, name: str) -> None:
    written(db, ROWS)
    forged(db, MADE_ANEW[name], 7)
    ran = _run("verify", "--db", db)
    assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (1, "", 1), ran.exception


def test_the_database_may_be_named_before_the_command(db: Path) -> None:
    written(db, 1)
    assert CliRunner().invoke(main, ["--db", str(db), "audit", "verify"]).exit_code == 0


def test_verifying_writes_nothing(db: Path) -> None:
    written(db, ROWS)
    before = db.read_bytes()
    _run("verify", "--db", db)
    assert db.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (
            ["--db", "nowhere.db"],
            1,
            "nowhere.db: cannot be used as database: unable to open database file; --db names ano",
        ),
        (["--db", "pyproject.toml"], 1, "pyproject.toml: cannot be used as database: file is no"),
        (["--head", "12"], 1, "No such file or directory: '12'"),
        (["--head", "12:abc"], 1, "'12:abc' is not a head; write rows and hash"),
        (["--file", "pyproject.toml"], 1, "line 1 is no row of an export as JSON lines"),
        (["--file", "nowhere"], 2, "'nowhere' does not exist"),
        (["--nonsense"], 2, "No such option"),
    ],
)
def test_what_cannot_be_read_is_an_error_and_no_traceback(
    db: Path, arguments: list[str], status: int, said: str
) -> None:
    written(db, 1)
    ran = _run("verify", "--db", db, *arguments)
    assert (ran.exit_code, said in ran.stderr, ran.stdout) == (status, True, "")


def test_a_prometheus_that_gives_no_answer_is_a_status_of_its_own(
    db: Path, free_port: FreePort
) -> None:
    head = written(db, 3)
    where = f"http://127.0.0.1:{free_port()}"
    ran = _run("verify", "--db", db, "--prometheus", where)
    assert (ran.exit_code, ran.stdout) == (4, f"3 rows, whole, head {head}\n")
    assert f"not compared with Prometheus: {where}: Prometheus gave no answer" in ran.stderr
    forged(db, forgery.change, 2)
    assert _found(db, "--prometheus", where) == (1, 2)


def test_the_prometheus_of_a_configuration_is_asked(
    db: Path, tmp_path: Path, free_port: FreePort
) -> None:
    written(db, 3)
    where = f"http://127.0.0.1:{free_port()}"
    config = tmp_path / "orchestrator.yml"
    config.write_text(f"prometheus: {where}\nprojects: []\n")
    ran = _run("verify", "--db", db, "--config", config)
    assert (ran.exit_code, where in ran.stderr) == (4, True)


def test_an_export_is_verified_by_itself_and_with_its_head(db: Path, tmp_path: Path) -> None:
    head, out, noted = written(db, ROWS), tmp_path / "audit.jsonl", tmp_path / "heads.txt"
    ran = _run("export", "--db", db, "--out", out)
    noted.write_text(f"{ran.stderr}\n{ran.stderr}")
    assert (ran.exit_code, ran.stdout, ran.stderr) == (0, "", f"head {head}\n")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert _found(db, "--file", out, "--head", noted) == (0, None)
    lines = out.read_text().splitlines(keepends=True)
    out.write_text("".join(lines[:-1]))
    assert _found(db, "--file", out, "--head", noted) == (1, ROWS)
    out.write_text("".join([*lines[:4], lines[5], lines[4], *lines[6:]]))
    assert _found(db, "--file", out) == (1, 6)


def test_a_part_of_the_audit_is_exported_and_says_where_it_begins(db: Path, tmp_path: Path) -> None:
    written(db, ROWS)
    out = tmp_path / "audit.jsonl"
    _run("export", "--db", db, "--out", out, "--since", "2026-11-21T12:00:50Z")
    ran = _run("verify", "--file", out)
    assert (ran.exit_code, ran.stdout.splitlines()[0]) == (
        0,
        "it begins behind row 49; the rows before were not looked at",
    )


def test_csv_has_every_row_as_text(db: Path) -> None:
    head = written(db, 3)
    ran = _run("export", "--db", db, "--format", "csv")
    names, *found = csv.reader(ran.stdout.splitlines())
    assert names == ["id", "at", "actor", "what", "data", "previous", "hash"]
    assert (len(found), found[2][0], found[2][6]) == (3, "3", head.hash)


def test_what_cannot_be_written_leaves_nothing(db: Path, tmp_path: Path) -> None:
    written(db, 1)
    ran = _run("export", "--db", db, "--out", tmp_path / "nowhere" / "x")
    assert (ran.exit_code, "No such file or directory" in ran.stderr) == (1, True)


@pytest.mark.parametrize("since", ["yesterday", "2026-11-21", "-1d"])
def test_a_begin_that_is_none_is_refused(db: Path, since: str) -> None:
    assert _run("export", "--db", db, "--since", since).exit_code == 2


def test_a_database_of_something_else_is_told(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as made:
        made.execute("CREATE TABLE things (id)")
    made.close()
    ran = _run("verify", "--db", other)
    assert (ran.exit_code, ran.stderr) == (
        1,
        "Error: there is no audit in it; it is no database of the webhook\n",
    )


def test_an_empty_audit_is_whole(db: Path) -> None:
    written(db, 0)
    assert _found(db, "--head", Head(rows=0, hash="0" * 12)) == (0, None)
