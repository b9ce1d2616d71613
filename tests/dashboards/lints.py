"""The rules of Grafana's dashboard-linter for Prometheus. A finding is a sentence; none is good.

They are those of github.com/grafana/dashboard-linter, lint/rules.go, in its words and its order.
"""

from collections.abc import Callable, Sequence

import promql_parser as promql
from grafana_foundation_sdk.models import units

from tests.dashboards.written import RATE, Json, panels, parsed, targets, variables
from tests.rules.promql import selectors, walk

Lint = Callable[[Json], list[str]]

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
RATES = {"rate", "irate"}
COUNTED = {*RATES, "increase"}
UNITS = {value for value in vars(units).values() if isinstance(value, str)}
ON_TIME_CHANGE = 2


def template_datasource(dashboard: Json) -> list[str]:
    found = variables(dashboard).get("datasource")
    if found is None or (found["type"], found["query"]) != ("datasource", "prometheus"):
        return ["no variable datasource of Prometheus"]
    return [] if found.get("label") == "Data source" else ["the variable datasource has no label"]


def template_job(dashboard: Json) -> list[str]:
    return _of_targets(dashboard, "job")


def template_instance(dashboard: Json) -> list[str]:
    return _of_targets(dashboard, "instance")


def _of_targets(dashboard: Json, name: str) -> list[str]:
    found = variables(dashboard).get(name)
    if found is None:
        return []
    wanted = {"datasource": SOURCE, "multi": True, "allValue": ".+", "type": "query"}
    wrong = [key for key, value in wanted.items() if found.get(key) != value]
    return [f"variable {name}: {key}" for key in (*wrong, *([] if found["label"] else ["label"]))]


def template_label_promql(dashboard: Json) -> list[str]:
    return [
        f"variable {each['name']}: {each['query']}"
        for each in variables(dashboard).values()
        if each["type"] == "query" and not _finds_labels(each["query"]["query"])
    ]


def _finds_labels(query: str) -> bool:
    inside = query.removeprefix("label_values(").removesuffix(")")
    expr, _, label = inside.rpartition(",")
    return len(inside) < len(query) and label.strip().isidentifier() and _parses(expr)


def _parses(expr: str) -> bool:
    try:
        parsed(expr)
    except ValueError:
        return False
    return True


def template_on_time_change_reload(dashboard: Json) -> list[str]:
    return [
        f"variable {each['name']} keeps its values when the time changes"
        for each in variables(dashboard).values()
        if each["type"] == "query" and each["refresh"] != ON_TIME_CHANGE
    ]


def panel_datasource(dashboard: Json) -> list[str]:
    told = [(panel, panel) for panel in panels(dashboard)]
    return [
        f"{panel['title']}: datasource"
        for panel, each in (*told, *targets(dashboard))
        if each.get("datasource") != SOURCE
    ]


def panel_title_description(dashboard: Json) -> list[str]:
    return [
        f"panel {panel['id']}: {key}"
        for panel in panels(dashboard)
        for key in ("title", "description")
        if not panel.get(key)
    ]


def panel_units(dashboard: Json) -> list[str]:
    return [
        f"{panel['title']}: unit {look['unit']}"
        for panel in panels(dashboard)
        for look in [panel["fieldConfig"]["defaults"]]
        if look.get("unit") not in UNITS and not _has_words(look)
    ]


def _has_words(look: Json) -> bool:
    return any(each["type"] == "value" for each in look["mappings"])


def panel_no_targets(dashboard: Json) -> list[str]:
    return [f"{panel['title']}: no target" for panel in panels(dashboard) if not panel["targets"]]


def target_promql(dashboard: Json) -> list[str]:
    return [
        f"{panel['title']}: {target['expr']}"
        for panel, target in targets(dashboard)
        if not _parses(target["expr"])
    ]


def target_rate_interval(dashboard: Json) -> list[str]:
    (wanted,) = (each.range for each in selectors(parsed(f"up[{RATE}]")))
    return [
        f"{panel['title']}: {target['expr']}"
        for panel, target in targets(dashboard)
        for node, above in walk(parsed(target["expr"]))
        if isinstance(node, promql.MatrixSelector) and node.range != wanted
        if any(isinstance(each, promql.Call) and each.func.name in RATES for each in above)
    ]


def target_job(dashboard: Json) -> list[str]:
    return _selected(dashboard, "job")


def target_instance(dashboard: Json) -> list[str]:
    return _selected(dashboard, "instance")


def _selected(dashboard: Json, label: str) -> list[str]:
    return [
        f"{panel['title']}: {selector.name} of any {label}"
        for panel, target in targets(dashboard)
        for selector in selectors(parsed(target["expr"]))
        if (label, f"${label}") not in {(each.label, each.value) for each in selector.matchers}
    ]


def target_counter_agg(dashboard: Json) -> list[str]:
    return [
        f"{panel['title']}: {node.name} as it is"
        for panel, target in targets(dashboard)
        for node, above in walk(parsed(target["expr"]))
        if isinstance(node, promql.VectorSelector) and (node.name or "").endswith("_total")
        if not any(isinstance(each, promql.Call) and each.func.name in COUNTED for each in above)
        if not _is_compared(node, above)
    ]


def _is_compared(node: promql.VectorSelector, above: Sequence[promql.Expr]) -> bool:
    """Tell whether a counter is compared with itself before, and no fall of it is shown.

    Unlike the rule of the linter: `increase` extrapolates, and of one event makes 1.33.
    """
    for each in above:
        if isinstance(each, promql.Call) and each.func.name == "clamp_min":
            read = [found for found, _ in walk(each) if isinstance(found, promql.VectorSelector)]
            return len({str(found.offset) for found in read if found.name == node.name}) > 1
    return False


def uneditable_dashboard(dashboard: Json) -> list[str]:
    return [] if dashboard["editable"] is False else ["editable"]


LINTS: tuple[Lint, ...] = (
    template_datasource,
    template_job,
    template_instance,
    template_label_promql,
    template_on_time_change_reload,
    panel_datasource,
    panel_title_description,
    panel_units,
    panel_no_targets,
    target_promql,
    target_rate_interval,
    target_job,
    target_instance,
    target_counter_agg,
    uneditable_dashboard,
)
EXCLUDED: dict[Lint, str] = {
    target_job: "a project is one thing, whichever job scrapes the exporter that watches it",
    target_instance: "a project moves from one exporter to another and stays the same project",
}
