"""The audit's entries and heads are written one way."""

import pytest

from tests.webhook.make import NOW
from webhook import audit
from webhook.audit import GENESIS, BadHead, Head


def test_the_hash_of_an_entry_in_its_place_is_always_the_same() -> None:
    entry = audit.entry("said", {"b": "\N{SNOWMAN}", "a": 1}, at=NOW, actor="ann")
    written = ("2026-11-21T12:00:00.000000Z", "ann", "said", '{"a":1,"b":"\\u2603"}')
    assert (entry.at, entry.actor, entry.what, entry.data) == written
    assert audit.digest(entry, id=1, previous=GENESIS) == (
        "bd1eb8bad934a257f4aea86cb08962bc81fa61988692f1aca04c80b371388c29"
    )


def test_what_lets_the_audit_begin_later_names_the_last_row_and_its_hash() -> None:
    entry = audit.pruned(Head(rows=7, hash=GENESIS), at=NOW)
    assert (entry.actor, entry.what, entry.data) == (
        "webhook",
        "audit pruned",
        f'{{"hash":"{GENESIS}","through":7}}',
    )


@pytest.mark.parametrize("text", ["6:0f1e2d3c4b5a", f"0:{GENESIS}"])
def test_a_head_is_read_as_it_is_written(text: str) -> None:
    assert str(audit.head(text)) == text


HALF = "0f1e2d3c4b5a"
NONE = [
    "",
    "6",
    "6:",
    f":{HALF}",
    f"6:{HALF[1:]}",
    f"6:{HALF.upper()}",
    f"-1:{HALF}",
    f"6:{HALF}\n",
    f"6:{GENESIS}0",
    f"\N{SUPERSCRIPT TWO}:{HALF}",
]


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_head_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(BadHead, match="is not a head; write rows and hash, like 1234:0f1e2d3c4b5a"):
        audit.head(text)
