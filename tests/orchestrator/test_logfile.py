"""A log file is turned over, kept from other eyes, and never the end of a program."""

import json
import subprocess
import sys
from pathlib import Path
from stat import S_IMODE
from typing import Any

import pytest

from orchestrator.logfile import CannotLog, LogFile

SAY = """
import logging, sys
from pathlib import Path
from orchestrator.log import Logs, begin
begin(Logs(form="json", file=Path(sys.argv[1]), size=int(sys.argv[2]), count=2))
logger = logging.getLogger("a")
for number in range(int(sys.argv[3])):
    logger.warning("line", extra={"number": number, "rest": "x" * 100})
"""


def _said(path: Path, *, size: int = 10**6, lines: int = 3, more: str = "") -> list[dict[str, Any]]:
    """Let a program write *lines* to *path*; return those of its standard error."""
    done = subprocess.run(  # noqa: S603  a new interpreter, for logging is of the whole process
        [sys.executable, "-c", SAY + more, str(path), str(size), str(lines)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [json.loads(line) for line in done.stderr.splitlines()]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_is_said_on_standard_error_is_in_the_file_too(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "here" / "orchestration.log"
    said = _said(path)
    assert (_lines(path), [line["number"] for line in said]) == (said, [0, 1, 2])
    assert S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_start_appends_and_leaves_the_rights_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.touch(0o640)
    said = [*_said(path, lines=1), *_said(path, lines=1)]
    assert (_lines(path), S_IMODE(path.stat().st_mode)) == (said, 0o640)


def test_it_is_turned_over_by_its_size_and_the_newest_are_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    said = _said(path, size=2_000, lines=40)
    names = ["a.log", "a.log.1", "a.log.2"]
    assert sorted(each.name for each in tmp_path.iterdir()) == names
    kept = [line for name in reversed(names) for line in _lines(tmp_path / name)]
    assert kept == said[-len(kept) :]
    assert {S_IMODE((tmp_path / name).stat().st_mode) for name in names} == {0o600}
    assert all((tmp_path / name).stat().st_size <= 2_000 for name in names)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("there", "there: Is a directory"),
        ("plain/a.log", "plain: is no folder"),
        ("plain/logs/a.log", "plain/logs: Not a directory"),
    ],
)
def test_what_cannot_be_opened_is_an_error_that_says_why(
    tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "plain").touch()
    with pytest.raises(CannotLog) as refused:
        LogFile(tmp_path / name, size=10**6, count=1)
    assert str(refused.value) == f"{tmp_path}/{said}"


def test_two_programs_do_not_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    first = LogFile(path, size=10**6, count=1)
    with pytest.raises(CannotLog) as refused:
        LogFile(path, size=10**6, count=1)
    first.close()
    assert str(refused.value) == f"{path}: another program writes it; give each its own"
    LogFile(path, size=10**6, count=1).close()


def test_a_full_disk_is_told_once_and_ends_nothing() -> None:
    said = _said(Path("/dev/full"), lines=50)
    assert [line["event"] for line in said] == ["line", "log file not written", *["line"] * 49]
    assert (said[1]["path"], said[1]["why"]) == ("/dev/full", "No space left on device")


def test_when_there_is_room_again_it_goes_on_and_says_how_many_lines_are_missing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.log"
    path.symlink_to("/dev/full")
    more = 'Path(sys.argv[1]).unlink()\nlogger.warning("after", extra={})\nlogger.warning("more")\n'
    said = _said(path, lines=3, more=more)
    assert [line["event"] for line in _lines(path)] == [
        "after",
        "log file is written again",
        "more",
    ]
    assert [line["lines_missing"] for line in said if "lines_missing" in line] == [4]
