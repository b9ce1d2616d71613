"""Templates: what kinds of lines a log has, without the words that strangers put into them.

A log is where strangers write to us most easily: what they send becomes part of its lines. So no
line is told as it is. What varies is replaced by what it is, `<num>` or `<str>`, and a line that
reads like an order is only counted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from webhook.diagnosis import Line
from webhook.evidence import flag
from webhook.evidence.clean import line as cleaned
from webhook.evidence.redaction import PLACEHOLDER, PRIVATE_KEY, Redaction
from webhook.plain import cut, in_key

NEWEST: Final = 200  # lines that are looked at, as many as the contract has
KEPT: Final = 20
LONGEST: Final = 160  # characters of a template; what programs say by themselves is shorter
WITHHELD: Final = "<withheld>"
FEW: Final = 100  # lines; of as many, more than the share below are each of their own kind
FLOOD: Final = 0.6  # only where somebody writes them to push others out

OTHER: Final = "other"  # a level that we do not know; it weighs as info
LEVELS: Final = {  # how much each weighs
    "critical": 5.0,
    "error": 4.0,
    "warning": 2.0,
    "info": 1.0,
    "debug": 0.5,
}
ALIAS: Final = {"fatal": "critical", "emergency": "critical", "warn": "warning", "err": "error"}

# In this order: the wholes before their parts. Every repetition is bounded.
_VARYING: Final = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://\S+", "<url>"),
        (r"\bMozilla/\d.*$", "<agent>"),
        (r"\b(?!HTTP/)[A-Za-z][\w.-]{1,40}/\d+(?:\.\d+)+(?: \([^)]{0,200}\))?", "<agent>"),
        (r"\\?\"(?:[^\"\\]|\\.){0,2000}\\?(?:\"|$)", "<str>"),
        (r"(?<![\w])'[^']{0,2000}(?:'(?!\w)|$)", "<str>"),
        (r"(?<![\w])`[^`]{0,2000}(?:`|$)", "<str>"),
        (
            (
                r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?"
                r"(?:Z|[+-]\d\d:?\d\d)?"
            ),
            "<time>",
        ),
        (r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", "<id>"),
        (r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?![\w.])", "<addr>"),
        (r"(?<![\w:])\[?(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{1,4}\]?(?:%\w+)?(?![\w:])", "<addr>"),
        (r"(?<![\w.<])(?:[A-Za-z]:)?(?:[\\/][\w.@%+~-]{1,200}){2,}[\\/]?(?:\?\S*)?", "<path>"),
        (r"(?<![\w.<])/[\w.@%+~-]{1,200}(?:\?\S*)?", "<path>"),
        (r"\b(?:[\w-]{1,63}\.){1,8}(?:com|org|net|io|dev|local|internal|example|test)\b", "<host>"),
        (r"(?<=[\w\]])=(?![A-Za-z]{1,16}(?:[\s,;)\]}]|$)|<)[^\s,;)\]}]+", "=<val>"),
        (r"(?<![\w<])[A-Za-z0-9+/_=-]{32,}(?![\w>])", "<blob>"),
        (r"\b(?=\w*[A-Za-z_])(?=\w*\d)\w{2,}(?:-\w+){0,8}\b", "<id>"),
        (r"(?<![\w<])#?[+-]?\d+(?:[.,:_]\d+){0,9}%?(?![\w])", "<num>"),
        (r"(?<!\w)\w{0,60}(?!\u2026)[^\x00-\x7f]\w{0,60}", "<text>"),
        (r"[^\x00-\x7f\u2026]+", "<text>"),
        (r"(?:<text>[^\w<]{0,3}){1,200}<text>", "<text>"),
        (r"(?:<num>[\s,;/x:-]{1,3}){1,200}<num>", "<num>"),
        (r"(?:<str>[\s,;:]{1,3}){1,200}<str>", "<str>"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A kind of line: what is the same in all of them, and how often it came."""

    text: str  # WITHHELD where it has flags
    level: str
    count: int
    first: str  # an instant as we write it; "" when the project wrote none
    last: str
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """The templates of a log, the most telling first, and what is suspicious about all of it."""

    templates: tuple[Template, ...] = ()
    omitted: int = 0  # templates for which there was no room
    flags: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Kind:
    """The lines of one template, while they are gathered."""

    place: int  # of the first of them among all lines
    count: int = 0
    instants: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)


def abstract(text: str) -> str:
    """Return *text*, cleaned and without secrets, with what varies replaced by what it is."""
    text = PLACEHOLDER.sub(lambda found: f"<{found[1].lower()}>", text)
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    return cut(" ".join(text.split()), LONGEST)


def mine(lines: Sequence[Line], redaction: Redaction, *, most: int = KEPT) -> Mined:
    """Return the templates of *lines*, oldest first: *most* of them by level and novelty.

    What has a flag is one template, however many lines there are, and stands before all others.
    """
    kinds: dict[tuple[str, str], _Kind] = {}
    known: dict[str, tuple[frozenset[str], str]] = {}  # by shape: its flags, and its template
    lines = lines[-NEWEST:]
    keys = in_key(each.message for each in lines)
    for place, each in enumerate(lines):
        shape = f"{keys[place]} {_FIGURES.sub('0', each.message)}"
        if shape not in known:
            known[shape] = _looked_at(each.message, redaction, in_key=keys[place])
        found, text = known[shape]
        key = (WITHHELD, OTHER) if found else (text, _level(each.level))
        kind = kinds.setdefault(key, _Kind(place=place))
        kind.count += 1
        kind.instants += [each.ts] if each.ts else []
        kind.flags |= found
    ranked = sorted(kinds.items(), key=lambda each: _rank(*each, many=len(lines)))
    flooded = len(lines) >= FEW and len(kinds) > FLOOD * len(lines)
    return Mined(
        templates=tuple(_template(*each) for each in ranked[:most]),
        omitted=max(len(ranked) - most, 0),
        flags=frozenset().union(*(each.flags for each in kinds.values()))
        | ({flag.FLOOD} if flooded else set()),
    )


# Of lines that differ in nothing else the first one is looked at, which costs a third of a
# millisecond; nothing of the others is told.
_FIGURES: Final = re.compile(r"\b(?=[a-f]{0,63}\d)[0-9a-f]{8,64}\b|\d+")


def _looked_at(message: str, redaction: Redaction, *, in_key: bool) -> tuple[frozenset[str], str]:
    """Return the flags of a line, and its template."""
    found = flag.flags(message)
    text = redaction.hidden(PRIVATE_KEY) if in_key else redaction(cleaned(message))
    return found, "" if found else abstract(text)


def _level(written: str) -> str:
    small = ALIAS.get(written.lower(), written.lower())
    return small if small in LEVELS else OTHER


def _rank(key: tuple[str, str], kind: _Kind, *, many: int) -> tuple[bool, float, int, str, str]:
    """Rank by level and novelty: what began late is new, what was always there is usual."""
    text, level = key
    novelty = 0.5 + kind.place / many
    return not kind.flags, -LEVELS.get(level, 1.0) * novelty, -kind.count, text, level


def _template(key: tuple[str, str], kind: _Kind) -> Template:
    text, level = key
    return Template(
        text=text,
        level=level,
        count=kind.count,
        first=min(kind.instants, default=""),
        last=max(kind.instants, default=""),
        flags=frozenset(kind.flags),
    )
