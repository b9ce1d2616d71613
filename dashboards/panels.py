"""Panels: what a dashboard shows, each kind made by one function, in the form of Grafana today.

grafanalib has the skeleton, and classes of Grafana 4 to 8 for the single kinds. `Panel` is the one
class in their place.
"""

import re
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Final, Literal

import attr
from grafanalib import core

from dashboards import options
from dashboards.look import (
    About,
    Column,
    Json,
    Look,
    Order,
    Sizes,
    cells,
    defaults,
    figure,
    limit,
    mappings,
    nothing,
)

DATASOURCE: Final[Json] = {"type": "prometheus", "uid": "${datasource}"}
_LABEL: Final = re.compile(r"\{\{(\w+)\}\}")
_FIGURES: Final = frozenset({"stat", "bargauge"})


@attr.s(kw_only=True)
class PromTarget(core.Target):  # type: ignore[misc]  # grafanalib has no types
    """A query to Prometheus, for a range or for an instant, and whether exemplars come with it."""

    # Of grafanalib's, those that are set here.
    expr: str = attr.ib()
    legendFormat: str = attr.ib(default="__auto")  # noqa: N815  its name
    format: str = attr.ib(default="time_series")
    instant: bool = attr.ib(default=False)
    refId: str = attr.ib(default="A")  # noqa: N815  its name
    exemplar: bool = attr.ib(default=False)
    interval: str = attr.ib(default="")

    def to_json_data(self) -> Json:
        """Return what grafanalib writes, and the keys that are newer than it."""
        said: Json = super().to_json_data()
        return said | {
            "exemplar": self.exemplar,
            "editorMode": "code",
            "range": not self.instant,
            "datasource": DATASOURCE,
        }


@attr.s(kw_only=True)
class Panel(core.Panel):  # type: ignore[misc]  # as above
    """A panel of any *kind*. Where it stands is for the layout to say."""

    kind: str = attr.ib()
    about: About = attr.ib()
    look: Look = attr.ib(factory=Look)
    options: Json = attr.ib(factory=dict)
    custom: Json = attr.ib(factory=dict)
    color: Json = attr.ib(factory=lambda: {"mode": "thresholds"})
    names: str | None = attr.ib(default=None)
    overrides: list[Json] = attr.ib(factory=list)
    # Of grafanalib's, those that are set here.
    targets: list[PromTarget] = attr.ib(factory=list)
    transformations: list[Json] = attr.ib(factory=list)
    gridPos: core.GridPos | None = attr.ib(default=None)  # noqa: N815  its name

    def to_json_data(self) -> Json:
        """Return the panel as Grafana reads it, with what grafanalib adds to it."""
        values = defaults(self.look) | {
            "unit": self.about.unit,
            "noValue": self.about.empty,
            "displayName": self.names,
            "color": self.color,
            "custom": self.custom,
            "mappings": self._mappings(),
        }
        said: Json = self.panel_json(
            {
                "type": self.kind,
                "id": self.about.id,
                "title": self.about.title,
                "description": self.about.description,
                "datasource": DATASOURCE,
                "options": self.options,
                "fieldConfig": {"defaults": values, "overrides": self.overrides},
            }
        )
        return said

    def _mappings(self) -> list[Json]:
        """Return the words for values. A figure that is not there has one too, and a color.

        Without it Grafana shows `about.empty` in the color of the lowest step, mostly green.
        """
        if self.kind not in _FIGURES:
            return mappings(self.look.words)
        words = [word for word in self.look.words if word.value != "null"]
        return [*mappings(words), nothing(self.about.empty)]


def query(expr: str, legend: str = "", *, exemplar: bool = False, every: str = "") -> PromTarget:
    """Return the query of a curve. *legend* names its labels: `{{project}}`.

    *every* is the least time between two of its points: "1m". `$__rate_interval` is then four of
    these, for what happens once a minute, and would be seen or not seen by chance.
    """
    return PromTarget(expr=expr, legendFormat=legend or "__auto", exemplar=exemplar, interval=every)


def now(expr: str, legend: str = "") -> PromTarget:
    """Return the query of a figure as it is now, not of how it came to be."""
    return PromTarget(expr=expr, legendFormat=legend or "__auto", instant=True)


def rows(expr: str) -> PromTarget:
    """Return the query of a table: a row for each series as it is now."""
    return PromTarget(expr=expr, instant=True, format="table")


def buckets(expr: str, *, every: str = "") -> PromTarget:
    """Return the query of a heatmap: a curve for each bucket of a histogram."""
    return PromTarget(expr=expr, legendFormat="{{le}}", format="heatmap", interval=every)


