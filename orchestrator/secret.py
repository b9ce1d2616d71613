"""Secrets: read from a file or from the environment, never from the configuration itself."""

from collections.abc import Mapping
from pathlib import Path

LIMIT = 8 * 1024  # characters; more is not a secret but the wrong file


class Blank(ValueError):
    """There is a place for a secret, and nothing in it."""


def from_file(path: Path) -> str:
    """Read the one line of *path*; raise ValueError, and never tell what it says."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8") from error
    return _usable(text.strip(), str(path))


def from_environment(name: str, environment: Mapping[str, str]) -> str:
    """Return the variable *name*; raise ValueError when it is not set, or no secret."""
    if name not in environment:
        raise ValueError(f"the variable {name} is not set")
    return _usable(environment[name].strip(), f"the variable {name}")


def _usable(text: str, where: str) -> str:
    if not text:
        raise Blank(f"{where}: empty")
    if len(text) > LIMIT or not text.isprintable() or not text.isascii():
        raise ValueError(f"{where}: not one line of printable ASCII, {LIMIT} characters at most")
    return text
