"""The screen: plain where the output is kept, alive on a terminal."""

import contextlib
import io
import os
import pty
import tty
from collections.abc import Callable

import pytest

from orchestrator.demo import timeline
from orchestrator.demo.screen import COLOURS, Screen

Show = Callable[[Screen], None]


def _kept(show: Show) -> str:
    stream = io.StringIO()
    show(Screen(stream))
    return stream.getvalue()


def _on_a_terminal(show: Show) -> str:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)  # else the terminal writes \r\n for \n
    with open(theirs, "w", encoding="utf-8") as stream:  # noqa: PTH123  a descriptor, no path
        show(Screen(stream))
    shown = b""
    with contextlib.suppress(OSError):  # what a terminal reads as when its other side is closed
        while part := os.read(ours, 10_000):
            shown += part
    os.close(ours)
    return shown.decode()


@pytest.mark.parametrize(
    ("show", "text"),
    [
        (lambda screen: screen.line("starting ..."), "starting ...\n"),
        (lambda screen: screen.line("healed", name="PROBLEM_RESOLVED"), "healed\n"),
        (lambda screen: screen.at(0, "broken"), "   +0.0 s  broken\n"),
        (lambda screen: screen.at(12.345, "down", name="ProjectDown"), "  +12.3 s  down\n"),
        (lambda screen: screen.at(-0.25, "early"), "   -0.2 s  early\n"),
        (lambda screen: screen.waiting(3, "news"), ""),
    ],
)
def test_what_is_kept_is_plain_lines(show: Show, text: str) -> None:
    assert _kept(show) == text


CLEAR = "\r\x1b[K"


@pytest.mark.parametrize(
    ("show", "text"),
    [
        (lambda screen: screen.line("starting ..."), f"{CLEAR}starting ...\x1b[0m\n"),
        (
            lambda screen: screen.at(2, "healed", name="PROBLEM_RESOLVED"),
            f"{CLEAR}\x1b[32m\x1b[1m   +2.0 s  healed\x1b[0m\n",
        ),
        (
            lambda screen: screen.line("down", name="ProjectDown"),
            f"{CLEAR}\x1b[31m\x1b[1mdown\x1b[0m\n",
        ),
        (lambda screen: screen.waiting(3, "news"), f"{CLEAR}   +3.0 s  … news"),
    ],
)
def test_a_terminal_shows_colours_and_one_line_that_is_written_over(show: Show, text: str) -> None:
    assert _on_a_terminal(show) == text


def test_only_events_that_are_told_of_have_a_colour() -> None:
    assert set(COLOURS) - set(timeline._SENTENCES) == set()


def test_a_screen_is_standard_output_unless_told_otherwise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Screen().line("starting ...")
    assert capsys.readouterr().out == "starting ..." + os.linesep
