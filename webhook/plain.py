"""Plain text: what strangers wrote, made safe to show to people."""

import re
from typing import Final

HIDDEN: Final = "***"
CUT: Final = "\N{HORIZONTAL ELLIPSIS}"

# What looks like a secret; the part in the group `keep` stays. In this order, for `Bearer` may
# stand behind `Authorization:`. Every repetition is bounded, or the text itself could cost minutes.
_SECRETS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?s)-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}KEY-----|$)",
        r"(?i)(?P<keep>\b(?:set-)?cookie\s{0,3}:\s{0,3}).*",
        (
            r"(?i)(?P<keep>\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?"
            r"(?:(?:bearer|basic|digest|negotiate|token|apikey)\s{1,3})?)[^\s\"',;]+"
        ),
        r"(?i)(?P<keep>\b(?:bearer|basic)\s{1,3})(?=\S{0,200}[\d=])[\w.~+/=-]{8,}",
        (
            r"(?i)(?P<keep>(?:pass(?:word|wd|phrase)|(?<![a-z])pass(?=[\"']?\s{0,3}[:=])|pwd|secret|"
            r"token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|signature)"
            r"[\w.-]{0,40}\\?[\"']?\s{0,3}(?:=>|[:=])\s{0,3})"
            r"(?:\\?\"[^\"]*\"?|'[^']*'?|[^\s,;&)}\]]+)"
        ),
        r"(?P<keep>://)[^\s/]{1,200}(?=@)",  # a name and a password in an address
        r"(?P<keep>\bhooks\.slack\.com/)\S+",
        r"\bA[KS]IA[0-9A-Z]{16}\b",
        r"\bsk-[\w-]{16,}",
        r"\b(?:gh[opsru]_|github_pat_|glpat-|xox[abeprs]-)[\w-]{10,}",
        r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",  # a JSON web token
    )
)

_LEFT: Final = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"
_RIGHT: Final = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
# `<!channel>` and `@here` wake everybody in Slack, `<a>` is HTML, `](` makes a link of Markdown.
_CALLING: Final = str.maketrans({"<": _LEFT, ">": _RIGHT, "@": "(at)"})


def masked(text: str) -> str:
    """Return *text* with what looks like a secret replaced."""
    for pattern in _SECRETS:
        text = pattern.sub(_hide, text)
    return text


def _hide(found: re.Match[str]) -> str:
    return f"{found.groupdict().get('keep') or ''}{HIDDEN}"


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
