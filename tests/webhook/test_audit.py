"""The audit notices every change."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.webhook.make import NOW
from webhook.audit import GENESIS, Row, digest, entry, first_broken


def _chain(length: int) -> list[Row]:
    rows: list[Row] = []
    previous = GENESIS
    for place in range(1, length + 1):
        written = entry("incident moved", {"incident": place}, at=NOW)
        made = digest(written, id=place, previous=previous)
        rows.append(Row(id=place, entry=written, previous=previous, hash=made))
        previous = made
    return rows


def _changed(rows: list[Row]) -> list[Row]:
    forged = replace(rows[2].entry, data='{"incident":99}')
    return [*rows[:2], replace(rows[2], entry=forged), *rows[3:]]


def _changed_with_its_hash(rows: list[Row]) -> list[Row]:
    forged = replace(rows[2].entry, actor="nobody")
    made = digest(forged, id=3, previous=rows[2].previous)
    return [*rows[:2], replace(rows[2], entry=forged, hash=made), *rows[3:]]


def _moved_between_fields(rows: list[Row]) -> list[Row]:
    was = rows[2].entry
    forged = replace(was, actor=was.actor + was.what[:1], what=was.what[1:])
    return [*rows[:2], replace(rows[2], entry=forged), *rows[3:]]


def test_a_whole_chain_is_whole() -> None:
    assert first_broken(_chain(5)) is None
    assert first_broken([]) is None


@pytest.mark.parametrize(
    ("forge", "broken"),
    [
        (_changed, 3),
        (_changed_with_its_hash, 4),
        (_moved_between_fields, 3),
        (lambda rows: rows[:2] + rows[3:], 4),
        (lambda rows: [rows[0], rows[2], rows[1], *rows[3:]], 3),
        (lambda rows: rows[1:], 2),
        (lambda rows: [*rows[:2], rows[1], *rows[2:]], 2),
    ],
)
def test_the_first_row_that_does_not_continue_the_chain_is_named(
    forge: Callable[[list[Row]], list[Row]], broken: int
) -> None:
    assert first_broken(forge(_chain(5))) == broken