def stat(
    about: About,
    queries: Sequence[PromTarget],
    look: Look,
    *,
    own: Mapping[str, Look] | None = None,
    sizes: Sizes | None = None,
) -> Panel:
    """Return figures, large; the background tells what they mean.

    *own* is how those with such a legend look, unlike the others. *sizes* is for many of them.
    """
    is_named = any(_has_labels(each) for each in queries)
    told = options.of_stat(look, is_named=is_named, sizes=sizes)
    return Panel(
        kind="stat",
        about=about,
        look=look,
        options=told,
        overrides=[figure(name, about.empty, each) for name, each in (own or {}).items()],
        targets=_lettered(queries),
    )


def bargauge(
    about: About, queries: Sequence[PromTarget], look: Look, *, sizes: Sizes | None = None
) -> Panel:
    """Return a bar for each series, the way to show the worst of many."""
    return Panel(
        kind="bargauge",
        about=about,
        look=look,
        options=options.of_bars(sizes),
        names=_named(queries),
        targets=_lettered(queries),
    )


def timeseries(
    about: About,
    queries: Sequence[PromTarget],
    look: Look,
    *,
    limits: Sequence[str] = (),
    style: Literal["line", "bars"] = "line",
    legend: Literal["table", "list", "right"] = "table",
    points: bool = False,
) -> Panel:
    """Return curves. Those named by *limits* are limits: dashed and red, without an area.

    *points* are for what has single values with nothing beside them, which no line shows.
    """
    has_area = len(queries) == 1 and not _has_labels(queries[0])
    custom = options.drawn(
        look, about.unit, is_line=style == "line", has_area=has_area, has_points=points
    )
    return Panel(
        kind="timeseries",
        about=about,
        look=look,
        options=options.of_curves(legend),
        custom=custom,
        color={"mode": "palette-classic"},
        overrides=[limit(name) for name in limits],
        targets=_lettered(queries),
    )


def state_timeline(about: About, queries: Sequence[PromTarget], look: Look) -> Panel:
    """Return a band for each series, colored by the state that it is in.

    By thresholds Grafana would merge all values above the same one before it looks at the words,
    which makes one gray band of them.
    """
    return Panel(
        kind="state-timeline",
        about=about,
        look=look,
        options=options.of_timeline(),
        custom={"fillOpacity": 85, "lineWidth": 0},
        color={"mode": "fixed", "fixedColor": "text"},
        targets=_lettered(queries),
    )


def status_history(about: About, queries: Sequence[PromTarget], look: Look) -> Panel:
    """Return a square for each series and each look at it."""
    return Panel(
        kind="status-history",
        about=about,
        look=look,
        options=options.of_history(),
        custom={"fillOpacity": 85, "lineWidth": 1},
        targets=_lettered(queries),
    )


def heatmap(about: About, queries: Sequence[PromTarget], look: Look) -> Panel:
    """Return how the buckets of a histogram fill; `about.unit` is that of the buckets."""
    return Panel(
        kind="heatmap",
        about=about,
        look=look,
        options=options.of_heatmap(about.unit),
        targets=_lettered(queries),
    )


def table(
    about: About,
    queries: Sequence[PromTarget],
    columns: Sequence[Column],
    *,
    by: str | None = None,
    order: str | Sequence[Order] = (),
) -> Panel:
    """Return a table of *columns*, of several queries joined *by* a label.

    *order* is the title of the column by which it is sorted, the largest first, or several of
    them, each with its direction, of which a later one is for rows that are alike in those before.
    """
    fields = {column.title: _field(column.of, many=len(queries) > 1) for column in columns}
    joined = [{"id": "joinByField", "options": {"byField": by, "mode": "outer"}}] if by else []
    kept = {"id": "filterFieldsByName", "options": {"include": {"names": list(fields.values())}}}
    organized = {
        "id": "organize",
        "options": {
            "excludeByName": {},
            "indexByName": {name: place for place, name in enumerate(fields.values())},
            "renameByName": {name: title for title, name in fields.items()},
        },
    }
    return Panel(
        kind="table",
        about=about,
        options=options.of_table(order),
        custom={"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
        overrides=[cells(column) for column in columns],
        targets=_lettered(queries),
        transformations=[*joined, kept, organized],
    )


def _lettered(queries: Sequence[PromTarget]) -> list[PromTarget]:
    return [attr.evolve(each, refId=ascii_uppercase[place]) for place, each in enumerate(queries)]


def _has_labels(target: PromTarget) -> bool:
    return bool(_LABEL.search(target.legendFormat))


def _named(queries: Sequence[PromTarget]) -> str | None:
    """Return what to call a bar: of one that is alone, Grafana leaves the legend out."""
    match [each for each in queries if _has_labels(each)]:
        case [one] if len(queries) == 1:
            return _LABEL.sub(r"${__field.labels.\1}", one.legendFormat)
        case _:
            return None


def _field(of: str, *, many: bool) -> str:
    """Return what Grafana calls the field: of several queries, a value bears the letter."""
    is_value = len(of) == 1 and of in ascii_uppercase
    return of if not is_value else f"Value #{of}" if many else "Value"
