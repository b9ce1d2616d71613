"""Redacted text: no secret, the same name for the same secret, and all of it counted."""

import base64

import pytest

from webhook.evidence.clean import LONGEST, line
from webhook.evidence.redaction import SHORTEST, Redaction

OWN = "correct-horse+battery"
PEM = "-----BEGIN RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def-1 sent", "Authorization: Bearer [SECRET_1] sent"),
        ("password=hunter2 host=db", "password=[SECRET_1] host=db"),
        ("postgres://app:hunter2@db:5432/x", "postgres://[SECRET_1]@db:5432/x"),
        ("Set-Cookie: sid=1; Path=/", "Set-Cookie: [SECRET_1]"),
        ("key AKIAIOSFODNN7EXAMPLE refused", "key [SECRET_1] refused"),
        ("sk-ant-api03-AbCdEfGhIjKl is invalid", "[SECRET_1] is invalid"),
        (f"{PEM} MIIE -----END RSA PRIVATE KEY----- loaded", "[SECRET_1] loaded"),
        (f"{PEM} MIIE", "[SECRET_1]"),
        ("GET /f?a=1&X-Amz-Signature=ab12&b=2", "GET /f?a=1&X-Amz-Signature=[SECRET_1]&b=2"),
        ("/cb?code=4/0Ab&state=xyz", "/cb?code=[SECRET_1]&state=[SECRET_2]"),
        ("mail to anna.b+c@mail.example.org bounced", "mail to [EMAIL_1] bounced"),
        ("nothing to hide: 12 of 13 @ noon", "nothing to hide: 12 of 13 @ noon"),
    ],
)
def test_what_looks_like_a_secret_gets_a_name(text: str, shown: str) -> None:
    assert Redaction()(text) == shown


def test_the_same_secret_has_the_same_name_in_every_text_and_all_are_counted() -> None:
    redaction = Redaction()
    told = [
        redaction(each)
        for each in (
            "password=hunter2 from a@b.example",
            "token: t0k, password=hunter2",
            "c@d.example and a@b.example",
        )
    ]
    assert told == [
        "password=[SECRET_1] from [EMAIL_1]",
        "token: [SECRET_2], password=[SECRET_1]",
        "[EMAIL_2] and [EMAIL_1]",
    ]
    assert redaction.counts == {"assignment": 3, "email": 3}


@pytest.mark.parametrize(
    "text",
    [
        OWN,
        f"refused:{OWN}",
        f"password={OWN}",
        f"Bearer {OWN}",
        "?q=correct-horse%2Bbattery",
        f"x {base64.b64encode(OWN.encode()).decode()} y",
        f"Basic {base64.b64encode(OWN.encode()).decode()}",
        "?q=correct-horse%2bbattery",
    ],
)
def test_our_own_secrets_are_found_in_every_form(text: str) -> None:
    told = Redaction({f"Bearer {OWN}", OWN})(text)
    assert ("horse" in told, "battery" in told, "[SECRET_1]" in told) == (False, False, True)
    assert base64.b64encode(OWN.encode()).decode()[:8] not in told


def test_the_longer_of_two_own_secrets_is_not_cut_in_two() -> None:
    assert Redaction({"opensesame", "opensesame-2"})("x opensesame-2") == "x [SECRET_1]"


def test_own_secrets_that_are_too_short_to_mean_anything_are_not_looked_for() -> None:
    assert Redaction({"", "a", "abc"})("a cab and abc") == "a cab and abc"


def test_a_text_that_looks_like_a_name_of_ours_stands_for_nothing() -> None:
    redaction = Redaction()
    assert redaction("[SECRET_1] password=[SECRET_1x") == "[SECRET_1] password=[SECRET_1]"
    assert redaction.counts == {"assignment": 1}


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("correct horse/battery", "?q=correct+horse%2Fbattery"),
        ("correct horse/battery", "?q=correct%20horse%2fbattery"),
        ('correct"horse\\battery', r'{"a": "correct\"horse\\battery"}'),
        ("correct\u00e9horse", r'{"a": "correct\u00e9horse"}'),
        (f"Basic {base64.b64encode(b'anna:correct-horse').decode()}", "as anna:correct-horse"),
        (f"Basic {base64.b64encode(b'anna:correct-horse').decode()}", "said 'correct-horse'"),
        (f"Basic {base64.b64encode(b'anna:correct-horse').decode()}=", "said 'correct-horse'"),
        ("Bearer horse", "said 'horse'"),
        ("Token horse", "said 'horse'"),
        ("\uff43orrect-horse", "said 'correct-horse'"),
    ],
)
def test_our_own_secrets_are_found_as_programs_write_them(secret: str, text: str) -> None:
    told = Redaction({secret})(text)
    assert ("correct" in told, "horse" in told, "[SECRET_1]" in told) == (False, False, True)


def test_a_basic_that_packs_nothing_is_looked_for_as_it_is() -> None:
    assert Redaction({"Basic ???!"})("x Basic ???! y") == "x [SECRET_1] y"


@pytest.mark.parametrize("secret", [f"orchestrator-{OWN}-token", "a secret of several words"])
def test_a_secret_of_ours_that_stands_at_the_cut_is_not_told_in_part(secret: str) -> None:
    parts = [secret[:length] for length in range(SHORTEST, len(secret))]
    for begins in range(LONGEST - len(secret) - 2, LONGEST + 2):
        text = f"{'x ' * LONGEST}"[: begins - 1] + f" {secret} y"
        told = Redaction({secret})(line(text))
        assert [each for each in parts if each in told] == []


@pytest.mark.parametrize(
    "secret", ["AKIAIOSFODNN7EXAMPLE", "sk-ant-api03-AbCdEfGhIjKl", "pg://a:b@c"]
)
def test_a_secret_of_others_that_stands_at_the_cut_is_not_told_in_part(secret: str) -> None:
    for begins in range(LONGEST - len(secret) - 2, LONGEST + 2):
        text = f"{'x ' * LONGEST}"[: begins - 1] + f" {secret} y"
        assert set(Redaction()(line(text)).replace("[SECRET_1]", "")) <= set("xypg:/@c \u2026")
