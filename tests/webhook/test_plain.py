"""Strangers' text: no secret, one line, nobody called."""

import pytest

from webhook.plain import cut, in_key, line, masked, printable, whole

KEY = "-----BEGIN RSA PRIVATE KEY-----"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"  # noqa: S105  nobody's


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def-1 sent", "Authorization: Bearer *** sent"),
        ("{'authorization': 'Basic dXNlcjpwdw=='}", "{'authorization': 'Basic ***'}"),
        ("authorization=opaque1, then", "authorization=***, then"),
        ("sent bearer 0123456789abcdef", "sent bearer ***"),
        ("password=hunter2 host=db", "password=*** host=db"),
        ('{"db_password": "hun ter2", "a": 1}', '{"db_password": ***, "a": 1}'),
        ("PGPASSWORD='a b' psql", "PGPASSWORD=*** psql"),
        ('said "{\\"password\\": \\"hunter2\\"}"', 'said "{\\"password\\": ***}"'),
        ("api-key: k1 and API_KEY=k2;", "api-key: *** and API_KEY=***;"),
        ("pass: hunter2", "pass: ***"),
        ("/cb?access_token=t0k&code=1", "/cb?access_token=***&code=1"),
        ("client_secret => s3", "client_secret => ***"),
        ("postgres://app:hunter2@db:5432/x", "postgres://***@db:5432/x"),
        ("https://bot:p@ss@host/y", "https://***@host/y"),
        ("https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/***"),
        ("key AKIAIOSFODNN7EXAMPLE refused", "key *** refused"),
        ("sk-ant-api03-AbCdEfGhIjKl is invalid", "*** is invalid"),
        ("ghp_0123456789abcdefghij", "***"),
        ("xoxb-123456789012-abcdef", "***"),
        (f"jwt {TOKEN}.", "jwt ***."),
        (f"id-{TOKEN}.", "id-***."),
        ("Set-Cookie: sid=1; Path=/", "Set-Cookie: ***"),
        (f"{KEY} MIIE -----END RSA PRIVATE KEY----- loaded", "*** loaded"),
        (f"{KEY} MIIE", "***"),
        ("the password is hunter2", "the password is ***"),
        ("password is: hunter", "password is: ***"),
        ("its token was t0ken, now", "its token was ***, now"),
        ("the password for admin: hunter", "the password for admin: ***"),
        ("password of the user app = hunter", "password of the user app = ***"),
        ("psql --password hunter2 -h db", "psql --password *** -h db"),
        ("x --api-key  hunter", "x --api-key  ***"),
        ("api key: hunter", "api key: ***"),
        ("pw=hunter2", "pw=***"),
        ("pass word=hunter2", "pass word=***"),
        ("password hunter2 refused", "password *** refused"),
        ("secret 'hunter' refused", "secret *** refused"),
        ("connect scott/tiger@orcl", "connect scott/***@orcl"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert masked(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "password authentication failed for user app",
        "basic authentication failed",
        "the token has expired",
        "compass: north; bypass is on",
        "GET http://127.0.0.1:3010/health 200",
        "task-scheduler-with-a-long-name started",
        "mail to anna@example.org bounced",
        "the password is wrong",
        "password is not set",
        "token is expired, api key is invalid",
        "password for user app was not accepted: closed",
        "uses actions/checkout@v4 and library/redis@sha256:0123",
        "power=3 pw of it",
        "secret 42 loaded, token 7 used",
    ],
)
def test_what_holds_no_secret_is_left_as_it_is(text: str) -> None:
    assert masked(text) == text


def test_text_that_is_made_to_be_slow_is_not() -> None:
    hostile = ("password" * 8_000, "://" * 20_000, "a" * 64_000, "basic " * 10_000, "eyJ-" * 20_000)
    assert [len(masked(text)) <= len(text) for text in hostile] == [True] * 5


def test_the_lines_of_a_key_are_known_from_its_beginning_to_its_end() -> None:
    texts = ["a", f"x {KEY}", "MIIE", "kQ==", "-----END RSA PRIVATE KEY----- b", "c"]
    assert in_key(texts) == [False, False, True, True, True, False]


def test_a_key_in_one_line_is_a_key_of_its_own() -> None:
    assert in_key([f"{KEY} MIIE -----END RSA PRIVATE KEY-----", "b"]) == [False, False]


def test_a_key_that_does_not_end_hides_fifty_lines_after_its_beginning() -> None:
    assert in_key([KEY, *["x"] * 60]) == [False] + [True] * 50 + [False] * 10


@pytest.mark.parametrize(
    ("text", "shown"), [("a b cd", "a b"), ("a b,cd", "a b"), ("abcdefgh", ""), ("ab, (cd", "ab")]
)
def test_of_a_text_that_is_too_long_only_whole_words_are_kept(text: str, shown: str) -> None:
    assert whole(text, 5) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r\n\tc\x00d\x1b[31m", "a b c d [31m"),
        ("left\u202eright\u200bzero\ud800", "left right zero"),
        ("  much   room  ", "much room"),
    ],
)
def test_it_becomes_one_line_without_control_characters(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_it_is_cut_visibly_and_only_where_it_is_too_long() -> None:
    assert [cut("abcdef", limit) for limit in (6, 5, 1)] == ["abcdef", "abcd…", "…"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<!channel> look", "‹!channel› look"),  # noqa: RUF001  the quotation marks are meant
        ("@here and <@U123>", "(at)here and ‹(at)U123›"),  # noqa: RUF001
        ("<img src=x onerror=y>", "‹img src=x onerror=y›"),  # noqa: RUF001
        ("[click](http://evil.example)", "[click] (http://evil.example)"),
        ("pass\u200b=1 password\n=\nhunter2", "pass =*** password = ***"),
    ],
)
def test_a_line_calls_nobody_and_is_no_markup(text: str, shown: str) -> None:
    assert line(text, 100) == shown
