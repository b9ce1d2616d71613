"""What Prometheus answered to what dashboards ask, and what is wrong with it, as sentences."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.dashboards.asked import Place, Question, Where
from tests.dashboards.written import Json, looks, panels

MOST: Final = 50  # series that a panel can show
AUTO: Final = "__auto"  # the legend that Grafana makes itself
LABEL: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
OF_SERIES: Final = re.compile(r"\$\{__field\.labels\.(\w+)\}")
OF_ROW: Final = re.compile(r"\$\{__data\.fields\.(\w+)\}")

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of an answer, with its values in the order of time."""

    labels: Labels
    values: tuple[float, ...]

    @property
    def has_figures(self) -> bool:
        """Whether there is something to be drawn: NaN and infinity are not."""
        return any(map(math.isfinite, self.values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """A label that is to be read of a series, and that it has not."""

    place: Place
    label: str
    labels: Labels  # that the series has
    expr: str

    @property
    def where(self) -> Where:
        """The dashboard, the panel or its marks, and the label."""
        return self.place.uid, self.place.at, self.label

    def __str__(self) -> str:
        return f"{self.place}: no {self.label} in {dict(self.labels)}: {self.expr}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back to a question."""

    to: Question
    error: str = ""
    warnings: tuple[str, ...] = ()
    series: tuple[Series, ...] = ()

    @property
    def has_figures(self) -> bool:
        """Whether there is something to be shown."""
        return any(each.has_figures for each in self.series)

    def is_of(self, dashboard: Json, panel: Json) -> bool:
        """Return whether *panel* of *dashboard* shows it."""
        return (self.to.place.uid, self.to.place.at) == (dashboard["uid"], panel["id"])


def read(question: Question, body: Json) -> Answer:
    """Read the JSON that Prometheus answered."""
    if body["status"] != "success":
        return Answer(to=question, error=body["error"])
    data = body["data"]
    found = data["result"] if data["resultType"] in ("vector", "matrix") else []
    return Answer(
        to=question,
        warnings=(*body.get("warnings", ()), *body.get("infos", ())),
        series=tuple(map(_series, found)),
    )


def _series(found: Json) -> Series:
    points = found["values"] if "values" in found else [found["value"]]
    return Series(labels=found["metric"], values=tuple(float(value) for _, value in points))


def complaints(answers: Iterable[Answer]) -> Iterator[str]:
    """Tell what Prometheus itself says against a query, and which answers are too much."""
    for each in answers:
        for said in (each.error, *each.warnings):
            if said:
                yield f"{each.to.place}: {said}: {each.to.expr}"
        if len(each.series) > MOST:
            yield f"{each.to.place}: {len(each.series)} series: {each.to.expr}"


def nothing(answers: Iterable[Answer]) -> dict[Place, str]:
    """Return the queries that found nothing to show, whatever was chosen."""
    every = list(answers)
    there = {each.to.place for each in every if each.has_figures}
    return {each.to.place: each.to.expr for each in every if each.to.place not in there}


def unnamed(answers: Iterable[Answer]) -> Iterator[Lack]:
    """Yield the labels that legends and marks name, and that a series of theirs has not."""
    for each in answers:
        labels = [label for text in each.to.told for label in LABEL.findall(text)]
        for series in each.series:
            yield from _lacks(each, series, labels)


def unlinked(dashboard: Json, answers: Iterable[Answer]) -> Iterator[Lack]:
    """Yield the labels that links, names and columns need, and that a series has not."""
    every = list(answers)
    for panel in panels(dashboard):
        own = (each for each in every if each.is_of(dashboard, panel))
        for answer, series in ((each, series) for each in own for series in each.series):
            of_series = _read_of(panel, _name(answer, series))
            yield from _lacks(answer, series, [*of_series, *_columns(panel)])


def _lacks(answer: Answer, series: Series, needed: Iterable[str]) -> Iterator[Lack]:
    for label in needed:
        if not series.labels.get(label):
            place, expr = answer.to.place, answer.to.expr
            yield Lack(place=place, label=label, labels=series.labels, expr=expr)


def _name(answer: Answer, series: Series) -> str:
    return named(answer.to.told[0], series.labels) if answer.to.told else ""


def _read_of(panel: Json, name: str) -> list[str]:
    """Return the labels that links and names read of the series *name*; it may have its own."""
    fields = panel["fieldConfig"]
    look = dict(fields["defaults"])
    for override in fields["overrides"]:
        if override["matcher"]["options"] == name:
            look |= {each["id"]: each["value"] for each in override["properties"]}
    return [label for text in _texts(look) for label in OF_SERIES.findall(text)]


def _texts(look: Json) -> list[str]:
    """Return the texts of a look in which Grafana puts what it has read."""
    links = look.get("links", [])
    said = [look.get("displayName"), *(each.get("title") for each in links)]
    return [*filter(None, said), *(each["url"] for each in links)]


def steps(panel: Json) -> dict[str, Json]:
    """Return what is done with the answers to a table, by its kind."""
    return {each["id"]: each["options"] for each in panel.get("transformations", [])}


def joined_by(panel: Json) -> str | None:
    """Return the label by which queries are joined to rows; None where they are not."""
    join = steps(panel).get("joinByField")
    return None if join is None else join["byField"]


def _columns(panel: Json) -> list[str]:
    """Return the labels that each row has: of queries that are joined, the one that joins them."""
    by = joined_by(panel)
    return [by] if by else [name for name in _titles(panel) if not name.startswith("Value")]


def _titles(panel: Json) -> Mapping[str, str]:
    """Return what the columns are called that are shown; none where there is no table."""
    return steps(panel)["organize"]["renameByName"] if panel["type"] == "table" else {}


def missing_columns(dashboard: Json, answers: Sequence[Answer]) -> Iterator[str]:
    """Tell the columns that no row has, and those that are read and not shown, or of no table."""
    for panel in panels(dashboard):
        where = f"{dashboard['uid']} / panel {panel['id']} {panel['title']}"
        titles = _titles(panel)
        shown = {name for name in titles if not name.startswith("Value")}
        own = (each for each in answers if each.is_of(dashboard, panel))
        there = {label for each in own for series in each.series for label in series.labels}
        yield from (f"{where}: no {each}" for each in sorted(shown - there))
        texts = [text for look in looks(panel) for text in _texts(look)]
        of_rows = {name for text in texts for name in OF_ROW.findall(text)}
        lost = of_rows - shown - set(titles.values())
        yield from (f"{where}: no column {each} to be read" for each in sorted(lost))


def uneven(dashboard: Json, answers: Sequence[Answer]) -> Iterator[tuple[Place, str]]:
    """Yield the queries of joined tables that have not a cell for each row of the first of them.

    What they have beyond is told too: it makes a row that is as good as empty.
    """
    for panel in panels(dashboard):
        by = joined_by(panel)
        own = [each for each in answers if by and each.is_of(dashboard, panel)]
        rows = {each.to.chosen: _rows(each, by) for each in own if each.to.place.letter == "A"}
        for each in own:
            wanted, there = rows[each.to.chosen], _rows(each, by)
            if wanted != there:
                lost, more = sorted(wanted - there), sorted(there - wanted)
                yield each.to.place, f"lacks {lost}, has {more} beyond: {each.to.expr}"


def _rows(answer: Answer, by: str | None) -> set[str]:
    return {each.labels.get(by or "", "") for each in answer.series if each.has_figures}


def shared(answers: Iterable[Answer]) -> Iterator[str]:
    """Tell the names that two curves or figures of one panel have in common."""
    names: defaultdict[tuple[str, int | str, str], Counter[str]] = defaultdict(Counter)
    for each in answers:
        place, told = each.to.place, each.to.told
        if isinstance(place.at, int) and told:
            found = names[place.uid, place.at, each.to.chosen]
            found.update(named(told[0], series.labels) for series in each.series)
    for (uid, at, _), found in names.items():
        yield from (f"{uid} / panel {at}: two are {name!r}" for name, n in found.items() if n > 1)


def named(legend: str, labels: Labels) -> str:
    """Return what Grafana calls a series."""
    if legend == AUTO:
        return ", ".join(f"{key}={value}" for key, value in sorted(labels.items())) or "Value"
    return LABEL.sub(lambda found: labels.get(found[1], ""), legend)
