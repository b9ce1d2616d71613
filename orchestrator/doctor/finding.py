"""A finding: one thing that was looked at, how it is, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARN = "warn"  # repairs go on, and somebody should know
    FAIL = "FAIL"  # something will not be noticed, repaired or told


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found."""

    mark: Mark
    about: str  # config, analyzer, prometheus, alertmanager, webhook, project, database, tokens
    said: str
    do: str = ""  # what to do; empty when nothing is

    def json(self) -> dict[str, str]:
        """Return it for a program."""
        return {"mark": self.mark, "about": self.about, "said": self.said, "do": self.do}


Findings = Iterable[Finding]


def ok(about: str, said: str) -> Finding:
    """Say that a thing is as it should be."""
    return Finding(mark=Mark.OK, about=about, said=said)


def warn(about: str, said: str, do: str) -> Finding:
    """Say that a thing is not quite as it should be."""
    return Finding(mark=Mark.WARN, about=about, said=said, do=do)


def fail(about: str, said: str, do: str) -> Finding:
    """Say that a thing does not work."""
    return Finding(mark=Mark.FAIL, about=about, said=said, do=do)
