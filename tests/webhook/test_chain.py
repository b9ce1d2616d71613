"""The audit notices every change, and says what it was."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.webhook.make import NOW
from webhook import audit
from webhook.audit import GENESIS, NOTHING, Entry, Head, Row, digest, entry
from webhook.chain import Break, Verdict, first_broken, verify

Forge = Callable[[list[Row]], list[Row]]


def chained(entries: list[Entry], *, begin: Head = NOTHING) -> list[Row]:
    """Chain *entries* behind *begin*."""
    rows: list[Row] = []
    previous = begin.hash
    for place, each in enumerate(entries, start=begin.rows + 1):
        made = digest(each, id=place, previous=previous)
        rows.append(Row(id=place, entry=each, previous=previous, hash=made))
        previous = made
    return rows


def _chain(length: int) -> list[Row]:
    return chained(
        [entry("incident moved", {"incident": each + 1}, at=NOW) for each in range(length)]
    )


ROWS = _chain(6)
END = Head(rows=6, hash=ROWS[-1].hash)


def _renumbered(rows: list[Row]) -> list[Row]:
    return [replace(row, id=place) for place, row in enumerate(rows, start=1)]


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


def _put_in(rows: list[Row]) -> list[Row]:
    made = Row(id=3, entry=entry("said", {}, at=NOW), previous=GENESIS, hash=GENESIS)
    return _renumbered([*rows[:2], made, *rows[2:]])


def _put_in_with_its_hash(rows: list[Row]) -> list[Row]:
    return _renumbered([*chained([*(row.entry for row in rows[:2]), rows[4].entry]), *rows[2:]])


def _swapped(rows: list[Row]) -> list[Row]:
    return _renumbered([*rows[:2], rows[3], rows[2], *rows[4:]])


CHANGED = "it was changed: its hash was not taken of this text"
FORGED: list[tuple[Forge, int, str]] = [
    (_changed, 3, CHANGED),
    (_moved_between_fields, 3, CHANGED),
    (
        _changed_with_its_hash,
        4,
        (
            "it does not continue row 3: that one was changed and hashed anew,"
            " or this one was put in its place"
        ),
    ),
    (lambda rows: rows[:2] + rows[3:], 4, "row 3 is missing before it"),
    (lambda rows: rows[:1] + rows[4:], 5, "rows 2 to 4 are missing before it"),
    (lambda rows: rows[1:], 2, "row 1 is missing before it"),
    (
        lambda rows: _renumbered(rows[:2] + rows[3:]),
        3,
        "it is row 4 by its hash: row 3 is gone, the rest renumbered",
    ),
    (
        _swapped,
        3,
        "the order was changed: by its hash it is row 4, and row 4 is row 3",
    ),
    (
        lambda rows: [rows[0], rows[2], rows[1], *rows[3:]],
        3,
        "the order was changed: by its hash it is row 3, and row 2 is row 2",
    ),
    (
        lambda rows: [*rows[:5], replace(rows[5], id=9)],
        9,
        "it is row 6 by its hash: it was given another number",
    ),
    (_put_in, 3, "it was put in: what belongs here is now row 4"),
    (
        _put_in_with_its_hash,
        4,
        "it is row 3 by its hash: a row was put in before it, the rest renumbered",
    ),
    (
        lambda rows: [*rows[:2], rows[1], *rows[2:]],
        2,
        "it was put in: the chain has come as far as row 2 already",
    ),
]


@pytest.mark.parametrize(("forge", "row", "what"), FORGED)
def test_the_first_row_that_does_not_continue_the_chain_is_named_with_what_became_of_it(
    forge: Forge, row: int, what: str
) -> None:
    forged = forge(ROWS)
    assert verify(forged).broken == Break(row=row, what=what)
    assert first_broken(forged) == row


def test_a_whole_chain_is_whole_and_ends_with_its_head() -> None:
    assert verify(ROWS, heads=[NOTHING, END, Head(rows=3, hash=ROWS[2].hash[:12])]) == Verdict(
        begin=NOTHING, head=END
    )
    assert verify([]) == Verdict(begin=NOTHING, head=NOTHING)
    assert first_broken(ROWS) is None


def test_a_cut_tail_is_whole_by_itself_and_shown_by_a_head() -> None:
    cut = ROWS[:4]
    assert verify(cut).broken is None
    assert verify(cut, heads=[END]).broken == Break(
        row=5, what="the end is cut off: had 6 rows, has 4"
    )


def test_a_chain_that_was_hashed_anew_is_whole_by_itself_and_shown_by_a_head() -> None:
    entries = [row.entry for row in ROWS]
    entries[3] = replace(entries[3], data="{}")
    anew = chained(entries)
    heads = [Head(rows=each, hash=ROWS[each - 1].hash[:12]) for each in (2, 5, 6)]
    assert verify(anew).broken is None
    assert verify(anew, heads=heads).broken == Break(
        row=5,
        what=f"its hash began with {ROWS[4].hash[:12]} when it was noted, and begins with"
        f" {anew[4].hash[:12]}: of rows 3 to 5 at least one was changed, and the rest hashed anew",
    )


BEGIN = Head(rows=4, hash=ROWS[3].hash)


def test_a_chain_begins_behind_what_a_row_of_it_says_was_let_go_of() -> None:
    told = [row.entry for row in ROWS[4:]] + [audit.pruned(BEGIN, at=NOW)]
    rows = chained(told, begin=BEGIN)
    old = Head(rows=2, hash=ROWS[1].hash)
    assert verify(rows, begin=BEGIN, told=False, heads=[old, BEGIN]) == Verdict(
        begin=BEGIN, head=Head(rows=7, hash=rows[-1].hash), older=(old,)
    )
    assert verify(rows[:-1], begin=BEGIN, told=False).broken == Break(
        row=4, what="rows up to 4 are gone, and no row says that they were let go of"
    )


def test_what_was_let_go_of_must_be_what_the_row_says() -> None:
    other = replace(BEGIN, hash=GENESIS)
    rows = chained([audit.pruned(other, at=NOW)], begin=BEGIN)
    found = verify(rows, begin=BEGIN, told=False).broken
    assert found is not None
    assert found.row == 4


def test_an_anchor_that_does_not_fit_the_rows_behind_it_is_found() -> None:
    [after, *_] = ROWS[4:]
    moved = replace(BEGIN, hash=ROWS[2].hash)
    broken = verify(ROWS[4:], begin=moved).broken
    assert (broken and broken.row, after.id) == (5, 5)


def test_an_anchor_is_compared_with_a_head_of_its_row() -> None:
    broken = verify(ROWS[4:], begin=BEGIN, heads=[Head(rows=4, hash="f" * 12)]).broken
    assert broken is not None
    assert broken.row == 4


def test_rows_that_were_let_go_of_and_are_there_are_named() -> None:
    broken = verify(ROWS, begin=BEGIN).broken
    assert broken == Break(row=1, what="it was put in: the chain has come as far as row 4 already")


def test_what_says_that_it_is_restored_is_told() -> None:
    rows = chained([ROWS[0].entry, entry(audit.RESTORED, {}, at=NOW, actor="ann")])
    assert verify(rows).restored == (2,)
