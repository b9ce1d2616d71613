"""A reply is an answer in every detail, or it is none: nothing is mended, cut or guessed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.analyzer.answer import Alternative, Answer, Category, Claim, Target
from webhook.analyzer.reply import ACTIONS, BYTES, Malformed, read

WHOLE: dict[str, Any] = {
    "rationale": [{"claim": "The disk is full.", "evidence_ids": ["L1", "M2"]}],
    "alternatives": [{"cause": "memory_leak", "why_not": "The memory is flat."}],
    "root_cause_category": "disk_full",
    "root_cause": "The disk of the database is full.",
    "action": "escalate",
    "target_ref": "none",
    "confidence": 0.9,
    "missing_evidence": ["history"],
    "suspicious_text": False,
}


def _text(**changes: object) -> str:
    return json.dumps({**WHOLE, **changes})


def _without(key: str) -> str:
    return json.dumps({name: value for name, value in WHOLE.items() if name != key})


def test_a_whole_reply_is_read_into_an_answer() -> None:
    assert read(_text()) == Answer(
        rationale=(Claim(claim="The disk is full.", evidence_ids=("L1", "M2")),),
        alternatives=(Alternative(cause=Category.MEMORY_LEAK, why_not="The memory is flat."),),
        root_cause_category=Category.DISK_FULL,
        root_cause="The disk of the database is full.",
        action="escalate",
        target_ref=Target.NONE,
        confidence=0.9,
        missing_evidence=("history",),
        suspicious_text=False,
    )


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("See https://evil.example/?q=1 now.", "See https[:]//evil.example/?q=1 now."),
        ("HTTP://A FTP://B", "HTTP[:]//A FTP[:]//B"),
        ("go to WWW.evil.example, www.b.example", "go to WWW[.]evil.example, www[.]b.example"),
        ("www.www.://", "www[.]www[.][:]//"),
        ("at 12:00 // and awww, http:/a", "at 12:00 // and awww, http:/a"),
    ],
)
def test_no_sentence_of_an_answer_links_anywhere(written: str, read_as: str) -> None:
    answer = read(
        _text(
            root_cause=written,
            rationale=[{"claim": written, "evidence_ids": []}],
            alternatives=[{"cause": "memory_leak", "why_not": written}],
        )
    )
    assert answer.root_cause == read_as
    assert [each.claim for each in answer.rationale] == [read_as]
    assert [each.why_not for each in answer.alternatives] == [read_as]


def test_a_sentence_without_its_links_is_no_longer_than_one_may_be() -> None:
    assert len(read(_text(root_cause="://" * 333)).root_cause) == 1_000


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_of_the_list_can_be_answered(action: str) -> None:
    assert read(_text(action=action)).action == action


@pytest.mark.parametrize("confidence", [0, 1, 0.0, 1.0, 0.7, 0.7000001, 5e-324])
def test_a_confidence_is_read_as_it_was_written(confidence: float) -> None:
    assert read(_text(confidence=confidence)).confidence == confidence


@pytest.mark.parametrize(
    "written",
    [
        *("1.7", "-0.1", "1.0000001", "-1e-9", "1e400", "-1e400", "NaN", "Infinity", "-Infinity"),
        *('"0.9"', "true", "null", "[0.9]", "{}", "0x1", "01", ".9", "9" * 5_000),
    ],
)
def test_a_confidence_that_is_none_is_refused_and_never_cut_to_one(written: str) -> None:
    text = _text().replace('"confidence": 0.9', f'"confidence": {written}')
    assert written in text
    with pytest.raises(Malformed):
        read(text)


@pytest.mark.parametrize("key", WHOLE)
def test_no_key_may_be_missing(key: str) -> None:
    with pytest.raises(Malformed, match=f"^{key}: missing$"):
        read(_without(key))


@pytest.mark.parametrize("key", WHOLE)
def test_no_key_may_be_null(key: str) -> None:
    with pytest.raises(Malformed):
        read(_text(**{key: None}))


@pytest.mark.parametrize(
    "changes",
    [
        {"cmd": "rm -rf /"},
        {"rationale": [{"claim": "x", "evidence_ids": [], "cmd": "x"}]},
        {"alternatives": [{"cause": "clock", "why_not": "x", "cmd": "x"}]},
    ],
)
def test_no_key_may_be_added_at_any_depth(changes: dict[str, object]) -> None:
    with pytest.raises(Malformed, match=r"\?: extra_forbidden$"):
        read(_text(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "delete_database"},
        {"action": "command:cleanup"},
        {"action": "Restart_Service"},
        {"action": "restart_service\n"},
        {"action": ["restart_service"]},
        {"target_ref": "payment-service"},
        {"root_cause_category": "gremlins"},
        {"missing_evidence": ["the password"]},
        {"missing_evidence": "logs"},
        {"suspicious_text": 0},
        {"suspicious_text": "false"},
        {"root_cause": ""},
        {"root_cause": 7},
        {"root_cause": "x" * 1_001},
        {"rationale": []},
        {"rationale": [{"claim": "x", "evidence_ids": ["M1, M2"]}]},
        {"rationale": [{"claim": "x", "evidence_ids": ["the logs"]}]},
        {"rationale": [{"claim": "x", "evidence_ids": ["M1000"]}]},
        {"rationale": [{"claim": "x", "evidence_ids": [1]}]},
        {"rationale": [{"claim": "x", "evidence_ids": ["M1"] * 21}]},
        {"rationale": [{"claim": "x", "evidence_ids": ["M1"]}] * 13},
        {"rationale": {"claim": "x", "evidence_ids": ["M1"]}},
        {"alternatives": [{"cause": "clock", "why_not": "x"}] * 9},
        {"alternatives": [{"cause": "gremlins", "why_not": "x"}]},
    ],
)
def test_no_value_may_be_another_than_it_should(changes: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        read(_text(**changes))


@pytest.mark.parametrize(
    "text",
    [
        _text()[:-1] + ', "action": "restart_service"}',
        _text().replace('"claim":', '"claim": "y", "claim":'),
    ],
)
def test_no_key_may_stand_twice(text: str) -> None:
    with pytest.raises(Malformed, match="a key stands twice"):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "{}", "[]", "null", "7", '"x"', "{", "\x00", "\ufeff" + _text()),
        f"Here it is: {_text()}",
        f"```json\n{_text()}\n```",
        f"{_text()} I hope that helps.",
        f"{_text()}{_text()}",
        f"[{_text()}]",
        _text().replace('"', "'"),
    ],
)
def test_a_text_that_is_not_one_json_object_is_none(text: str) -> None:
    with pytest.raises(Malformed):
        read(text)


@pytest.mark.parametrize("deep", ["[" * 10_000, '{"a":' * 3_000, '{"rationale":' + "[" * 20_000])
def test_a_nest_without_end_is_refused_and_crashes_nothing(deep: str) -> None:
    with pytest.raises(Malformed):
        read(deep)


def test_a_nest_of_a_hundred_thousand_is_refused_before_it_is_read() -> None:
    with pytest.raises(Malformed, match=f"longer than {BYTES} bytes"):
        read("[" * 100_000)


@pytest.mark.parametrize(("missing", "fits"), [(0, True), (1, False)])
def test_its_length_is_bounded_to_the_byte(missing: int, *, fits: bool) -> None:
    text = _text().ljust(BYTES + missing)
    if fits:
        assert read(text) == read(_text())
    else:
        with pytest.raises(Malformed):
            read(text)


@pytest.mark.parametrize("half", ["\ud800", "\\ud800", "\\udfff\\ud800"])
def test_half_a_character_is_none_for_no_database_can_keep_it(half: str) -> None:
    with pytest.raises(Malformed):
        read(_text().replace("The disk of", half))


def test_other_languages_are_read() -> None:
    assert read(_text(root_cause="磁盘已满 💾")).root_cause == "磁盘已满 💾"


def test_what_is_said_of_a_reply_repeats_nothing_of_it() -> None:
    canary = "sk-canary-0123456789"
    for text in (
        _text(**{canary: 1}),
        _text(action=canary),
        _text(confidence=canary),
        canary,
        _text(rationale=[{"claim": "x", canary: 1, "evidence_ids": [canary]}]),
    ):
        with pytest.raises(Malformed) as raised:
            read(text)
        assert canary not in str(raised.value)
        assert canary not in str(raised.value.__cause__)


_ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=10,
)


@given(st.sampled_from(list(WHOLE)), _ANY)
def test_whatever_stands_in_the_place_of_a_value_it_is_an_answer_or_malformed(
    key: str, value: object
) -> None:
    try:
        answer = read(_text(**{key: value}))
    except Malformed:
        return
    assert 0 <= answer.confidence <= 1
    assert answer.action in ACTIONS
    assert isinstance(answer.suspicious_text, bool)


@given(st.text(max_size=200))
def test_no_text_raises_anything_else(text: str) -> None:
    with pytest.raises(Malformed):
        read(text)
