"""A new file: it has its name when it is whole and on the disk, and not before."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def placed(path: Path) -> Iterator[BinaryIO]:
    """Write a file for its owner alone, which takes the name *path* when the block ends well.

    Raises OSError. When the block does not end well, nothing is left of it.
    """
    if path.exists() and not path.is_file():  # root would put a file in the place of /dev/null
        raise FileExistsError(errno.EEXIST, "it is there, and is no file", str(path))
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:  # raised on; only the half of a file must not stay
        Path(name).unlink(missing_ok=True)
        raise
    settle(path.parent)


def settle(path: Path) -> None:
    """Wait until the disk has *path*, a file or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
