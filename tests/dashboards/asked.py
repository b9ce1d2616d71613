"""What Grafana asks Prometheus for a dashboard: each query with the choices and times filled in."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from promql_parser import MatchOp, VectorSelector

from tests.dashboards.written import Json, marks, parsed, targets, variables
from tests.rules import promql

Values = Mapping[str, Sequence[str]]  # a variable's name -> the values that its query finds
Where = tuple[str, int | str, str]  # a dashboard, a panel or its marks, the letter of the query
MARK: Final = "Anno"  # the letter of every query for marks
_LABEL_VALUES: Final = re.compile(r"label_values\((?P<selector>.+), *(?P<label>\w+)\)")
_VARIABLE: Final = re.compile(r"\$\{?(?P<name>[a-z_]\w*)(?::\w+)?\}?")  # $1 is none
_OPERATORS: Final = {
    str(MatchOp.Equal): "=",
    str(MatchOp.NotEqual): "!=",
    str(MatchOp.Re): "=~",
    str(MatchOp.NotRe): "!~",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a query stands: a panel by its id, or marks by their name."""

    uid: str
    at: int | str
    letter: str
    title: str

    @property
    def where(self) -> Where:
        """The same without what may be put in other words."""
        return self.uid, self.at, self.letter

    def __str__(self) -> str:
        of = f"panel {self.at} {self.title}" if isinstance(self.at, int) else f"marks {self.at}"
        return f"{self.uid} / {of} / {self.letter}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One query as Prometheus hears it, about one moment or over the whole time."""

    place: Place
    expr: str
    is_instant: bool
    told: tuple[str, ...]  # the texts in which labels of the result are named as {{label}}
    chosen: str = ""  # what of the dashboard's choices it is about


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """The question for the values of a variable."""

    selector: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one part of a query reads."""

    place: Place
    written: str  # the selector, with the names of variables
    selectors: tuple[str, ...]  # with each of the choices in their place


def times(*, interval: int, whole: int, rate: int) -> dict[str, str]:
    """Return what Grafana reckons, all in seconds: of an *interval* of a *whole* that is shown.

    *rate* is the window of a rate: four scrapes, or more.
    """
    return {
        "__interval": f"{interval}s",
        "__interval_ms": f"{interval * 1000}",
        "__rate_interval": f"{rate}s",
        "__range": f"{whole}s",
        "__range_s": f"{whole}",
        "__range_ms": f"{whole * 1000}",
    }


def put_in(text: str, given: Mapping[str, str]) -> str:
    """Return *text* with what is *given* in the place of `$name` and `${name:format}`.

    Raises KeyError for a variable that is not given.
    """
    return _VARIABLE.sub(lambda found: given[found["name"]], text)


def looked_up(dashboard: Json, name: str, values: Values) -> Lookup | None:
    """Return the question for the values of a variable; None: it has none.

    *values* are those of the variables before it, of which the first that can be is chosen.
    """
    variable = variables(dashboard)[name]
    if variable["type"] != "query":
        return None
    text = put_in(variable["query"]["query"], choices(dashboard, values)[0])
    query = _LABEL_VALUES.fullmatch(text)
    assert query, text
    return Lookup(**query.groupdict())


def choices(dashboard: Json, values: Values) -> list[dict[str, str]]:
    """Return what can be chosen: all of what may be many, and each one where it may only be one.

    Where no value is known, any is matched.
    """
    made: list[dict[str, str]] = [{}]
    for name, each in variables(dashboard).items():
        if each["type"] == "query":
            some = values.get(name) or [".+"]
            could = [each["allValue"]] if each["includeAll"] else some
            made = [{**other, name: one} for other in made for one in could]
    return made


def questions(dashboard: Json, values: Values, at: Mapping[str, str]) -> Iterator[Question]:
    """Yield every query of all panels and marks, for each of the choices, at the times *at*."""
    for chosen in choices(dashboard, values):
        given = {**at, **chosen}
        for each in (*_of_panels(dashboard, given), *_of_marks(dashboard, given)):
            yield replace(each, chosen=" ".join(chosen.values()))


def sources(dashboard: Json, values: Values) -> Iterator[Source]:
    """Yield all that the queries read, each part alone: a query finds something without one too."""
    given = choices(dashboard, values)
    for place, expr in _written(dashboard):
        for node, _ in promql.walk(parsed(expr)):
            if isinstance(node, VectorSelector):
                text = _selector(node)
                put = tuple(put_in(text, each) for each in given)
                yield Source(place=place, written=text, selectors=put)


def _selector(node: VectorSelector) -> str:
    """Return *node* without the time that it is about, which a look-up of series cannot take."""
    found = node.matchers.matchers
    said = [f"{each.name}{_OPERATORS[str(each.op)]}{json.dumps(each.value)}" for each in found]
    return (node.name or "") + (f"{{{', '.join(said)}}}" if said else "")


def _written(dashboard: Json) -> Iterator[tuple[Place, str]]:
    for panel, target in targets(dashboard):
        yield _in_panel(dashboard, panel, target), target["expr"]
    for mark in marks(dashboard):
        yield _in_marks(dashboard, mark), mark["target"]["expr"]


def _of_panels(dashboard: Json, given: Mapping[str, str]) -> Iterator[Question]:
    for panel, target in targets(dashboard):
        yield Question(
            place=_in_panel(dashboard, panel, target),
            expr=put_in(target["expr"], given),
            is_instant=target["instant"],
            told=() if target["format"] == "table" else (target["legendFormat"],),
        )


def _of_marks(dashboard: Json, given: Mapping[str, str]) -> Iterator[Question]:
    for mark in marks(dashboard):
        yield Question(
            place=_in_marks(dashboard, mark),
            expr=put_in(mark["target"]["expr"], given),
            is_instant=False,
            told=(mark["titleFormat"], mark["textFormat"]),
        )


def _in_panel(dashboard: Json, panel: Json, target: Json) -> Place:
    at, letter, title = panel["id"], target["refId"], panel["title"]
    return Place(uid=dashboard["uid"], at=at, letter=letter, title=title)


def _in_marks(dashboard: Json, mark: Json) -> Place:
    return Place(uid=dashboard["uid"], at=mark["name"], letter=MARK, title=mark["name"])
