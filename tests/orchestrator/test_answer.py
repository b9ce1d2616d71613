"""An answer has a bounded reason, a label, and JSON of one meaning."""

import pytest

from orchestrator.answer import IN_WORDS, Answer, Reason, decoded


def test_every_reason_is_put_in_words() -> None:
    assert (set(IN_WORDS), len(set(IN_WORDS.values()))) == (set(Reason), len(Reason))


@pytest.mark.parametrize(
    ("media_type", "is_json"),
    [
        ("", True),
        ("application/json", True),
        ("application/problem+json", True),
        ("application/health+json", True),
        ("text/plain", False),
        ("text/html", False),
        ("application/jsonp", False),
        ("application/openmetrics-text", False),
    ],
)
def test_an_answer_is_json_by_its_label(media_type: str, *, is_json: bool) -> None:
    assert Answer(reason=None, media_type=media_type).is_json is is_json


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b' {"a": [1, 2.5, null, true, "\xc3\xa9"]}\n', {"a": [1, 2.5, None, True, "\u00e9"]}),
        (b'{"a": {"b": 1}, "b": {"a": 2}}', {"a": {"b": 1}, "b": {"a": 2}}),
        (b"null", None),
        (b"7", 7),
    ],
)
def test_json_is_decoded(body: bytes, value: object) -> None:
    assert decoded(body) == value


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"a": 1, "a": 1}', "a key stands twice"),
        (b'[{"b": {"a": 1, "a": 2}}]', "a key stands twice"),
        (b"NaN", "NaN is no number of JSON"),
        (b'{"a": Infinity}', "Infinity is no number of JSON"),
        (b'{"a": -Infinity}', "-Infinity is no number of JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deep"),
    ],
)
def test_what_python_would_let_pass_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        decoded(body)
    assert str(refused.value) == why


@pytest.mark.parametrize(
    "body", [b"", b"{", b"{'a': 1}", b"[1,]", b"{} {}", b'"\xff"', b"9" * 5000, b"<html>"]
)
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decoded(body)
