"""The chain: whether the audit is whole, and what is wrong with the first row that is not."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from webhook.audit import NOTHING, PRUNED, RESTORED, Entry, Head, Row, digest, pruned_data

NEAR = 10_000  # places up and down where it is looked for what a displaced row once was


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """What is wrong, and where: with this row, or from this row on."""

    row: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found. Of a chain that is broken, everything is about the part before the break."""

    begin: Head  # rows up to here were not looked at: they were let go of, or are elsewhere
    head: Head
    broken: Break | None = None
    restored: tuple[int, ...] = ()  # rows that say that the database is a restored one
    older: tuple[Head, ...] = ()  # heads of rows that are not there any more, so not compared


def verify(
    rows: Iterable[Row], *, begin: Head = NOTHING, told: bool = True, heads: Sequence[Head] = ()
) -> Verdict:
    """Follow the chain from *begin*, and compare it with *heads* that were noted elsewhere.

    The rows come in the order of their ids. Unless *told*, one of them has to say that everything
    up to *begin* was let go of. A cut tail, and rows that were all hashed anew, are whole by
    themselves: only a head shows them.
    """
    noted = _by_row(heads)
    proof = pruned_data(begin)
    rest, restored = iter(rows), list[int]()
    last, agreed = begin, begin.rows
    broken = _other(begin, noted, agreed)
    while broken is None and (row := next(rest, None)) is not None:
        broken = _break(row, last, rest) or _other(_head(row), noted, agreed)
        if broken is None:
            last = _head(row)
            agreed = row.id if row.id in noted else agreed
            told = told or _says(row.entry, proof)
            restored += [row.id] if row.entry.what == RESTORED else []
    return Verdict(
        begin=begin,
        head=last,
        broken=broken or _untold(begin, told=told) or _cut(last, noted),
        restored=tuple(restored),
        older=tuple(each for each in heads if each.rows < begin.rows),
    )


def first_broken(rows: Iterable[Row]) -> int | None:
    """Return the id of the first row that does not continue the chain; None when it is whole."""
    broken = verify(rows).broken
    return None if broken is None else broken.row


def _by_row(heads: Iterable[Head]) -> Mapping[int, set[str]]:
    found = defaultdict[int, set[str]](set)
    for each in heads:
        found[each.rows].add(each.hash)
    return found


def _head(row: Row) -> Head:
    return Head(rows=row.id, hash=row.hash)


def _says(entry: Entry, proof: str) -> bool:
    return entry.what == PRUNED and entry.data == proof


def _other(seen: Head, noted: Mapping[int, set[str]], agreed: int) -> Break | None:
    """Tell when a head that was noted for this row is not the one that it has."""
    wrong = [each for each in sorted(noted.get(seen.rows, ())) if not seen.hash.startswith(each)]
    if not wrong:
        return None
    what = (
        f"its hash began with {wrong[0][:12]} when it was noted, and begins with {seen.hash[:12]}:"
        f" of rows {agreed + 1} to {seen.rows} at least one was changed, and the rest hashed anew"
    )
    return Break(row=seen.rows, what=what)


def _untold(begin: Head, *, told: bool) -> Break | None:
    if told or begin.rows == 0:
        return None
    what = f"rows up to {begin.rows} are gone, and no row says that they were let go of"
    return Break(row=begin.rows, what=what)


def _cut(last: Head, noted: Mapping[int, set[str]]) -> Break | None:
    most = max(noted, default=0)
    if most <= last.rows:
        return None
    return Break(row=last.rows + 1, what=f"the end is cut off: had {most} rows, has {last.rows}")


def _break(row: Row, last: Head, rest: Iterator[Row]) -> Break | None:
    place = last.rows + 1
    if row.id == place and row.previous == last.hash and _fits(row, place):
        return None
    return Break(row=row.id, what=_why(row, last, rest))


def _why(row: Row, last: Head, rest: Iterator[Row]) -> str:
    """Say what became of a row that does not continue the chain behind *last*."""
    place = last.rows + 1
    if row.id < place:
        return f"it was put in: the chain has come as far as row {last.rows} already"
    right = next((each for each in rest if each.previous == last.hash and _fits(each, place)), None)
    home = _home(row)
    if home == place and row.previous == last.hash:
        return f"it is row {place} by its hash: it was given another number"
    if right is not None:
        return _displaced(right, home, place)
    if row.id > place:
        return f"{_rows(place, row.id - 1)} missing before it"
    return _replaced(row, last, home)


def _displaced(right: Row, home: int | None, place: int) -> str:
    """Say what is wrong where the row that belongs here stands further on."""
    if home is None or home == place:
        return f"it was put in: what belongs here is now row {right.id}"
    return f"the order was changed: by its hash it is row {home}, and row {right.id} is row {place}"


def _replaced(row: Row, last: Head, home: int | None) -> str:
    """Say what is wrong where the row that belongs here is nowhere."""
    if home is None:
        return "it was changed: its hash was not taken of this text"
    if home > row.id:
        return f"it is row {home} by its hash: {_rows(row.id, home - 1)} gone, the rest renumbered"
    if home < row.id:
        return f"it is row {home} by its hash: a row was put in before it, the rest renumbered"
    return (
        f"it does not continue row {last.rows}: that one was changed and hashed anew,"
        " or this one was put in its place"
    )


def _rows(first: int, last: int) -> str:
    return f"row {first} is" if first == last else f"rows {first} to {last} are"


def _fits(row: Row, place: int) -> bool:
    return row.hash == digest(row.entry, id=place, previous=row.previous)


def _home(row: Row) -> int | None:
    """Return the place that the row's hash was taken for; None: it was taken of another text."""
    steps = (row.id + way * step for step in range(NEAR) for way in (1, -1))
    return next((place for place in steps if place > 0 and _fits(row, place)), None)
