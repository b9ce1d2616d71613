"""The screen: lines of the demo for people, alive on a terminal, plain elsewhere."""

import sys
from typing import TextIO

import click

COLOURS = {
    "PROBLEM_RESOLVED": "green",
    "RecoveryObserved": "green",
    "IncidentClosed": "green",
    "Mitigated": "yellow",
    "ESCALATION_REQUIRED": "yellow",
    "ActionWithheld": "yellow",
    "ProjectDown": "red",
    "ProjectHighErrorRate": "red",
    "ProjectHighMemory": "red",
    "ProjectHighCPU": "red",
    "ActionFailed": "red",
    "RESTART_FAILED": "red",
}


class Screen:
    """Writes to *stream*; on a terminal, a last line counts the seconds until there is news."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._alive = self._stream.isatty()

    def line(self, text: str, *, name: str = "") -> None:
        """Write one line, coloured by the event's *name* on a terminal."""
        self._clear()
        click.secho(text, file=self._stream, fg=COLOURS.get(name), bold=name in COLOURS or None)

    def at(self, seconds: float, text: str, *, name: str = "") -> None:
        """Write one line of the timeline."""
        self.line(f"{seconds:+7.1f} s  {text}", name=name)

    def waiting(self, seconds: float, for_what: str) -> None:
        """Show that time passes; nothing where the output is kept."""
        if self._alive:
            self._stream.write(f"\r\x1b[K{seconds:+7.1f} s  … {for_what}")
            self._stream.flush()

    def _clear(self) -> None:
        if self._alive:
            self._stream.write("\r\x1b[K")
