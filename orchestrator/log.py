"""Log lines: one event each, its figures as key=value, on standard error."""

import logging
import sys

import click

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class KeyValue(logging.Formatter):
    """Write `time level logger event key=value ...`.

    Values are quoted, so one event stays one line, also with text of strangers.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's own name
        extras = [f"{k}={v!r}" for k, v in record.__dict__.items() if k not in _STANDARD]
        return " ".join([super().formatMessage(record), *extras])


level_option = click.option(
    "--log-level",
    envvar="LOG_LEVEL",
    default="info",
    show_default=True,
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    help="The least severe lines to write.",
)


def to_stderr(level: str) -> None:
    """Send every record of *level* and above to standard error; called once, by a program."""
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(KeyValue())
    logging.basicConfig(level=level.upper(), handlers=[stream])
    access = logging.getLogger("aiohttp.access")  # a line a scrape helps nobody
    access.setLevel(max(logging.WARNING, access.getEffectiveLevel()))
