"""Cleaned text: one line of what a reader sees, and the sign that something was hidden."""

import pytest

from webhook.evidence.clean import LONGEST, hides, line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r\n\tc\x00d", "a b c d"),
        ("\x1b[31mred\x1b[0m \x9b1mbold", "red bold"),
        ("\x1b]8;;http://evil.example\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\\x1b(Bx\x1b7", "x"),
        ("left\u202eright\u2066a\u2069", "leftrighta"),
        ("ig\u200bno\u00adre\ufeff", "ignore"),
        ("a\U000e0069\U000e0067b\U000e0101", "ab"),
        ("\uff49\uff47\uff4e\uff4f\uff52\uff45 \uff1cb\uff1e \u2460", "ignore <b> 1"),
        ("own \ue000 marks \U0010fffd", "own marks"),
        ("half\ud800", "half"),
        ("Gr\u00f6\u00dfe \u65e5\u672c", "Gr\u00f6\u00dfe \u65e5\u672c"),
        ("", ""),
    ],
)
def test_only_what_a_reader_sees_is_left_in_one_line(text: str, shown: str) -> None:
    assert line(text) == shown
    assert line(shown) == shown


def test_it_is_cut_visibly_and_a_sign_that_becomes_many_makes_it_no_longer() -> None:
    assert line("abcd efgh", 9) == "abcd efgh"
    assert line("abcd efgh", 8) == "abcd\u2026"
    assert len(line("\ufdfa" * 9_000)) <= LONGEST


@pytest.mark.parametrize("text", ["a b=cd,efgh", "a b=cd,(efg)", "a b=cd efghi", "a b=cd,ef"])
def test_a_word_that_is_not_whole_is_dropped_for_it_may_be_half_a_secret(text: str) -> None:
    assert line(text, 8) == "a b=cd\u2026"
    assert line("x" * 5_000) == "\u2026"


@pytest.mark.parametrize(
    "text",
    ["a\u200bb", "\u202eabc", "\U000e0069", "a\x00b", "\x08\x08", "\U000e0101", "\u2062", "\u3164"],
)
def test_signs_that_nobody_sees_are_noticed(text: str) -> None:
    assert hides(text)


@pytest.mark.parametrize(
    "text",
    [
        "two\r\n\tlines",
        "\x1b[1;31mred\x1b[0m",
        "\ufeffat the beginning",
        "\U0001f469\u200d\U0001f4bb and \u2764\ufe0f",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "Gr\u00f6\u00dfe",
    ],
)
def test_colours_and_what_languages_are_written_with_hide_nothing(text: str) -> None:
    assert not hides(text)
