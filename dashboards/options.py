"""Options: what each kind of panel is told beside its values, as Grafana's own editor writes it."""

from collections.abc import Sequence
from typing import Final

from dashboards.limits import NEUTRAL
from dashboards.look import Json, Look, Order, Sizes

_LEGEND: Final[Json] = {"showLegend": True, "placement": "bottom"}
_LIST: Final[Json] = _LEGEND | {"displayMode": "list", "calcs": []}
LEGENDS: Final[dict[str, Json]] = {
    "table": _LEGEND | {"displayMode": "table", "calcs": ["lastNotNull", "max"]},
    "list": _LIST,
    # A name and its last value: for many curves on a panel that is wide.
    "right": _LEGEND | {"displayMode": "table", "placement": "right", "calcs": ["lastNotNull"]},
}
_LAST: Final[Json] = {"calcs": ["lastNotNull"], "fields": "", "values": False}
# Where the axis ends at the least: else nothing but zeros are drawn on one up to 100, or 10000 %.
_SOFT: Final = {"short": 1.0, "percentunit": 0.1, "reqps": 0.1, "cps": 0.1, "cpm": 1.0}
_BARS: Final = Sizes(name=12, value=18)


def _sizes(sizes: Sizes | None) -> Json:
    return {} if sizes is None else {"text": {"titleSize": sizes.name, "valueSize": sizes.value}}


def of_stat(look: Look, *, is_named: bool, sizes: Sizes | None) -> Json:
    """Return those of figures; *is_named* is that each says whose it is, even when it is alone."""
    return {
        "reduceOptions": _LAST,
        "colorMode": "background_solid" if look.steps != NEUTRAL or look.words else "value",
        "graphMode": "none",
        "justifyMode": "center",
        "orientation": "auto",
        "textMode": "value_and_name" if is_named else "auto",
        "wideLayout": True,
        **_sizes(sizes),
    }


def of_bars(sizes: Sizes | None) -> Json:
    """Return those of bars, each with its name at the left of it."""
    return {
        "reduceOptions": _LAST,
        "displayMode": "basic",
        "orientation": "horizontal",
        "valueMode": "color",
        "showUnfilled": True,
        "namePlacement": "left",
        "sizing": "manual",  # else the sizes are not looked at
        "minVizHeight": 16,
        "minVizWidth": 8,
        "maxVizHeight": 32,
        **_sizes(sizes or _BARS),
    }


def of_curves(legend: str) -> Json:
    """Return those of curves."""
    return {"legend": LEGENDS[legend], "tooltip": {"mode": "multi", "sort": "desc"}}


def drawn(look: Look, unit: str, *, is_line: bool, has_area: bool, has_points: bool) -> Json:
    """Return how curves are drawn: an area under many of them would be one grey block."""
    area = 25 if look.is_stacked else 8 if has_area else 0
    soft = _SOFT.get(unit) if look.soft_high is None else look.soft_high
    return {
        "drawStyle": "line" if is_line else "bars",
        "fillOpacity": area if is_line else 80,
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "showPoints": "auto" if has_points and is_line else "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if look.is_stacked else "none"},
        "thresholdsStyle": {"mode": "dashed" if len(look.steps) > 1 else "off"},
        "axisSoftMin": look.soft_low,
        "axisSoftMax": soft if look.high is None else None,
    }


def of_timeline() -> Json:
    """Return those of bands."""
    return {
        "alignValue": "left",
        "mergeValues": True,
        "perPage": 25,
        "rowHeight": 0.85,
        "showValue": "never",
        "legend": _LIST,
        "tooltip": {"mode": "single", "sort": "none"},
    }


def of_history() -> Json:
    """Return those of squares."""
    return {
        "colWidth": 0.9,
        "rowHeight": 0.9,
        "showValue": "never",
        "legend": _LIST,
        "tooltip": {"mode": "single", "sort": "none"},
    }


def of_heatmap(unit: str) -> Json:
    """Return those of the buckets of a histogram, of which each is told in *unit*."""
    return {
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
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
    }


def of_table(order: str | Sequence[Order]) -> Json:
    """Return those of a table that is sorted by *order*."""
    orders = [Order(order)] if isinstance(order, str) and order else order
    return {
        "cellHeight": "sm",
        "footer": {"countRows": False, "fields": "", "reducer": ["sum"], "show": False},
        "showHeader": True,
        "sortBy": [
            {"desc": not each.is_rising, "displayName": each.title}
            for each in orders
            if isinstance(each, Order)
        ],
    }
