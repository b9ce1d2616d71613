"""A recording as a file: what it may hold, and what is said of a line that it may not."""

import json
import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator import clock
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook.approval import Decision
from webhook.recording import (
    BadRecording,
    Decided,
    Deed,
    Lifted,
    Line,
    Mark,
    Recording,
    Restrained,
    Silenced,
    Told,
    What,
    of,
    read,
    written,
)
from webhook.restraint import Kind

DAY = Path(__file__).parent / "replays" / "day.jsonl"


def told(*, after: int = 0) -> Told:
    """Make a notification."""
    return Told(at=NOW + after * SECOND, body=json.loads(make.body(make.alert())))


HOLD = Restrained(
    at=NOW + SECOND,
    number=3,
    restraint=Kind.HOLD,
    project="email-blast",
    reason="mine",
    by="ann",
    ends_at=NOW + 60 * SECOND,
)
EVERY: tuple[Line, ...] = (
    Mark(at=NOW, kind="begin"),
    told(),
    HOLD,
    Lifted(at=NOW + 2 * SECOND, number=3, by="ann"),
    Decided(
        at=NOW + 3 * SECOND,
        project="email-blast",
        action="clear_cache",
        decision=Decision.APPROVED,
        by="ann",
        reason="seen",
    ),
    Silenced(at=NOW + 4 * SECOND, fingerprint="4143cc85196c12e8", text=None),
    Deed(at=NOW + 5 * SECOND, what=What.ACT, project="email-blast", action="restart_service"),
    Mark(at=NOW + 6 * SECOND, kind="end"),
)
FIRST = json.dumps({"at": clock.written(NOW), "kind": "notification", "body": told().body})


def test_what_is_written_is_read_as_the_same() -> None:
    recording = of(EVERY)
    assert read(written(recording)) == recording


def test_what_was_read_is_written_byte_for_byte() -> None:
    with DAY.open(encoding="utf-8") as lines:
        recording = read(lines)
    assert "".join(f"{line}\n" for line in written(recording)) == DAY.read_text(encoding="utf-8")


def test_notifications_alone_are_a_recording_that_compares_nothing() -> None:
    assert read([FIRST, "\n"]) == Recording(
        heard=(told(),), done=(), begin=NOW, end=NOW, compares=False
    )


LATER = FIRST.replace("12:00:00", "12:00:01")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "there is no notification in it"),
        ([FIRST, "{"], "line 2: Invalid JSON: EOF while parsing an object at line 1 column 1"),
        ([LATER, FIRST], "line 2: 2026-11-21T12:00:00.000000Z is before the line above it"),
        ([FIRST.replace("12:00", "noon:")], "line 1: notification.at: Value error, Invalid isofor"),
        (
            [FIRST.replace('"version": "4"', '"version": "3"')],
            "line 1: body: version: Input should",
        ),
        ([FIRST.replace('"kind"', '"sort"')], "line 1: Unable to extract tag using discriminator"),
        ([FIRST.replace('"body"', '"text"')], "line 1: notification.body: Field required"),
        (["x", FIRST, "y"], "line 3: "),
    ],
)
def test_a_line_that_cannot_be_used_is_named(lines: list[str], said: str) -> None:
    with pytest.raises(BadRecording) as error:
        read(lines)
    assert said in str(error.value)


def test_a_file_of_nothing_but_mistakes_does_not_tell_all_of_them() -> None:
    with pytest.raises(BadRecording) as error:
        read(["x"] * 1_000)
    assert str(error.value).splitlines()[19:] == [
        "line 20: Invalid JSON: expected value at line 1 column 1",
        "and 980 more",
    ]


def test_a_part_knows_what_was_shortly_before_it_and_what_people_said_ever() -> None:
    told_at = [told(after=each) for each in (0, 100, 200, 300, 2_000)]
    recording = of([told_at[0], HOLD, *told_at[1:]])
    part = recording.part(NOW + 200 * SECOND, NOW + 250 * SECOND, warm_up=timedelta(seconds=100))
    assert (part.heard, part.begin, part.end) == (
        (HOLD, *told_at[1:4]),
        NOW + 200 * SECOND,
        NOW + 250 * SECOND,
    )


def test_a_part_of_which_nothing_was_recorded_is_refused() -> None:
    with pytest.raises(BadRecording, match="and has nothing of what is asked for"):
        of(EVERY).part(NOW + timedelta(days=1), None, warm_up=SECOND)


PAGE = (Path(__file__).parents[2] / "docs" / "replay.md").read_text(encoding="utf-8")


def test_every_kind_of_line_is_explained_with_its_fields() -> None:
    kinds = {each.kind: {field.name for field in fields(each)} - {"at", "kind"} for each in EVERY}
    rows = [row for row in PAGE.splitlines() if row.startswith("| `")]
    for kind, named in kinds.items():
        (row,) = [each for each in rows if f"`{kind}`" in each.split("|")[1]]
        assert {name for name in named if f"`{name}`" not in row} == set()
    assert [each for each in What if f"`{each}`" not in PAGE] == []


def test_the_example_of_a_recording_is_one() -> None:
    (example,) = re.findall(r"(?s)```json\n(.*?)```", PAGE)
    assert [each.kind for each in (*read(example.splitlines()).heard,)] == ["notification"]
