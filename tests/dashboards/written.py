"""The dashboards as they are written, and ways to read them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
from promql_parser import Expr

from dashboards.__main__ import files

Json = dict[str, Any]

EVERY: dict[str, Json] = {
    made["uid"]: made for made in (json.loads(text) for text in files().values())
}
RATE = "299s"  # stands for $__rate_interval: no other range is of this length
_GIVEN = {
    "$__rate_interval": RATE,
    "$__interval_ms": "15000",
    "$__interval": "15s",
    "${__range}": "6h",
    "$__range": "6h",
}


def panels(dashboard: Json) -> list[Json]:
    """Return the panels that show something, the folded ones too."""
    return [each for each in with_rows(dashboard) if each["type"] != "row"]


def with_rows(dashboard: Json) -> list[Json]:
    """Return the panels and the rows, in the order in which they are written."""
    return [
        each
        for panel in dashboard["panels"]
        for each in (panel, *(panel["panels"] if panel["type"] == "row" else ()))
    ]


def variables(dashboard: Json) -> dict[str, Json]:
    """Return the variables by name."""
    return {each["name"]: each for each in dashboard["templating"]["list"]}


def targets(dashboard: Json) -> Iterator[tuple[Json, Json]]:
    """Yield every query, after its panel."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield panel, target


def marks(dashboard: Json) -> list[Json]:
    """Return the annotations."""
    found: list[Json] = dashboard["annotations"]["list"]
    return found


def expressions(dashboard: Json) -> list[str]:
    """Return every expression of every query and annotation, as it is written."""
    shown = [target["expr"] for _, target in targets(dashboard)]
    return [*shown, *(mark["target"]["expr"] for mark in marks(dashboard))]


def filled(expr: str) -> str:
    """Return *expr* with something in the place of the times that Grafana knows."""
    for name, given in _GIVEN.items():
        expr = expr.replace(name, given)
    return expr


def parsed(expr: str) -> Expr:
    """Return *expr* as a tree."""
    return promql_parser.parse(filled(expr))


def looks(panel: Json) -> list[Json]:
    """Return all that says how values of *panel* look: the default, and each field's own."""
    own = [
        {each["id"]: each["value"] for each in override["properties"]}
        for override in panel["fieldConfig"]["overrides"]
    ]
    return [panel["fieldConfig"]["defaults"], *own]


def urls(dashboard: Json) -> list[str]:
    """Return where every link of *dashboard* leads."""
    found = [link for panel in panels(dashboard) for look in looks(panel) for link in
             look.get("links", [])]  # fmt: skip
    return [link["url"] for link in found]


def used(text: str) -> set[str]:
    """Return the variables in *text*, those of Grafana itself left out."""
    return set(re.findall(r"\$\{?([a-z]\w*)", text))
