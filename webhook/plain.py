"""Plain text: what strangers wrote, made safe to show to people."""

import re
from collections.abc import Callable
from functools import partial
from typing import Final

Hide = Callable[[str, str], str]  # a kind and a secret -> what stands in its place

HIDDEN: Final = "***"
CUT: Final = "\N{HORIZONTAL ELLIPSIS}"

# What looks like a secret, by its kind; the part in the group `keep`, its beginning, stays. In this
# order, for `Bearer` may stand behind `Authorization:`. Every repetition is bounded, or the text
# itself could cost minutes.
_SECRETS: Final = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (
            "private_key",
            r"(?s)-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}KEY-----|$)",
        ),
        ("cookie", r"(?i)(?P<keep>\b(?:set-)?cookie\s{0,3}:\s{0,3}).*"),
        (
            "authorization",
            (
                r"(?i)(?P<keep>\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?"
                r"(?:(?:bearer|basic|digest|negotiate|token|apikey)\s{1,3})?)[^\s\"',;]+"
            ),
        ),
        (
            "authorization",
            r"(?i)(?P<keep>\b(?:bearer|basic)\s{1,3})(?=\S{0,200}[\d=])[\w.~+/=-]{8,}",
        ),
        (
            "assignment",
            (
                r"(?i)(?P<keep>(?:pass(?:word|wd|phrase)|(?<![a-z])pass(?=[\"']?\s{0,3}[:=])|pwd|"
                r"secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|signature)"
                r"[\w.-]{0,40}\\?[\"']?\s{0,3}(?:=>|[:=])\s{0,3})"
                r"(?:\\?\"[^\"]*\"?|'[^']*'?|[^\s,;&)}\]]+)"
            ),
        ),
        ("address", r"(?P<keep>://)[^\s/]{1,200}(?=@)"),  # a name and a password in an address
        ("address", r"(?P<keep>\bhooks\.slack\.com/)\S+"),
        ("token", r"\bA[KS]IA[0-9A-Z]{16}\b"),
        ("token", r"\bsk-[\w-]{16,}"),
        ("token", r"\b(?:gh[opsru]_|github_pat_|glpat-|xox[abeprs]-)[\w-]{10,}"),
        ("token", r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),  # a JSON web token
    )
)

_LEFT: Final = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"
_RIGHT: Final = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
# `<!channel>` and `@here` wake everybody in Slack, `<a>` is HTML, `](` makes a link of Markdown.
_CALLING: Final = str.maketrans({"<": _LEFT, ">": _RIGHT, "@": "(at)"})


def masked(text: str) -> str:
    """Return *text* with what looks like a secret replaced."""
    return replaced(text, lambda _, __: HIDDEN)


def replaced(text: str, hide: Hide) -> str:
    """Return *text* with what *hide* gives in the place of each part that looks like a secret."""
    for kind, pattern in _SECRETS:
        text = pattern.sub(partial(_hidden, hide, kind), text)
    return text


def _hidden(hide: Hide, kind: str, found: re.Match[str]) -> str:
    keep = found.groupdict().get("keep") or ""
    return keep + hide(kind, found.group()[len(keep) :])


def printable(text: str) -> str:
    """Return *text* as one line without control characters."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(shown.split())


def cut(text: str, limit: int) -> str:
    """Return *text* in *limit* characters at most, and show where something is missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + CUT


def line(text: str, limit: int) -> str:
    """Return *text* as one line that holds no secret, calls nobody, and is no markup."""
    calm = masked(printable(text)).translate(_CALLING).replace("](", "] (")
    return cut(calm, limit)
