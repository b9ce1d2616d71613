"""The signs in a pack of evidence: what the rules go by, each with the id that it is cited by."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from webhook.evidence.item import Json, Pack, Source

BAD: Final = frozenset({"error", "critical"})
UP: Final = frozenset({"healthy", "degraded", "paused"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure over the window that was asked for."""

    id: str
    last: float
    lowest: float
    highest: float
    mean: float
    before: float | None  # the mean of as long a time just before


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """One template of the log."""

    id: str
    text: str
    bad: bool  # an error, by its own level


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a look of ours just now found."""

    id: str
    probe: str  # its state; "" when nothing is known
    reason: str  # what was wrong with the answer; "" for nothing
    answers: bool  # whether /status told something, whatever the probe says
    deployed_ago: float | None  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """All of them."""

    alert: str  # its id
    figures: Mapping[str, Figure]  # by the name of the question
    state: State
    sayings: tuple[Saying, ...]


def read(pack: Pack) -> Signs:
    """Return the signs of *pack*; what has another form than ours is passed over."""
    contents = {number: item.content for number, item in pack.items}
    by = {each: [n for n, item in pack.items if item.source is each] for each in Source}
    seen = [number for number in by[Source.STATUS] if number in pack.measured]
    figures = {
        name: figure
        for number in by[Source.METRICS]
        for name, figure in _figure(number, contents[number])
    }
    sayings = (each for number in by[Source.LOGS] for each in _saying(number, contents[number]))
    return Signs(
        alert=next(iter(by[Source.ALERT]), ""),
        figures=figures,
        state=_state(seen, contents),
        sayings=tuple(sayings),
    )


def _figure(number: str, content: Mapping[str, Json]) -> Iterator[tuple[str, Figure]]:
    name, last = content.get("question"), _number(content.get("last"))
    if not isinstance(name, str) or last is None:
        return
    lowest, highest, mean = (_number(content.get(each)) for each in ("min", "max", "mean"))
    figure = Figure(
        id=number,
        last=last,
        lowest=last if lowest is None else lowest,
        highest=last if highest is None else highest,
        mean=last if mean is None else mean,
        before=_number(content.get("before")),
    )
    yield name, figure


def _number(raw: Json) -> float | None:
    return raw if isinstance(raw, int | float) and not isinstance(raw, bool) else None


def _saying(number: str, content: Mapping[str, Json]) -> Iterator[Saying]:
    text = content.get("template")
    if isinstance(text, str):
        yield Saying(id=number, text=text, bad=content.get("level") in BAD)


def _state(numbers: list[str], contents: Mapping[str, Mapping[str, Json]]) -> State:
    told = {key: (number, value) for number in numbers for key, value in contents[number].items()}
    number, probe = told.get("probe", (next(iter(numbers), ""), ""))
    _, ago = told.get("deployed_seconds_ago", ("", None))
    state, _, reason = str(probe or "").partition(": ")
    return State(
        id=number,
        probe=state,
        reason=reason,
        answers=bool(told.get("status", ("", None))[1]),
        deployed_ago=_number(ago),
    )
