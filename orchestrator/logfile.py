"""A log file: written beside standard error, turned over by its size, kept from other eyes."""

import fcntl
import logging
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from orchestrator.errors import OrchestratorError

ONLY_OURS = 0o600

_REASONS: dict[type[OSError], str] = {
    BlockingIOError: "another program writes it; give each its own",
    FileExistsError: "is no folder",  # of a folder that was to be made
}

logger = logging.getLogger(__name__)


class CannotLog(OrchestratorError):
    """The log file cannot be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        known = (why for kind, why in _REASONS.items() if isinstance(error, kind))
        why = next(known, error.strerror or repr(error))
        super().__init__(f"{error.filename or path}: {why}")


class LogFile(RotatingFileHandler):
    """Appends lines to a file; older ones are beside it, as .1 (the newest of them), .2 and so on.

    Lives as long as its program, which it never ends: what cannot be written, as when the disk is
    full, is missing here, and standard error has it.
    """

    def __init__(self, path: Path, *, size: int, count: int) -> None:
        """Open *path*, making its folders; raise CannotLog.

        It is turned over at about *size* bytes, and *count* older files are kept.
        """
        self._lost = 0  # lines since the last one that was written
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            super().__init__(path, maxBytes=size, backupCount=count)
        except OSError as error:
            raise CannotLog(path, error) from error

    def _open(self) -> TextIOWrapper:
        number = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, ONLY_OURS)
        try:
            _claim(number)
            # A stranger's half of a character is no reason to lose the line.
            return os.fdopen(number, "a", encoding="utf-8", errors="backslashreplace")
        except OSError:
            os.close(number)
            raise

    def emit(self, record: logging.LogRecord) -> None:
        """Write *record*, or count it as lost."""
        lost = self._lost
        super().emit(record)
        if lost and lost == self._lost:
            self._lost = 0
            logger.warning("log file is written again", extra={"lines_missing": lost})

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's own name
        """Note that a line is lost, say so once, and open the file anew for the next one."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        self._lost += 1
        stream, self.stream = self.stream, None
        if stream is not None:
            with suppress(OSError):  # it tries to write what is left of the line
                stream.close()
        if self._lost == 1:  # the notice comes back to us, and is the second one
            why = error.strerror or repr(error)
            logger.warning("log file not written", extra={"path": self.baseFilename, "why": why})


def _claim(number: int) -> None:
    """Keep every other process out: two that turn a file over lose each other's lines."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks, where nobody can keep anybody out
        logger.debug("log file not locked")
