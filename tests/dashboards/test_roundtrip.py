"""Grafana's own model of a dashboard knows every key that we write, and each with our value."""

import json
from copy import deepcopy
from typing import Any

import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.dashboards.written import EVERY, Json, panels


def _read_and_written(dashboard: Json) -> Json:
    plugins.register_default_plugins()
    made: Json = json.loads(json.dumps(Dashboard.from_json(dashboard), cls=JSONEncoder))
    return made


def _lost(ours: Any, theirs: Any, path: str = "") -> list[str]:  # noqa: ANN401  JSON of any kind
    """Return where *theirs* lacks something of *ours*; it may have more, which are defaults."""
    match ours, theirs:
        case dict(), dict():
            missing = [f"{path}/{key}" for key in ours.keys() - theirs.keys()]
            both = ours.keys() & theirs.keys()
            return missing + [
                lost for key in both for lost in _lost(ours[key], theirs[key], f"{path}/{key}")
            ]
        case list(), list() if len(ours) == len(theirs):
            pairs = enumerate(zip(ours, theirs, strict=True))
            return [lost for place, pair in pairs for lost in _lost(*pair, f"{path}/{place}")]
        case _:
            return [] if ours == theirs else [path]


@pytest.mark.parametrize("uid", EVERY)
def test_grafana_knows_all_that_is_written(uid: str) -> None:
    assert _lost(EVERY[uid], _read_and_written(EVERY[uid])) == []


@pytest.mark.parametrize("key", ["span", "maxDatapoints"])
def test_a_key_that_grafana_does_not_know_is_found(key: str) -> None:
    dashboard = deepcopy(EVERY["orchestrator-fleet"])
    panels(dashboard)[0][key] = 1
    assert _lost(dashboard, _read_and_written(dashboard)) == [f"/panels/0/{key}"]
