"""No text costs more than its length: who writes to us cannot keep us busy by what he writes."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import process_time
from types import ModuleType

import pytest

from tests.webhook.evidence.hostile import RUNS
from tests.webhook.injection.carriers import CALM, SUBJECT
from webhook import plain
from webhook.diagnosis import Line
from webhook.evidence import clean, flag, portion, redaction, template
from webhook.evidence.item import Source
from webhook.evidence.pack import assemble

NOISE = 0.002  # seconds that a machine loses elsewhere
MODULES = (plain, clean, flag, redaction, template, portion)


def _patterns(module: ModuleType) -> Iterator[re.Pattern[str]]:
    for value in vars(module).values():
        several = value if isinstance(value, tuple) else (value,)
        for each in several:
            parts = each if isinstance(each, tuple) else (each,)
            yield from (part for part in parts if isinstance(part, re.Pattern))


PATTERNS = [each for module in MODULES for each in _patterns(module)]


def _seconds(work: Callable[[], object]) -> float:
    """Return the least of three, for the machine has other things to do."""
    return min(_once(work) for _ in range(3))


def _once(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return process_time() - began


def _grows(work: Callable[[str], object], part: str, length: int) -> bool:
    """Tell whether four times the text costs more than twice four times the work."""
    short, long = (part * (many // len(part)) for many in (length, 4 * length))
    if _once(lambda: work(long)) <= NOISE:
        return False
    return _seconds(lambda: work(long)) > 8 * _seconds(lambda: work(short)) + NOISE


def test_every_pattern_is_looked_at() -> None:
    assert len(PATTERNS) > 40


@pytest.mark.parametrize("part", RUNS)
def test_no_pattern_looks_twice_at_what_it_has_seen(part: str) -> None:
    slow = [
        each.pattern
        for each in PATTERNS
        if _grows(lambda text, each=each: list(each.finditer(text)), part, 1_500)  # type: ignore[misc]
    ]
    assert slow == []


@pytest.mark.parametrize("part", ["#", "a", "0", "eyJ-", "\x1b[", '"'])
def test_a_pack_of_long_texts_costs_no_more_than_their_length(part: str) -> None:
    def work(text: str) -> None:
        raw = replace(
            CALM,
            labels={"reason": text, text: "x"},
            annotations={"summary": text},
            status={"note": text, text: "x"},
            probe=text,
            lines=(Line(ts="", level=text, message=text),) * 3,
            runbook=text,
        )
        assemble(replace(SUBJECT, alertname=text), raw, secrets=frozenset({"opensesame"}))

    assert not _grows(work, part, 16_384)


def test_only_the_newest_lines_of_a_log_are_looked_at() -> None:
    words = [f"{a}{b}{c}" for a in "abcdefg" for b in "hijklmn" for c in "opqrstu"]
    lines = tuple(Line(ts="", level="info", message=each) for each in words)
    pack = assemble(SUBJECT, replace(CALM, lines=lines))
    kept = [item for _, item in pack.items if item.source is Source.LOGS]
    assert len(kept) + pack.omitted == 200
