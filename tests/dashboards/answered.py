"""What Prometheus answered to what dashboards ask, and what is wrong with it, as sentences."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.dashboards.asked import Place, Question
from tests.dashboards.written import Json, looks, panels

MOST: Final = 50  # series that a panel can show
AUTO: Final = "__auto"  # the legend that Grafana makes itself
LABEL: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
OF_SERIES: Final = re.compile(r"\$\{__field\.labels\.(\w+)\}")
OF_ROW: Final = re.compile(r"\$\{__data\.fields\.(\w+)\}")

Labels = Mapping[str, str]
Lack = tuple[str, int | str, str]  # a dashboard, a panel or its marks, and the label
Lacks = Mapping[Lack, Labels]  # with one series that has not the label


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

    def lacks(self, *labels: str) -> Lacks:
        """Return which of *labels* a series has not."""
        of = self.to.place.uid, self.to.place.at
        return {
            (*of, label): each.labels
            for label in labels
            for each in self.series
            if not each.labels.get(label)
        }


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


def unnamed(answers: Iterable[Answer]) -> Lacks:
    """Return the labels that legends and marks name, and that a series of theirs has not."""
    lacking: dict[Lack, Labels] = {}
    for each in answers:
        lacking |= each.lacks(*(label for text in each.to.told for label in LABEL.findall(text)))
    return lacking


def unlinked(dashboard: Json, answers: Iterable[Answer]) -> Lacks:
    """Return the labels that links and columns of tables need, and that a series has not."""
    of = {panel["id"]: panel for panel in panels(dashboard)}
    own = (each for each in answers if each.to.place.uid == dashboard["uid"])
    return {
        (dashboard["uid"], each.to.place.at, label): series.labels
        for each in own
        if (panel := of.get(each.to.place.at))
        for series in each.series
        for label in (*_linked(panel, _name(each, series)), *_columns(panel))
        if not series.labels.get(label)
    }


def _name(answer: Answer, series: Series) -> str:
    return named(answer.to.told[0], series.labels) if answer.to.told else ""


def _linked(panel: Json, name: str) -> list[str]:
    """Return the labels that links read of the series *name*, which may have links of its own."""
    fields = panel["fieldConfig"]
    links = fields["defaults"].get("links", [])
    for override in fields["overrides"]:
        said = {each["id"]: each["value"] for each in override["properties"]}
        if override["matcher"]["options"] == name:
            links = said.get("links", links)
    return [label for each in links for label in OF_SERIES.findall(each["url"])]


def _urls(panel: Json) -> str:
    return " ".join(link["url"] for look in looks(panel) for link in look.get("links", []))


def _told(panel: Json) -> dict[str, Json]:
    return {each["id"]: each["options"] for each in panel["transformations"]}


def _columns(panel: Json) -> list[str]:
    """Return the labels that each row has: of queries that are joined, the one that joins them."""
    if panel["type"] != "table":
        return []
    told = _told(panel)
    if "joinByField" in told:
        return [told["joinByField"]["byField"]]
    return [name for name in told["organize"]["renameByName"] if not name.startswith("Value")]


def missing_columns(dashboard: Json, answers: Sequence[Answer]) -> Iterator[str]:
    """Tell the columns that no row has, and those that links read and that are not shown."""
    for panel in panels(dashboard):
        if panel["type"] != "table":
            continue
        where = f"{dashboard['uid']} / panel {panel['id']} {panel['title']}"
        titles: Mapping[str, str] = _told(panel)["organize"]["renameByName"]
        shown = {name for name in titles if not name.startswith("Value")}
        yield from (f"{where}: no {each}" for each in sorted(shown - _labels(where, answers)))
        read_by_links = set(OF_ROW.findall(_urls(panel)))
        lost = read_by_links - shown - set(titles.values())
        yield from (f"{where}: a link reads {each}" for each in sorted(lost))


def _labels(where: str, answers: Iterable[Answer]) -> set[str]:
    """Return all labels that the answers to a panel have."""
    own = (each for each in answers if str(each.to.place).startswith(f"{where} /"))
    return {label for each in own for series in each.series for label in series.labels}


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
