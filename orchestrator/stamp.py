"""A stamp: what changes when a file is written, replaced, made or removed."""

from collections.abc import Mapping
from pathlib import Path

Stamp = tuple[int, int, int] | None  # None: there is no such file
Stamps = Mapping[Path, Stamp]


def stamp(path: Path) -> Stamp:
    """Return the stamp of a file, None when it cannot be found."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def changed(stamps: Stamps) -> bool:
    """Tell whether any of the files is another one than when its stamp was taken."""
    return any(stamp(path) != before for path, before in stamps.items())
