"""The token file is read strictly and quoted never; a token is its caller's and nobody else's."""

import base64
import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhook import token
from webhook.token import BadTokens, Caller, Line, Role, Shown

QUICK = settings(max_examples=300, derandomize=True, deadline=None)
LONG = settings(max_examples=5_000, deadline=None)
ANN = Caller(name="ann@example.org", role=Role.ADMIN)
MESH = Caller(name="alertmanager", role=Role.ALERTMANAGER)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _entry(caller: Caller, text: str) -> Line:
    return Line(caller=caller, digest=hashlib.sha256(text.encode()).digest())


def test_lines_are_read_and_comments_and_blanks_are_not() -> None:
    written = (
        f"# who may call\r\n\n  ann@example.org\tadmin  {_hash('one')}   # until May\n"
        f"alertmanager alertmanager {_hash('two').upper()}\n   # {_hash('three')}\n"
        f"alertmanager alertmanager {_hash('four')}"
    )
    entries = (_entry(ANN, "one"), _entry(MESH, "two"), _entry(MESH, "four"))
    assert token.parse(written) == entries


@pytest.mark.parametrize("role", list(Role))
def test_a_line_that_was_made_is_read_as_it_was_meant(role: Role) -> None:
    caller = Caller(name="a", role=role)
    assert token.parse(token.line(caller, "open sesame")) == (_entry(caller, "open sesame"),)


NAMES = (
    "the name is not 1 to 64 of a-z, A-Z, 0-9, '.', '_', '@', '-',"
    " with a letter or digit to begin with"
)
ROLES = "the role is none of viewer, operator, admin, alertmanager"
DIGESTS = "the third word is not a SHA-256, which is 64 hex digits"
WORDS = "write: name role sha256-of-token"
EMPTY = "has no token, so nobody could call; python -m webhook token makes one"


@pytest.mark.parametrize(
    ("written", "mistakes"),
    [
        ("", [EMPTY]),
        ("\n# nobody\n", [EMPTY]),
        ("ann", [f"line 1: has 1 words; {WORDS}"]),
        ("\nann admin", [f"line 2: has 2 words; {WORDS}"]),
        (f"ann admin {_hash('x')} more", [f"line 1: has 4 words; {WORDS}"]),
        (f"a:n admin {_hash('x')}", [f"line 1: {NAMES}"]),
        (f"-a admin {_hash('x')}", [f"line 1: {NAMES}"]),
        (f"\u00e4nn admin {_hash('x')}", [f"line 1: {NAMES}"]),
        (f"{'a' * 65} admin {_hash('x')}", [f"line 1: {NAMES}"]),
        (f"ann Admin {_hash('x')}", [f"line 1: {ROLES}"]),
        (f"ann root {_hash('x')[1:]}", [f"line 1: {ROLES}", f"line 1: {DIGESTS}"]),
        ("ann admin open-sesame", [f"line 1: {DIGESTS}"]),
        (f"ann admin {_hash('x')}0", [f"line 1: {DIGESTS}"]),
        (f"ann admin {_hash('')}", ["line 1: is the SHA-256 of nothing"]),
        (
            f"ann admin {_hash('x')}\nbob viewer {_hash('x')}",
            ["line 2: has the token of line 1"],
        ),
        (
            f"ann admin {_hash('x')}\n\nann viewer {_hash('y')}",
            ["line 3: has the name of line 1 and another role"],
        ),
    ],
)
def test_a_mistake_is_named_by_its_line(written: str, mistakes: list[str]) -> None:
    with pytest.raises(BadTokens) as refused:
        token.parse(written)
    assert refused.value.mistakes == mistakes


def test_a_token_in_the_wrong_place_is_not_repeated() -> None:
    secret = "V3ry-S3cret"  # noqa: S105  the point of it
    with pytest.raises(BadTokens) as refused:
        token.parse(f"{secret} a b c\nann {secret} {secret}\n:{secret} admin {secret}\n{secret}")
    assert (len(refused.value.mistakes), secret in str(refused.value)) == (6, False)


@pytest.mark.parametrize("name", ["", "a:b", "a b", "a\nb", "#a"])
def test_no_line_is_made_for_a_name_that_could_not_be_read(name: str) -> None:
    with pytest.raises(BadTokens) as refused:
        token.line(Caller(name=name, role=Role.ADMIN), "x")
    assert refused.value.mistakes == [NAMES]


