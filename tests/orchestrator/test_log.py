"""Log lines keep their form, whatever a stranger puts into them."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from orchestrator.health import State
from orchestrator.log import JsonLine, KeyValue, Logs, options


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


FORGED = "\x1b]0;owned\x07\n2026-11-21 12:00:00,000 INFO webhook allowed\r\x85\u2028by='ann'"


def test_neither_an_event_nor_a_traceback_begins_a_line_for_a_stranger() -> None:
    said = r"2026-11-21 12:00:00,000 INFO webhook allowed\r\x85\u2028by='ann'"
    assert _line(FORGED) == rf"INFO exporter \x1b]0;owned\x07\n{said}"
    record = logging.getLogger("exporter").makeRecord(
        "exporter", logging.INFO, "f.py", 1, "failed", (), (ValueError, ValueError(FORGED), None)
    )
    [_, *more] = KeyValue().format(record).split("\n")
    assert more == [r"  ValueError: \x1b]0;owned\x07", f"  {said}"]


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


def _json(
    message: str, extra: dict[str, Any] | None = None, error: BaseException | None = None
) -> dict[str, Any]:
    thrown = (type(error), error, None) if error else ()
    record = logging.getLogger("exporter").makeRecord(
        "exporter", logging.INFO, "f.py", 1, message, (), thrown or None, extra=extra
    )
    record.created = 1_795_000_000.5
    line = JsonLine().format(record)
    assert line.isascii()
    assert line.isprintable()
    found: dict[str, Any] = json.loads(line)
    return found


HEAD = {
    "at": "2026-11-18T11:06:40.500000Z",
    "level": "info",
    "logger": "exporter",
    "event": "project changed",
}


@pytest.mark.parametrize(
    ("extra", "more"),
    [
        (None, {}),
        ({"project": "a", "tries": 2, "why": None}, {"project": "a", "tries": 2, "why": None}),
        ({"data": {"to": ["down"]}}, {"data": {"to": ["down"]}}),
        ({"path": Path("/a/b")}, {"path": "/a/b"}),
        ({"said": "two\nlines \x1b[31m \x9b \u2028"}, {"said": "two\nlines \x1b[31m \x9b \u2028"}),
        ({"said": "half \ud800"}, {"said": "half \ud800"}),
        ({"level": "x", "event": "y"}, {"level_": "x", "event_": "y"}),
        ({"figure": float("nan")}, {"figure": "nan"}),
        ({"map": {(1, 2): 3}}, {"map": "{(1, 2): 3}"}),
    ],
)
def test_as_json_an_event_is_one_object_of_ascii(
    extra: dict[str, Any] | None, more: dict[str, Any]
) -> None:
    assert _json("project changed", extra) == HEAD | more


def test_as_json_a_traceback_is_a_field() -> None:
    assert _json("project changed", error=ValueError("two\nlines")) == HEAD | {
        "traceback": "ValueError: two\nlines"
    }


@pytest.mark.parametrize(
    ("arguments", "logs"),
    [
        ([], Logs()),
        (["--log-level", "DEBUG", "--log-format", "json"], Logs(level="debug", form="json")),
        (
            ["--log-file", "a/b", "--log-file-size", "64KB", "--log-file-count", "2"],
            Logs(file=Path("a/b"), size=65_536, count=2),
        ),
        (["--log-file-size", "2GB"], Logs(size=2 * 2**30)),
    ],
)
def test_the_options_say_what_is_logged_and_where(arguments: list[str], logs: Logs) -> None:
    assert _asked(arguments, {}) == logs


def test_the_variables_say_it_too() -> None:
    variables = {
        "LOG_LEVEL": "error",
        "LOG_FORMAT": "json",
        "LOG_FILE": "a",
        "LOG_FILE_SIZE": "1MB",
        "LOG_FILE_COUNT": "1",
    }
    assert _asked([], variables) == Logs(
        level="error", form="json", file=Path("a"), size=2**20, count=1
    )


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--log-file-size=10", "'10' is not a size; write it like 64KB, 10MB or 1GB"),
        ("--log-file-size=-1MB", "'-1MB' is not a size"),
        ("--log-file-size=63KB", "'63KB' is too small; 64KB at least"),
        ("--log-file-count=0", "0 is not in the range"),
        ("--log-format=xml", "'xml' is not one of 'text', 'json'"),
    ],
)
def test_what_is_no_size_count_or_form_is_a_wrong_option(option: str, said: str) -> None:
    result = CliRunner().invoke(_program(lambda _: None), [option])
    assert (result.exit_code, said in result.stderr) == (2, True)


def _program(take: Callable[[Logs], None]) -> click.Command:
    @click.command()
    @options
    def program(logs: Logs) -> None:
        take(logs)

    return program


def _asked(arguments: list[str], variables: dict[str, str]) -> Logs:
    found: list[Logs] = []
    result = CliRunner(env=variables).invoke(_program(found.append), arguments)
    assert result.exit_code == 0, result.output
    return found[0]
