"""Log lines keep their form, whatever a stranger puts into them."""

import logging
import subprocess
import sys
from typing import Any

import pytest

from orchestrator.health import State
from orchestrator.log import KeyValue


def _line(message: str, extra: dict[str, Any] | None = None) -> str:
    record = logging.getLogger("exporter").makeRecord(
        "exporter", logging.INFO, "f.py", 1, message, (), None, extra=extra
    )
    return KeyValue().format(record).split(" ", 2)[2]  # what follows the date and the time


@pytest.mark.parametrize(
    ("extra", "line"),
    [
        (None, "INFO exporter project changed"),
        ({"project": "a"}, "INFO exporter project changed project='a'"),
        ({"tries": 2, "why": None}, "INFO exporter project changed tries=2 why=None"),
        ({"state": str(State.DOWN)}, "INFO exporter project changed state='down'"),
        (
            {"said": "two\nlines and='quotes'"},
            "INFO exporter project changed said=\"two\\nlines and='quotes'\"",
        ),
        ({"said": "\x1b[31mred\r"}, "INFO exporter project changed said='\\x1b[31mred\\r'"),
    ],
)
def test_an_event_is_one_line_with_its_figures(extra: dict[str, Any] | None, line: str) -> None:
    assert _line("project changed", extra) == line


SAY = """
import logging
from orchestrator.log import to_stderr
to_stderr({level!r})
for name in ("debug", "info", "warning", "error"):
    getattr(logging.getLogger("a"), name)(name)
    getattr(logging.getLogger("aiohttp.access"), name)(name)
"""
WRITTEN = {
    "debug": ["a debug", "a info", "a warning", "aiohttp.access warning"],
    "INFO": ["a info", "a warning", "aiohttp.access warning"],
    "warning": ["a warning", "aiohttp.access warning"],
    "error": [],
}


@pytest.mark.parametrize(("level", "lines"), WRITTEN.items())
def test_lines_of_the_level_and_above_go_to_standard_error(level: str, lines: list[str]) -> None:
    done = subprocess.run(  # noqa: S603  a new interpreter, for logging is of the whole process
        [sys.executable, "-c", SAY.format(level=level)], capture_output=True, text=True, check=True
    )
    written = [line.split(" ", 3)[3] for line in done.stderr.splitlines()]
    assert (done.stdout, written) == ("", [*lines, "a error", "aiohttp.access error"])
