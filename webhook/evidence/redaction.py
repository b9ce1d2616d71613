"""Redaction: secrets in what a model is told, each replaced by a name that stays the same."""

import base64
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Final
from urllib.parse import quote, quote_plus

from webhook import plain

SHORTEST: Final = 4  # characters of a secret of ours that is looked for; others stand everywhere
EMAIL, QUERY, OWN = "email", "query", "own"  # kinds, beside those of plain.py
PRIVATE_KEY: Final = "private_key"  # one of those

_EMAIL: Final = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b"
)
# What signs a link, or lets its bearer in.
_QUERY: Final = re.compile(
    r"(?i)(?P<keep>[?&;](?:amp;)?(?:x-(?:amz|goog|ms)-[\w-]{1,40}|sig|sign|hmac|key|auth|code|state"
    r"|session(?:_?id)?|sid|otp|ticket|jwt|awsaccesskeyid)=)[^\s&\"'<>#]+"
)
SCHEMES: Final = frozenset({"basic", "bearer", "token", "apikey", "digest"})
_ESCAPED: Final = re.compile(r"%[0-9A-F]{2}")
_URLSAFE: Final = bytes.maketrans(b"+/", b"-_")
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
        self._forms = _all_forms(secrets)
        self._own = _any_of(self._forms)

    def __call__(self, text: str) -> str:
        """Return *text*, which was cleaned, with each secret replaced, like `[SECRET_1]`.

        The same secret has the same name in every text.
        """
        if self._own:
            text = self._own.sub(lambda found: self._hide(OWN, found.group()), text)
            text = self._without_half(text) if text.endswith(plain.CUT) else text
        text = plain.replaced(text, self._hide)
        text = _QUERY.sub(lambda found: found["keep"] + self._hide(QUERY, _behind(found)), text)
        text = _EMAIL.sub(lambda found: self._hide(EMAIL, found.group()), text)
        return _MARK.sub(lambda found: self._names[int(found[1])], text)

    def hidden(self, kind: str) -> str:
        """Count a secret that is not looked at, and return what stands in its place."""
        self.counts[kind] += 1
        return "[SECRET_0]"  # which is the name of none

    def _without_half(self, text: str) -> str:
        """Return *text*, which was cut, without the beginning of a secret of ours at its end."""
        body = text.removesuffix(plain.CUT).rstrip()
        begun = (
            length
            for form in self._forms
            for length in range(len(form) - 1, SHORTEST - 1, -1)
            if body.endswith(form[:length])
        )
        if not (longest := max(begun, default=0)):
            return text
        self.counts[OWN] += 1
        return body[:-longest].rstrip() + plain.CUT

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


def without(secrets: Iterable[str]) -> Callable[[str], str]:
    """Return what hides *secrets* in a text for people, in whatever form they are written."""
    own = _any_of(_all_forms(secrets))
    return partial(own.sub, plain.HIDDEN) if own else str


def _all_forms(secrets: Iterable[str]) -> list[str]:
    """Return all forms of *secrets*, the longest first: none is to be cut in two by another."""
    forms = {form for each in secrets if len(each) >= SHORTEST for form in _forms(each)}
    return sorted(forms, key=lambda each: (-len(each), each))


def _any_of(forms: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(re.escape, forms))) if forms else None


def _forms(secret: str) -> Iterable[str]:
    """Return how *secret*, and what it is made of, is written in logs."""
    parts = {each for each in _parts(secret) if len(each) >= SHORTEST}
    written = {form for each in parts for form in _written(each)}
    return written | {unicodedata.normalize("NFKC", each) for each in written}  # as texts come here


def _parts(secret: str) -> Iterator[str]:
    """Return *secret*, the same without `Bearer`, and what `Basic` packs, with its password."""
    yield secret
    scheme, _, bare = secret.rpartition(" ")
    if scheme.lower() in SCHEMES or len(bare) >= 2 * SHORTEST:
        yield bare
    if scheme.lower() == "basic":
        with suppress(ValueError):
            packed = bare.rstrip("=")
            pair = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode()
            yield from (pair, pair.partition(":")[2])


def _written(secret: str) -> Iterator[str]:
    """Return *secret* as it is, in a URL, in JSON, and as `Basic` packs it."""
    yield secret
    for each in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield from (each, _ESCAPED.sub(lambda found: found.group().lower(), each))
    for is_ascii in (True, False):
        yield json.dumps(secret, ensure_ascii=is_ascii)[1:-1]
    packed = base64.b64encode(secret.encode())
    yield from (packed.decode().rstrip("="), packed.translate(_URLSAFE).decode().rstrip("="))
