"""Panels: what a dashboard shows, each kind made by one function, in the form of Grafana today.

grafanalib has the skeleton, and classes of Grafana 4 to 8 for the single kinds. `Panel` is the one
class in their place.
"""

from collections.abc import Sequence
from string import ascii_uppercase
from typing import Final, Literal

import attr
from grafanalib import core

from dashboards.limits import NEUTRAL
from dashboards.look import About, Column, Json, Look, cells, defaults, limit

DATASOURCE: Final[Json] = {"type": "prometheus", "uid": "${datasource}"}


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
    color: str = attr.ib(default="thresholds")
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
            "color": {"mode": self.color},
            "custom": self.custom,
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


def query(expr: str, legend: str = "", *, exemplar: bool = False) -> PromTarget:
    """Return the query of a curve. *legend* names its labels: `{{project}}`."""
    return PromTarget(expr=expr, legendFormat=legend or "__auto", exemplar=exemplar)


def now(expr: str, legend: str = "") -> PromTarget:
    """Return the query of a figure as it is now, not of how it came to be."""
    return PromTarget(expr=expr, legendFormat=legend or "__auto", instant=True)


def rows(expr: str) -> PromTarget:
    """Return the query of a table: a row for each series as it is now."""
    return PromTarget(expr=expr, instant=True, format="table")


def buckets(expr: str) -> PromTarget:
    """Return the query of a heatmap: a curve for each bucket of a histogram."""
    return PromTarget(expr=expr, legendFormat="{{le}}", format="heatmap")


def stat(about: About, queries: Sequence[PromTarget], look: Look) -> Panel:
    """Return figures, large; the background tells what they mean."""
    options = {
        "reduceOptions": _last(),
        "colorMode": "background_solid" if look.steps != NEUTRAL or look.words else "value",
        "graphMode": "none",
        "justifyMode": "center",
        "orientation": "auto",
        "textMode": "auto",
        "wideLayout": True,
    }
    return Panel(kind="stat", about=about, look=look, options=options, targets=_lettered(queries))


def bargauge(about: About, queries: Sequence[PromTarget], look: Look) -> Panel:
    """Return a bar for each series, the way to show the worst of many."""
    options = {
        "reduceOptions": _last(),
        "displayMode": "basic",
        "orientation": "horizontal",
        "valueMode": "color",
        "showUnfilled": True,
        "namePlacement": "auto",
        "sizing": "auto",
        "minVizHeight": 16,
        "minVizWidth": 8,
        "maxVizHeight": 32,
    }
    return Panel(
        kind="bargauge", about=about, look=look, options=options, targets=_lettered(queries)
    )


def timeseries(
    about: About,
    queries: Sequence[PromTarget],
    look: Look,
    *,
    limits: Sequence[str] = (),
    style: Literal["line", "bars"] = "line",
) -> Panel:
    """Return curves. Those named by *limits* are limits: dashed and red, without an area."""
    is_line = style == "line"
    custom = {
        "drawStyle": style,
        "fillOpacity": (25 if look.is_stacked else 8) if is_line else 80,
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if look.is_stacked else "none"},
        "thresholdsStyle": {"mode": "dashed" if len(look.steps) > 1 else "off"},
    }
    options = {
        "legend": {
            "calcs": ["lastNotNull", "max"],
            "displayMode": "table",
            "placement": "bottom",
            "showLegend": True,
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return Panel(
        kind="timeseries",
        about=about,
        look=look,
        options=options,
        custom=custom,
        color="palette-classic-by-name",
        overrides=[limit(name) for name in limits],
        targets=_lettered(queries),
    )


def state_timeline(about: About, queries: Sequence[PromTarget], look: Look) -> Panel:
    """Return a band for each series, colored by the state that it is in."""
    options = {
        "alignValue": "left",
        "mergeValues": True,
        "perPage": 25,
        "rowHeight": 0.85,
        "showValue": "never",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return Panel(
        kind="state-timeline",
        about=about,
        look=look,
        options=options,
        custom={"fillOpacity": 85, "lineWidth": 0},
        targets=_lettered(queries),
    )


def status_history(about: About, queries: Sequence[PromTarget], look: Look) -> Panel:
    """Return a square for each series and each look at it."""
    options = {
        "colWidth": 0.9,
        "rowHeight": 0.9,
        "showValue": "never",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return Panel(
        kind="status-history",
        about=about,
        look=look,
        options=options,
        custom={"fillOpacity": 85, "lineWidth": 1},
        targets=_lettered(queries),
    )


def heatmap(about: About, queries: Sequence[PromTarget], look: Look) -> Panel:
    """Return how the buckets of a histogram fill; `about.unit` is that of the buckets."""
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": {
            "mode": "scheme",
            "scheme": "Blues",
            "exponent": 0.5,
            "fill": "blue",
            "reverse": False,
            "steps": 32,
        },
        "exemplars": {"color": "orange"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "tooltip": {"mode": "single", "showColorScale": False, "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": about.unit},
    }
    return Panel(
        kind="heatmap", about=about, look=look, options=options, targets=_lettered(queries)
    )


def table(
    about: About,
    queries: Sequence[PromTarget],
    columns: Sequence[Column],
    *,
    by: str | None = None,
    order: str | None = None,
) -> Panel:
    """Return a table of *columns*, of several queries joined *by* a label.

    *order* is the title of the column by which it is sorted, the largest first.
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
        options={
            "cellHeight": "sm",
            "footer": {"countRows": False, "fields": "", "reducer": ["sum"], "show": False},
            "showHeader": True,
            "sortBy": [{"desc": True, "displayName": order}] if order else [],
        },
        custom={"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
        overrides=[cells(column) for column in columns],
        targets=_lettered(queries),
        transformations=[*joined, kept, organized],
    )


def _lettered(queries: Sequence[PromTarget]) -> list[PromTarget]:
    return [attr.evolve(each, refId=ascii_uppercase[place]) for place, each in enumerate(queries)]


def _last() -> Json:
    return {"calcs": ["lastNotNull"], "fields": "", "values": False}


def _field(of: str, *, many: bool) -> str:
    """Return what Grafana calls the field: of several queries, a value bears the letter."""
    is_value = len(of) == 1 and of in ascii_uppercase
    return of if not is_value else f"Value #{of}" if many else "Value"
