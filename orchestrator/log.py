"""Log lines: one event each with its figures, on standard error and, if wanted, in a file too."""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from orchestrator import clock
from orchestrator.logfile import LogFile

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_SMALLEST = 64 * 1024  # bytes of a file: a line with a traceback has some thousand
_UNITS = {"KB": 2**10, "MB": 2**20, "GB": 2**30}  # as Prometheus counts them

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """What is logged, in which form, and where to beside standard error."""

    level: str = "info"
    form: str = "text"
    file: Path | None = None
    size: int = 10 * 2**20  # bytes, at which the file is turned over
    count: int = 5  # older files that are kept


class KeyValue(logging.Formatter):
    """Write `time level logger event key=value ...`.

    Values are quoted, so one event stays one line, also with text of strangers. The lines of a
    traceback follow it, and begin with blanks.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's own name
        extras = [f"{name}={value!r}" for name, value in _extras(record)]
        return " ".join([_escaped(super().formatMessage(record)), *extras])

    def formatException(self, ei: Any) -> str:  # noqa: N802, ANN401  logging's own name and type
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802  logging's own name
        return _indented(super().formatStack(stack_info))


def _indented(text: str) -> str:
    return "\n".join(f"  {_escaped(line)}" for line in text.split("\n"))


def _escaped(text: str) -> str:
    """Write what a terminal would obey, or take for the end of a line, as Python does."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


class JsonLine(logging.Formatter):
    """Write one JSON object: `at`, `level`, `logger`, `event`, then what else is said of it.

    In ASCII, so that no text of strangers can do anything to a terminal. A traceback is a field.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": clock.written(datetime.fromtimestamp(record.created, tz=UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        for name, value in _extras(record):
            line[f"{name}_" if name in line else name] = value
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        try:
            return json.dumps(line, default=str, allow_nan=False)
        except (ValueError, TypeError, RecursionError):  # what JSON has no words for
            return json.dumps({name: str(value) for name, value in line.items()})


_FORMS: dict[str, Callable[[], logging.Formatter]] = {"text": KeyValue, "json": JsonLine}


def _extras(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    return ((name, value) for name, value in record.__dict__.items() if name not in _STANDARD)


class Size(click.ParamType[int]):
    """A number of bytes, as `64KB`, `10MB` or `1GB`."""

    name = "size"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read it; a wrong option when it is none, or too small for a line."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([0-9]{1,6})(KB|MB|GB)", value)
        if found is None:
            self.fail(f"{value!r} is not a size; write it like 64KB, 10MB or 1GB", param, ctx)
        size = int(found[1]) * _UNITS[found[2]]
        if size < _SMALLEST:
            self.fail(f"{value!r} is too small; 64KB at least", param, ctx)
        return size


level_option = click.option(
    "--log-level",
    envvar="LOG_LEVEL",
    default="info",
    show_default=True,
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    help="The least severe lines to write.",
)
_OPTIONS = (
    level_option,
    click.option(
        "--log-format",
        envvar="LOG_FORMAT",
        default="text",
        show_default=True,
        type=click.Choice([*_FORMS], case_sensitive=False),
        help="The form of a line; json is one object a line.",
    ),
    click.option(
        "--log-file",
        envvar="LOG_FILE",
        type=click.Path(path_type=Path),
        help="A file to write to, too; its folders are made.",
    ),
    click.option(
        "--log-file-size",
        envvar="LOG_FILE_SIZE",
        default="10MB",
        show_default=True,
        type=Size(),
        help="How long it gets until a new one is begun.",
    ),
    click.option(
        "--log-file-count",
        envvar="LOG_FILE_COUNT",
        default=5,
        show_default=True,
        type=click.IntRange(1, 1000),
        help="How many older ones are kept, as .1, .2 and so on.",
    ),
)


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of its log, all of them as *logs*."""

    @wraps(command)
    def gathering(*given: Any, **named: Any) -> None:  # noqa: ANN401  whatever the command takes
        logs = Logs(
            level=named.pop("log_level"),
            form=named.pop("log_format"),
            file=named.pop("log_file"),
            size=named.pop("log_file_size"),
            count=named.pop("log_file_count"),
        )
        command(*given, logs=logs, **named)

    made: Callable[..., None] = gathering
    for option in reversed(_OPTIONS):
        made = option(made)
    return made


def begin(logs: Logs) -> None:
    """Log as *logs* wants it, from now on; called once, by a program. Raises CannotLog."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if logs.file is not None:
        handlers.append(LogFile(logs.file, size=logs.size, count=logs.count))
    for each in handlers:
        each.setFormatter(_FORMS[logs.form]())
    logging.basicConfig(level=logs.level.upper(), handlers=handlers)
    access = logging.getLogger("aiohttp.access")  # a line a scrape helps nobody
    access.setLevel(max(logging.WARNING, access.getEffectiveLevel()))
    sys.excepthook = _ended


def to_stderr(level: str) -> None:
    """Send every record of *level* and above to standard error; called once, by a program."""
    begin(Logs(level=level))


def _ended(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Log what ends the program, or the file would be silent on it."""
    logger.critical("ended by an error", exc_info=(kind, error, traceback))
