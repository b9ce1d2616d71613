"""Modernize: grafanalib's output, of Grafana 4, as the Grafana of today reads it unchanged.

The only place that knows grafanalib's age.
"""

import json
from typing import Any, Final

from grafanalib import core
from grafanalib._gen import DashboardEncoder

from dashboards.look import Json

SCHEMA: Final = 39  # known to Grafana 11 and later; what came after it changes nothing of ours
PLUGINS: Final = "11.0.0"  # whose panels these are; without it each is migrated on every load

_DASHBOARD: Final = frozenset(
    {"__inputs", "gnetId", "hideControls", "id", "rows", "sharedCrosshair", "style", "version"}
)
# `maxDataPoints` of 100 would make curves coarse, and $__interval long.
_PANEL: Final = frozenset(
    {
        *("cacheTimeout", "editable", "error", "height", "hideTimeOverride", "maxDataPoints"),
        *("minSpan", "span", "timeFrom", "timeShift"),
    }
)
_ROW: Final = frozenset(
    {"datasource", "targets", "fieldConfig", "links", "transformations", "transparent"}
)
_TARGET: Final = frozenset({"intervalFactor", "metric", "query", "step", "target"})
_VARIABLE: Final = frozenset(
    {"auto", "auto_count", "auto_min", "tagValuesQuery", "tagsQuery", "useTags"}
)
_PLAIN: Final = frozenset({"constant", "textbox"})  # variables that ask nobody for their values
_OF_QUERIES: Final = frozenset(
    {"allValue", "includeAll", "multi", "options", "refresh", "regex", "sort"}
)


def modernize(dashboard: core.Dashboard) -> Json:
    """Return *dashboard* as JSON that needs no migration."""
    said: Json = json.loads(json.dumps(dashboard.to_json_data(), cls=DashboardEncoder))
    said = _without(said, _DASHBOARD)
    said["schemaVersion"] = SCHEMA
    said["editable"] = False
    said["timepicker"] = {"refresh_intervals": said["timepicker"]["refresh_intervals"]}
    said["panels"] = [_panel(each) for each in said["panels"]]
    said["templating"] = {"list": [_variable(each) for each in said["templating"]["list"]]}
    made: Json = _pruned(said)
    return made


def _panel(panel: Json) -> Json:
    made = _without(panel, _PANEL)
    if made["type"] == "row":
        inner = [_panel(each) for each in made["panels"]]
        return _without(made, _ROW) | {"panels": inner}
    made["targets"] = [_without(each, _TARGET) for each in made["targets"]]
    return made | {"pluginVersion": PLUGINS}


def _variable(variable: Json) -> Json:
    made = _without(variable, _VARIABLE)
    made["current"] = _current(made["current"])
    if made["type"] in _PLAIN:
        made = _without(made, _OF_QUERIES) | {"skipUrlSync": True}
    return made


def _current(current: Json) -> Json | None:
    """Return what is chosen at first, None where that is for Grafana to find out."""
    value = current.get("value")
    if value is None:
        return None
    return {"selected": True, "text": "All" if value == "$__all" else value, "value": value}


def _without(said: Json, keys: frozenset[str]) -> Json:
    return {key: value for key, value in said.items() if key not in keys}


def _pruned(said: Any, *, key: str = "") -> Any:  # noqa: ANN401  JSON of any kind
    """Return *said* without what is null, but for the first step of thresholds, which is so."""
    match said:
        case dict():
            return {
                name: _pruned(value, key=name)
                for name, value in said.items()
                if value is not None or key == "steps"
            }
        case list():
            return [_pruned(each, key=key) for each in said]
        case _:
            return said
