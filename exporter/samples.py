"""Samples: the text formats of Prometheus, as a project offers its figures in them.

A reader of our own: the library's parsers take half a minute over some 64 KiB of a stranger's, in
which nobody else is asked, and raise what they do not declare; docs/adr/0007 has the figures.
"""

import re

_NAME = r"[a-zA-Z_:][\w:]*+"
_LABEL = r'([a-zA-Z_]\w*+)[ \t]*+=[ \t]*+"((?:[^"\\]|\\.)*+)"'
_PAIR = re.compile(_LABEL, re.ASCII)
# Every repetition is possessive (`*+`): what does not fit is refused in one pass.
_SAMPLE = re.compile(
    rf"({_NAME})[ \t]*+"
    rf"(?:\{{[ \t]*+((?:{_LABEL}[ \t]*+(?:,[ \t]*+)?)*+)\}}[ \t]*+)?"
    r"([!-~]++)(?:[ \t].*)?",
    re.ASCII,
)
_VALUE = 5  # the group of it


def samples(text: str, *, end: str = "") -> dict[str, float]:
    """Read *text*; return values by `name`, or `name{a="x",b="y"}` with labels sorted.

    *end* is how it has to end: OpenMetrics has a mark there, so that what is cut off shows.
    A sample that stands twice is a NaN. Timestamps and exemplars are passed over. Raises
    ValueError for a line that is no sample.
    """
    if not text.endswith(end):
        raise ValueError("cut off")
    found: dict[str, float] = {}
    for line in text.split("\n"):
        written = line.strip(" \t\r")
        if not written or written.startswith("#"):
            continue
        name, value = _sample(written)
        found[name] = float("nan") if name in found else value
    return found


def _sample(line: str) -> tuple[str, float]:
    found = _SAMPLE.fullmatch(line)
    if found is None:
        raise ValueError("a line is no sample")
    name: str = found[1]
    if found[2]:
        pairs = sorted(_PAIR.findall(found[2]))
        name += "{" + ",".join(f'{label}="{value}"' for label, value in pairs) + "}"
    if "_" in found[_VALUE]:  # which Python takes as 1_000
        raise ValueError("a value is no number")
    return name, float(found[_VALUE])
