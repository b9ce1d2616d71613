"""Commands: the programs that repairs may run, as `commands` of orchestrator.yml lists them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, ConfigDict, StrictBool

from orchestrator import strict
from orchestrator.value import STRICT, Length

PROJECT = "{project}"  # the one thing that an argument may have filled in


def _argument(raw: str) -> str:
    if "\0" in raw:
        raise ValueError("has a NUL character, which no program can be given")
    if {"{", "}"} & set(raw.replace(PROJECT, "")):
        raise ValueError(f"{raw!r}: {PROJECT} is all that is filled in; no other brace may stand")
    return raw


def _program(argv: tuple[str, ...]) -> tuple[str, ...]:
    if not argv[0].startswith("/"):
        raise ValueError(f"begins with {argv[0]!r}, no absolute path like /usr/bin/systemctl")
    if PROJECT in argv[0]:
        raise ValueError(f"begins with {argv[0]!r}; {PROJECT} is for its arguments only")
    return argv


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One entry of `commands`. No text of an alert ever becomes a part of it."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    argv: Annotated[
        tuple[Annotated[str, AfterValidator(_argument)], ...],
        AfterValidator(strict.some),
        AfterValidator(_program),
    ]
    timeout: Length = timedelta(seconds=30)  # then it is ended, and counts as failed
    disruptive: StrictBool = True
    repeatable: StrictBool = False  # whether it may run again when nobody knows if it ran

    def arguments(self, project: str) -> tuple[str, ...]:
        """Return the program and its arguments for *project*."""
        return tuple(each.replace(PROJECT, project) for each in self.argv)
