"""A token: what a caller shows, and the file that says who shows which, by its SHA-256."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from orchestrator.errors import OrchestratorError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")  # no colon: Basic ends the name there
# A plain SHA-256 is enough: a token is 256 random bits, so nobody finds it by guessing, and a slow
# hash would cost each notification what it costs the guesser.
DIGEST = re.compile(r"[0-9a-fA-F]{64}")
NOTHING = hashlib.sha256(b"").digest()


class Role(StrEnum):
    """What a caller is to us; the routes say which of them they answer."""

    VIEWER = "viewer"  # reads
    OPERATOR = "operator"  # reads, and does what a person on duty does
    ADMIN = "admin"  # everything
    ALERTMANAGER = "alertmanager"  # posts alerts


ANYBODY: Final = None  # is not even asked who it is
READERS: Final = frozenset({Role.VIEWER, Role.OPERATOR, Role.ADMIN})
OPERATORS: Final = frozenset({Role.OPERATOR, Role.ADMIN})
ADMINS: Final = frozenset({Role.ADMIN})
POSTERS: Final = OPERATORS | {Role.ALERTMANAGER}
ALL: Final = frozenset(Role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One token that counts. A name has several while its token is changed."""

    caller: Caller
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What an Authorization header holds; a Bearer token names nobody."""

    token: bytes = field(repr=False)
    name: bytes | None = None


class BadTokens(OrchestratorError):
    """The token file cannot be used; every mistake is listed with its line, and no word of it."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def parse(text: str) -> tuple[Line, ...]:
    """Read lines of `name role sha256-of-token`; raise BadTokens, naming every mistake.

    What stands in a wrong line is not repeated: it may be a token.
    """
    lines: dict[int, Line] = {}
    mistakes: list[str] = []
    for number, written in enumerate(text.split("\n"), start=1):
        words = written.partition("#")[0].split()
        if not words:
            continue
        wrong = [*_wrong(words)]
        if not wrong:
            lines[number] = _line(*words)
            wrong = [*_contradictions(number, lines)]
        mistakes += [f"line {number}: {each}" for each in wrong]
    if not lines and not mistakes:
        mistakes = ["has no token, so nobody could call; python -m webhook token makes one"]
    if mistakes:
        raise BadTokens(mistakes)
    return tuple(lines.values())


def line(caller: Caller, token: str) -> str:
    """Write the line of the file that makes *token* count; raise BadTokens for an unusable name."""
    words = [caller.name, caller.role, hashlib.sha256(token.encode()).hexdigest()]
    wrong = [*_wrong(words)]
    if wrong:
        raise BadTokens(wrong)
    return " ".join(words)


def _wrong(words: list[str]) -> Iterator[str]:
    if len(words) != 3:  # noqa: PLR2004  as it says
        yield f"has {len(words)} words; write: name role sha256-of-token"
        return
    name, role, digest = words
    if not NAME.fullmatch(name):
        yield (
            "the name is not 1 to 64 of a-z, A-Z, 0-9, '.', '_', '@', '-',"
            " with a letter or digit to begin with"
        )
    if role not in list(Role):
        yield f"the role is none of {', '.join(Role)}"
    if not DIGEST.fullmatch(digest):
        yield "the third word is not a SHA-256, which is 64 hex digits"
    elif bytes.fromhex(digest) == NOTHING:
        yield "is the SHA-256 of nothing"


def _line(name: str, role: str, digest: str) -> Line:
    return Line(caller=Caller(name=name, role=Role(role)), digest=bytes.fromhex(digest))


def _contradictions(number: int, lines: dict[int, Line]) -> Iterator[str]:
    newest = lines[number]
    for before, known in lines.items():
        if before == number:
            continue
        if known.digest == newest.digest:
            yield f"has the token of line {before}"
        if known.caller.name == newest.caller.name and known.caller != newest.caller:
            yield f"has the name of line {before} and another role"


def shown(authorization: str) -> Shown | None:
    """Read `Bearer TOKEN` or `Basic base64(NAME:TOKEN)`; None for everything else."""
    scheme, _, credentials = authorization.partition(" ")
    credentials = credentials.strip(" ")
    if not (credentials and credentials.isascii()):
        return None
    if scheme.lower() == "bearer":
        return Shown(token=credentials.encode())
    if scheme.lower() != "basic":
        return None
    try:
        name, _, token = base64.b64decode(credentials, validate=True).partition(b":")
    except binascii.Error:
        return None
    return Shown(token=token, name=name)


def caller(lines: Iterable[Line], credentials: Shown) -> Caller | None:
    """Return whose token it is, None when it is nobody's, or not that of who is named.

    It is compared with every line, and with all of it, so the time that it takes tells nothing.
    """
    digest = hashlib.sha256(credentials.token).digest()
    found = None
    for each in lines:
        if hmac.compare_digest(digest, each.digest):
            found = each.caller
    if found and credentials.name is not None and found.name.encode() != credentials.name:
        return None  # who has the token may learn that the name is not its own
    return found
