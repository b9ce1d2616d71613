"""What the journal keeps, and who may write it."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.supervisor.command import Command, Outcome, State
from orchestrator.supervisor.journal import INTERRUPTED, Entry, Execution, UnusableState, opened

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RESTART = Command(key="k1", project="chatbot", action="restart_service")
DONE = Outcome(State.COMPLETED, "done")


def test_a_new_command_is_received_once_and_shown_to_whoever_repeats_it(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        seen = [journal.receive(RESTART, at=NOON) for _ in range(2)]
    assert seen == [None, Entry(RESTART, None)]


def test_the_first_answer_stays(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.receive(RESTART, at=NOON)
        journal.answer("k1", DONE, at=NOON)
        journal.answer("k1", Outcome(State.FAILED, "too late"), at=NOON)
        assert journal.receive(RESTART, at=NOON) == Entry(RESTART, DONE)


def test_what_was_never_answered_is_failed_by_the_next_supervisor(tmp_path: Path) -> None:
    other = Command(key="k2", project="chatbot", action="stop_service")
    with opened(tmp_path) as journal:
        journal.receive(RESTART, at=NOON)
        journal.receive(other, at=NOON)
        journal.answer("k2", DONE, at=NOON)
    with opened(tmp_path) as journal:
        failed = journal.fail_interrupted(at=NOON)
        entries = [journal.receive(command, at=NOON) for command in (RESTART, other)]
    assert (failed, entries) == (
        1,
        [Entry(RESTART, Outcome(State.FAILED, INTERRUPTED)), Entry(other, DONE)],
    )


def test_executions_are_listed_oldest_first(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for _ in range(2):
            journal.execute(RESTART, at=NOON)
        listed = journal.executions()
    assert listed == [
        Execution(
            id=number,
            key="k1",
            project="chatbot",
            action="restart_service",
            executed_at="2026-01-01T12:00:00.000000Z",
        )
        for number in (1, 2)
    ]


def test_a_second_supervisor_on_the_same_state_is_refused(tmp_path: Path) -> None:
    with (
        opened(tmp_path),
        pytest.raises(UnusableState, match="another supervisor uses it"),
        opened(tmp_path),
    ):
        pytest.fail("opened")


def test_a_journal_of_a_newer_supervisor_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "commands.db")) as db:
        db.execute("PRAGMA user_version = 2")
    with pytest.raises(UnusableState, match="newer supervisor"), opened(tmp_path):
        pytest.fail("opened")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "commands.db").write_text("not a database, but long enough to be read as one" * 9)
    with (
        pytest.raises(UnusableState, match=r"commands\.db: file is not a database"),
        opened(tmp_path),
    ):
        pytest.fail("opened")


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnusableState, match="Not a directory"), opened(tmp_path / "file" / "state"):
        pytest.fail("opened")