def _basic(login: str) -> str:
    return f"Basic {base64.b64encode(login.encode()).decode()}"


@pytest.mark.parametrize(
    ("authorization", "read"),
    [
        ("Bearer x", Shown(token=b"x")),
        ("bearer  x ", Shown(token=b"x")),
        ("Bearer a b", Shown(token=b"a b")),
        (_basic("ann:x"), Shown(name=b"ann", token=b"x")),
        (_basic("ann:x:y"), Shown(name=b"ann", token=b"x:y")),
        (_basic("ann").replace("Basic", "BASIC"), Shown(name=b"ann", token=b"")),
        ("", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("Bearer \u00e9", None),
        ("Basic", None),
        ("Basic %%%", None),
        ("Basic YW5uOng", None),
        ("Digest x", None),
        ("x", None),
    ],
)
def test_bearer_and_basic_are_read_and_nothing_else(authorization: str, read: Shown | None) -> None:
    assert token.shown(authorization) == read


ENTRIES = (_entry(ANN, "one"), _entry(MESH, "two"), _entry(MESH, "three"))


@pytest.mark.parametrize(
    ("authorization", "caller"),
    [
        ("Bearer one", ANN),
        ("Bearer two", MESH),
        ("Bearer three", MESH),
        (_basic("ann@example.org:one"), ANN),
        (_basic("alertmanager:three"), MESH),
        (_basic("alertmanager:one"), None),
        (_basic("mallory:one"), None),
        (_basic(":one"), None),
        (_basic("one"), None),
        ("Bearer On", None),
        ("Bearer onetwo", None),
        (f"Bearer {_hash('one')}", None),
        (_basic(f"ann@example.org:{_hash('one')}"), None),
    ],
)
def test_a_token_is_its_callers_and_nobody_elses(authorization: str, caller: Caller | None) -> None:
    credentials = token.shown(authorization)
    assert credentials
    assert token.caller(ENTRIES, credentials) == caller


@pytest.mark.parametrize("text", ["one", "two", "nobody's"])
def test_every_line_is_compared_whichever_fits(text: str) -> None:
    compared: list[Line] = []

    def noted() -> Iterator[Line]:
        for each in ENTRIES:
            compared.append(each)
            yield each

    token.caller(noted(), Shown(token=text.encode()))
    assert compared == list(ENTRIES)


def test_no_repr_shows_a_token_or_its_hash() -> None:
    shown = token.shown(_basic("ann@example.org:open sesame"))
    told = repr([shown, _entry(ANN, "open sesame")])
    assert [each for each in ("open", "digest", "token") if each in told] == []


_role = st.sampled_from([*Role, "root", ""])
_digest = st.one_of(st.binary(min_size=32, max_size=32).map(bytes.hex), st.text(max_size=70))
_line = st.one_of(st.tuples(st.text(max_size=8), _role, _digest).map(" ".join), st.text())


def _parses_or_tells_lines(written: str) -> None:
    try:
        read = token.parse(written)
    except BadTokens as error:
        told = error.mistakes
        assert told == [each for each in told if each == EMPTY or each.startswith("line ")] != []
    else:
        assert len({each.digest for each in read}) == len(read) > 0


@QUICK
@given(st.lists(_line, max_size=6).map("\n".join))
def test_any_text_is_a_roll_or_a_list_of_mistakes(written: str) -> None:
    _parses_or_tells_lines(written)


_header = st.one_of(
    st.text(),
    st.tuples(st.sampled_from(["Bearer ", "Basic ", "basic", "Basic  "]), st.text()).map("".join),
    st.binary().map(lambda raw: f"Basic {base64.b64encode(raw).decode()}"),
)


def _lets_nobody_in(authorization: str) -> None:
    credentials = token.shown(authorization)
    assert credentials is None or token.caller(ENTRIES, credentials) is None


@QUICK
@given(_header)
def test_no_text_that_is_no_token_lets_anybody_in(authorization: str) -> None:
    _lets_nobody_in(authorization)


@pytest.mark.long
@LONG
@given(st.lists(_line, max_size=6).map("\n".join), _header)
def test_a_longer_search_finds_nothing_that_raises(written: str, authorization: str) -> None:
    _parses_or_tells_lines(written)
    _lets_nobody_in(authorization)
