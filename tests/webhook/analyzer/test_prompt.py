"""What a model is told, and that it is the same each time."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from webhook.analyzer import prompt
from webhook.analyzer.answer import Category, Target
from webhook.analyzer.prompt import DIGEST, SCHEMA, SYSTEM, VERSION, body, written
from webhook.analyzer.reply import LACKING
from webhook.catalogue import CATALOGUE

ASKED: dict[str, Any] = {"model": "claude-sonnet-5-5", "effort": "medium", "instance": "i-1"}


def _objects(schema: object) -> Iterator[dict[str, Any]]:
    """Tell every object that *schema* describes, at any depth."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for each in schema.values():
            yield from _objects(each)


def test_a_request_is_the_static_part_and_one_turn_with_the_pack() -> None:
    assert body('{"about":{}}', **ASKED) == {
        "model": "claude-sonnet-5-5",
        "max_tokens": 4_096,
        "system": SYSTEM,
        "messages": [{"role": "user", "content": [{"type": "text", "text": '{"about":{}}'}]}],
        "output_config": {
            "effort": "medium",
            "format": {"type": "json_schema", "schema": SCHEMA},
        },
        "metadata": {"user_id": "i-1"},
    }


def test_every_object_of_the_schema_is_closed_and_wants_all_of_its_keys() -> None:
    found = list(_objects(SCHEMA))
    assert len(found) == 3
    for each in found:
        assert each["additionalProperties"] is False
        assert each["required"] == list(each["properties"])


def test_the_reasons_come_before_the_verdict() -> None:
    assert list(SCHEMA["properties"]) == [  # type: ignore[call-overload]  # a dict, as it stands above
        "rationale",
        "alternatives",
        "root_cause_category",
        "root_cause",
        "action",
        "target_ref",
        "confidence",
        "missing_evidence",
        "suspicious_text",
    ]


def test_only_actions_of_the_catalogue_can_be_answered() -> None:
    known = [*CATALOGUE, "none", "escalate"]
    properties: Any = SCHEMA["properties"]
    assert properties["action"]["enum"] == known
    assert properties["root_cause_category"]["enum"] == list(Category)
    assert properties["target_ref"]["enum"] == list(Target)
    assert properties["missing_evidence"]["items"]["enum"] == list(LACKING)


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_action_is_explained_with_its_risk_and_with_what_takes_it_back(name: str) -> None:
    [line] = [each for each in SYSTEM.splitlines() if each.startswith(f"- `{name}`:")]
    remedy = CATALOGUE[name]
    assert ("takes from a working service" in line) == remedy.disruptive
    undo = f"`{remedy.undo}` takes it back" if remedy.undo else "cannot be taken back"
    assert undo in line


def test_the_model_is_not_told_from_where_on_it_is_obeyed() -> None:
    assert not re.search(r"0\.70|threshold|auto|above 0|exceed|budget", SYSTEM, re.IGNORECASE)


def test_nobody_asks_for_its_inner_reasoning() -> None:
    assert not re.search(r"chain of thought|step.by.step|reasoning", SYSTEM, re.IGNORECASE)


def test_the_static_part_is_about_as_long_as_it_was_meant_to_be() -> None:
    assert 1_400 < (len(SYSTEM) + len(json.dumps(SCHEMA))) / 4 < 2_500


def test_who_changes_the_prompt_gives_it_a_new_version() -> None:
    """Scores are kept by version: add a line here, and never change one."""
    assert {VERSION: DIGEST} == {"1": _DIGEST}


_DIGEST = "8397a80e139e6637c976d0a8db3eb11e80dc333d26be51a012e98dc3a180a24e"


def test_nothing_of_an_incident_stands_in_the_static_part() -> None:
    one, two = body("a", **ASKED), body("b", **ASKED)
    del one["messages"], two["messages"]
    assert one == two


def test_the_same_request_is_written_alike_whatever_the_order_of_its_keys() -> None:
    asked = body("a", **ASKED)
    assert written(asked) == written(dict(reversed(asked.items())))
    assert json.loads(written(asked)) == asked


def test_a_request_can_be_written_to_any_file() -> None:
    assert written(body("\u202e\ud800", **ASKED)).isascii()


def test_the_static_part_tells_of_no_secret_place() -> None:
    assert not re.search(r"https?://|sk-|/home|127\.0\.0\.1", prompt.SYSTEM)
