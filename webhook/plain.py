"""Plain text: what strangers wrote, made safe to show to people."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

Hide = Callable[[str, str], str]  # a kind and a secret -> what stands in its place

HIDDEN: Final = "***"
CUT: Final = "\N{HORIZONTAL ELLIPSIS}"

# What a secret is called where it is spoken of, what it is then, and what is said of it instead.
_NAMED: Final = (
    r"(?:pass[ _-]?(?:word|wd|phrase)|(?<![a-z])(?:pass|pwd|pw)|secret|token|api[ _-]?key)"
    r"(?![a-z])"
)
_VALUE: Final = r"(?:\"[^\"]{0,200}\"?|'[^']{0,200}'?|[^\s,;&)}\]]+)"
_USUAL: Final = (
    r"(?:a|an|the|not|no|none|null|never|now|only|still|too|already|being|about|required|needed|"
    r"missing|absent|empty|blank|unset|set|wrong|incorrect|correct|bad|good|ok|valid|invalid|"
    r"malformed|unknown|undefined|expired|expiring|revoked|stale|old|new|weak|short|long|used|"
    r"unused|stored|sent|rejected|refused|denied|accepted|closed|failed|disabled|enabled|"
    r"unavailable|from|for|in|of|on|to|by|due|same|longer|changed|different|created|read|written)"
)

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
                r"(?i)(?P<keep>(?:pass[ _-]?(?:word|wd|phrase)|pwd|secret|token|"
                r"(?<![a-z])(?:pass|pw)(?=[\"']?\s{0,3}[:=])|(?:api|access|private)[ _-]?key|"
                r"credentials?|signature)"
                r"[\w.-]{0,40}\\?[\"']?\s{0,3}(?:=>|[:=])\s{0,3})"
                r"(?:\\?\"[^\"]*\"?|'[^']*'?|[^\s,;&)}\]]+)"
            ),
        ),
        (
            "assignment",
            rf"(?i)(?P<keep>(?<![a-z])--[\w-]{{0,20}}{_NAMED}[\w-]{{0,20}}\s{{1,3}})(?!-){_VALUE}",
        ),
        (  # in a sentence: `the password is X`, `the password for admin: X`
            "assignment",
            (
                rf"(?i)(?P<keep>{_NAMED}\s{{1,3}}(?:(?:is|was)(?:\s{{0,3}}[:=])?\s{{1,3}}"
                r"|(?:for|of)\s{1,3}(?:[\w.-]{1,40} ){0,3}[\w.@-]{1,60}\s{0,3}[:=]\s{0,3}))"
                rf"(?!{_USUAL}\b){_VALUE}"
            ),
        ),
        (  # `password hunter2`, where it is no usual word
            "assignment",
            (
                rf"(?i)(?P<keep>{_NAMED}\s{{1,3}})(?:\"[^\"]{{4,200}}\"|'[^']{{4,200}}'"
                r"|(?=[^\s,;]{0,60}[a-z])(?=[^\s,;]{0,60}\d)[^\s,;]{6,200})"
            ),
        ),
        ("address", r"(?P<keep>://)[^\s/]{1,200}(?=@)"),  # a name and a password in an address
        (  # as Oracle has it; what builds name a release by looks alike
            "address",
            (
                r"(?P<keep>(?<![\w/.:@-])[A-Za-z]\w{0,30}/)[^\s/@]{1,64}"
                r"(?=@(?!v?\d|sha\d)[A-Za-z][\w.-])"
            ),
        ),
        ("address", r"(?P<keep>\bhooks\.slack\.com/)\S+"),
        ("token", r"\bA[KS]IA[0-9A-Z]{16}\b"),
        ("token", r"\bsk-[\w-]{16,}"),
        ("token", r"\b(?:gh[opsru]_|github_pat_|glpat-|xox[abeprs]-)[\w-]{10,}"),
        (
            "token",
            r"(?P<keep>(?<![\w-])(?:[\w-]{0,40}-)?)eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",
        ),  # a JSON web token
    )
)

_LEFT: Final = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"
_RIGHT: Final = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
_BETWEEN: Final = " ,;\"'(){}[]<>|"  # words
KEY: Final = 50  # lines of a key whose end nobody wrote
_KEY_BEGINS: Final = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
_KEY_ENDS: Final = re.compile(r"-----END [A-Z ]{0,40}KEY-----")
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
    if not text.isprintable():  # seldom, and to look at each character takes long
        text = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(text.split())


def whole(text: str, limit: int) -> str:
    """Return the whole words in the first *limit* characters of *text*, which goes on behind them.

    Half a secret looks like none, and still says most of it.
    """
    begun = text[:limit]
    return begun[: max(map(begun.rfind, _BETWEEN)) + 1].rstrip(_BETWEEN)


def in_key(texts: Iterable[str]) -> list[bool]:
    """Tell which of *texts*, lines in their order, go on with a key that began in one before."""
    told, left = [], 0
    for text in texts:
        told.append(left > 0)
        left = max(left - 1, 0)
        begins = [each.end() for each in _KEY_BEGINS.finditer(text)]
        left = KEY if begins else left
        left = 0 if _KEY_ENDS.search(text, begins[-1] if begins else 0) else left
    return told


def cut(text: str, limit: int) -> str:
    """Return *text* in *limit* characters at most, and show where something is missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + CUT


def line(text: str, limit: int) -> str:
    """Return *text* as one line that holds no secret, calls nobody, and is no markup."""
    calm = masked(printable(text)).translate(_CALLING).replace("](", "] (")
    return cut(calm, limit)
