"""A length of time as an option of a command: `--for 10s`."""

from datetime import timedelta

import click

from orchestrator import duration


class Length(click.ParamType[timedelta]):
    """A length of time; with *most*, one that is longer than none and no longer than that."""

    name = "duration"

    def __init__(self, most: timedelta | None = None) -> None:
        self._most = most

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read *value*, or end the command with the form that it is to have."""
        try:
            read = duration.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if self._most is not None and not timedelta(0) < read <= self._most:
            most = duration.text(self._most)
            self.fail(f"longer than 0s and at most {most}, please", param, ctx)
        return read
