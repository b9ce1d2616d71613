"""Cleaning: what strangers wrote, as one line of what a reader sees, with nothing hidden in it."""

import re
import unicodedata
from typing import Final

from webhook.plain import CUT, printable, whole

LONGEST: Final = 2_000  # characters of one text that are looked at; the rest is not read at all

# Escape sequences of terminals, also those with one introducer, and what an OSC carries.
_ANSI: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,40}[ -/]{0,10}[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]{0,400}(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]{0,5}[0-~]?"
)

# They are seen by nobody, and joined to letters they hide words from whoever looks for them.
_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Of those, what some languages and pictures are written with, or files begin with.
_USUAL: Final = frozenset("\u00ad\u200c\u200d\ufe0e\ufe0f\ufeff")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]")


def line(text: str, limit: int = LONGEST) -> str:
    """Return *text* as one line of at most *limit* characters: NFKC, without what is not seen.

    It may still hold secrets and orders. Where it is cut, it ends with a whole word: half a secret
    would be taken for none.
    """
    bare = _bare(text[:limit])
    if len(text) <= limit and len(bare) <= limit:  # one sign may have become eighteen
        return bare
    return whole(bare, limit - 1) + CUT


def _bare(text: str) -> str:
    seen = _UNSEEN.sub("", _ANSI.sub("", text))
    composed = unicodedata.normalize("NFKC", seen)
    return printable(_UNSEEN.sub("", composed))  # which leaves no sign for private use, either


def hides(text: str) -> bool:
    """Tell whether *text* has signs that nobody sees, beyond what is usual in logs.

    Colours of a terminal are usual, and so is what some languages are written with.
    """
    bare = _ANSI.sub("", text[:LONGEST])
    unseen = (found for found in _UNSEEN.findall(bare) if found not in _USUAL)
    return next(unseen, None) is not None or _CONTROLS.search(bare) is not None
