"""A file is there whole, or not at all."""

import os
import stat
from pathlib import Path

import pytest

from webhook.newfile import placed


def test_a_file_has_its_name_when_it_is_written_and_is_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with placed(path) as file:
        file.write(b"all of it")
        assert not path.exists()
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"all of it", 0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["x"]


def test_of_what_is_not_written_to_its_end_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), placed(path) as file:
        file.write(b"half" * (1 // 0))
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("x", b"before")]


def test_what_is_no_file_such_as_dev_null_is_left_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="it is there, and is no file"), placed(pipe) as file:
        file.write(b"x")
    assert (pipe.is_fifo(), [*tmp_path.iterdir()]) == (True, [pipe])
