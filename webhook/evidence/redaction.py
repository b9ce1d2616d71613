"""Redaction: secrets in what a model is told, each replaced by a name that stays the same."""

import base64
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from webhook import plain

SHORTEST: Final = 4  # characters of a secret of ours that is looked for; others stand everywhere
EMAIL, QUERY, OWN = "email", "query", "own"  # kinds, beside those of plain.py

_EMAIL: Final = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b"
)
# What signs a link, or lets its bearer in.
_QUERY: Final = re.compile(
    r"(?i)(?P<keep>[?&;](?:amp;)?(?:x-(?:amz|goog|ms)-[\w-]{1,40}|sig|sign|hmac|key|auth|code|state"
    r"|session(?:_?id)?|sid|otp|ticket|jwt|awsaccesskeyid)=)[^\s&\"'<>#]+"
)
# While we work, a secret is a sign that no cleaned text has; so no text can pass for one.
_BEGIN, _END = "\ue000", "\ue001"
_MARK: Final = re.compile(f"{_BEGIN}(\\d+){_END}")
_MARKS: Final = re.compile(f"(?:{_BEGIN}\\d+{_END})+")
PLACEHOLDER: Final = re.compile(r"\[(SECRET|EMAIL)_\d+\]")


class Redaction:
    """What was replaced in the texts of one pack. Lives as long as the making of that pack."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.counts: Counter[str] = Counter()  # replaced, by kind
        self._numbers: dict[str, int] = {}  # of each secret, in the order in which they came
        self._names: list[str] = []
        self._many: Counter[str] = Counter()  # names given, by their word
        forms = {form for each in secrets if len(each) >= SHORTEST for form in _forms(each)}
        longest = sorted(forms, key=lambda each: (-len(each), each))
        self._own = re.compile("|".join(map(re.escape, longest))) if longest else None

    def __call__(self, text: str) -> str:
        """Return *text*, which was cleaned, with each secret replaced, like `[SECRET_1]`.

        The same secret has the same name in every text.
        """
        if self._own:
            text = self._own.sub(lambda found: self._hide(OWN, found.group()), text)
        text = plain.replaced(text, self._hide)
        text = _QUERY.sub(lambda found: found["keep"] + self._hide(QUERY, _behind(found)), text)
        text = _EMAIL.sub(lambda found: self._hide(EMAIL, found.group()), text)
        return _MARK.sub(lambda found: self._names[int(found[1])], text)

    def _hide(self, kind: str, secret: str) -> str:
        if _MARKS.fullmatch(secret):
            return secret  # it was found before, as what it is
        if secret not in self._numbers:
            word = "EMAIL" if kind == EMAIL else "SECRET"
            self._many[word] += 1
            self._numbers[secret] = len(self._names)
            self._names.append(f"[{word}_{self._many[word]}]")
        self.counts[kind] += 1
        return f"{_BEGIN}{self._numbers[secret]}{_END}"


def _behind(found: re.Match[str]) -> str:
    return found.group()[len(found["keep"]) :]


def _forms(secret: str) -> Iterable[str]:
    """Return how *secret* is written in logs: as it is, in a URL, and as `Basic` packs it."""
    bare = secret.rpartition(" ")[2]  # without `Bearer`
    packed = base64.b64encode(secret.encode()).decode().rstrip("=")
    known = {secret, quote(secret, safe=""), packed}
    return known | {bare} if len(bare) >= 2 * SHORTEST else known
