"""The body of an answer, read by ourselves."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.analyzer.call import Outcome
from webhook.analyzer.price import Usage
from webhook.analyzer.reply import Malformed
from webhook.claude.message import Message, read

WHOLE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "model": "claude-sonnet-5-5",
    "content": [{"type": "text", "text": "{}"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 4},
}


def _read(**changes: object) -> Message:
    return read(json.dumps({**WHOLE, **changes}).encode())


def test_a_message_is_read_whole() -> None:
    assert _read() == Message(
        id="msg_1",
        model="claude-sonnet-5-5",
        texts=("{}",),
        stop_reason="end_turn",
        stopped=Outcome.OK,
        usage=Usage(input=3, output=4),
    )


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{}", b"[1]", b'"x"', b"null", b"7", b"<html></html>", b"\xff\xfe", b"[" * 99_999),
        *(json.dumps({**WHOLE, each: None}).encode() for each in ("id", "model", "content")),
        json.dumps({**WHOLE, "content": {}}).encode(),
        json.dumps(WHOLE).encode()[:-1] + b',"model":"another"}',
        json.dumps(WHOLE)
        .encode()
        .replace(b'"output_tokens"', b'"input_tokens": 0, "output_tokens"'),
    ],
)
def test_what_is_no_message_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        read(body)


@pytest.mark.parametrize(
    ("stop", "stopped"),
    [
        ("end_turn", Outcome.OK),
        ("refusal", Outcome.REFUSAL),
        ("max_tokens", Outcome.TRUNCATED),
        *(
            (each, Outcome.UNEXPECTED_STOP)
            for each in ("end_turn ", "pause_turn", "tool_use", "stop_sequence", "", None, 7, ["x"])
        ),
    ],
)
def test_only_one_way_to_stop_is_an_answer(stop: object, stopped: Outcome) -> None:
    assert _read(stop_reason=stop).stopped is stopped


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"input_tokens": 0, "output_tokens": 0}, None),
        ({"input_tokens": 3, "output_tokens": 0}, None),
        ({"input_tokens": 0, "output_tokens": 4}, None),
        (
            {"input_tokens": 0, "cache_read_input_tokens": 3, "output_tokens": 4},
            Usage(cache_read=3, output=4),
        ),
        (
            {
                "input_tokens": 1,
                "cache_read_input_tokens": 2,
                "cache_creation_input_tokens": 7,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 3,
                    "ephemeral_1h_input_tokens": 4,
                },
                "output_tokens": 5,
                "output_tokens_details": {"thinking_tokens": 4},
            },
            Usage(input=1, cache_read=2, write_5m=3, write_1h=4, output=5, thinking=4),
        ),
        (
            {"input_tokens": 1, "cache_creation_input_tokens": 7, "output_tokens": 5},
            Usage(input=1, write_1h=7, output=5),
        ),
        (
            {"input_tokens": 1, "cache_creation": None, "output_tokens": 5, "more": []},
            Usage(input=1, output=5),
        ),
        (None, None),
        ([], None),
        ({}, None),
        ({"input_tokens": 1}, None),
        ({"output_tokens": 1}, None),
        *(
            ({"input_tokens": each, "output_tokens": 1}, None)
            for each in (-1, 1.0, True, "1", None, [1], 10**9)
        ),
        ({"input_tokens": 1, "output_tokens": 1, "cache_creation": [1]}, None),
        ({"input_tokens": 1, "output_tokens": 1, "output_tokens_details": "x"}, None),
        ({"input_tokens": 1, "output_tokens": 1, "cache_read_input_tokens": -5}, None),
    ],
)
def test_usage_is_counted_whole_or_not_at_all(usage: object, counts: Usage | None) -> None:
    assert _read(usage=usage).usage == counts


def test_who_says_nothing_may_have_counted_nothing() -> None:
    told = {"input_tokens": 0, "output_tokens": 0}
    assert _read(content=[], usage=told).usage == Usage()


@pytest.mark.parametrize(
    ("details", "category"),
    [
        ({"category": "cyber"}, "cyber"),
        *(({"category": each}, "other") for each in (None, "", "new", 7, ["cyber"])),
        (None, "other"),
        ([], "other"),
        ("cyber", "other"),
    ],
)
def test_the_category_of_a_refusal_is_one_of_a_few_words(details: object, category: str) -> None:
    assert _read(stop_reason="refusal", stop_details=details).refusal == category
    assert _read(stop_reason="end_turn", stop_details=details).refusal == ""


def test_names_of_strangers_are_kept_short_and_on_one_line() -> None:
    found = _read(id="a\nb\x1b[31m" + "x" * 1_000, model="m\u202e" + "y" * 1_000)
    assert (len(found.id), found.id[:6], len(found.model), found.model[:3]) == (
        100,
        "a b [3",
        100,
        "m y",
    )


def test_the_name_of_a_model_links_nowhere_and_calls_nobody() -> None:
    assert _read(model="[m](https://x.example) @here <!channel>").model == (
        "[m] (https[:]//x.example) (at)here \u2039!channel\u203a"
    )


@pytest.mark.parametrize("texts", [[], ["{}", "{}"], [7], [None]])
def test_an_answer_is_one_text(texts: list[object]) -> None:
    with pytest.raises(Malformed):
        _read(content=[{"type": "text", "text": each} for each in texts]).answer()


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@given(st.sampled_from(list(WHOLE)), _ANY)
def test_whatever_stands_in_the_place_of_a_value_nobody_falls_over_it(
    key: str, value: object
) -> None:
    try:
        found = _read(**{key: value})
    except Malformed:
        return
    assert found.usage is None or found.usage.prompt >= 0
