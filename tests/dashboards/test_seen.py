"""What happened is seen once, and in its place: the queries of marks and bands, by promtool."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from dashboards import annotations, events, state
from orchestrator.demo import binaries
from tests.rules import ruleset

ALERT = '{alertname="ProjectDown", project="chatbot"}'
FIRING = 'ALERTS{alertname="ProjectDown", project="chatbot", alertstate="firing"}'
BEGUN = (
    'webhook_action_timestamp_seconds{project="chatbot", action="restart_service", result="begun"}'
)
OF_ACTION = '{project="chatbot", action="restart_service"}'
DEPLOYED = 'project_deployed_timestamp_seconds{project="chatbot"}'
CALLS = 'calls_total{kind="a"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A query, asked each minute, of series with a sample each so many seconds."""

    expr: str
    series: dict[str, str]
    every: int = 15
    shown: dict[int, dict[str, float]]  # the answer by seconds


def _mark(mark: dict[str, dict[str, str]]) -> str:
    return mark["target"]["expr"]


STATES = {
    'project_state{project="chatbot", state="healthy"}': "1x240",
    'project_state{project="chatbot", state="down"}': "0x240",
}
SEEN = {
    "an outage of four seconds is a red piece of its band": Look(
        expr=state.over_time('project="chatbot"'),
        series={**STATES, 'project_up{project="chatbot"}': "1x70 0x3 1x160"},
        every=1,
        shown={
            60: {'{project="chatbot"}': 0},
            120: {'{project="chatbot"}': 3},
            180: {'{project="chatbot"}': 0},
        },
    ),
    "an alert that fired between two points has a mark": Look(
        expr=_mark(annotations.ALERTS),
        series={FIRING: "_x5 1 stale"},
        shown={60: {}, 120: {ALERT: 1}, 180: {}},
    ),
    "an alert that goes on has one where it began": Look(
        expr=_mark(annotations.ALERTS),
        series={FIRING: "_x5 1x20"},
        shown={60: {}, 120: {ALERT: 1}, 180: {}, 240: {}},
    ),
    "an action has a mark once twenty seconds are over": Look(
        expr=_mark(annotations.ACTIONS),
        series={BEGUN: "_x7 101x20"},
        shown={120: {}, 180: {OF_ACTION: 59}, 240: {}},
    ),
    "an action has no second mark where it would be at the edge of a point": Look(
        expr=_mark(annotations.ACTIONS),
        series={BEGUN: "_x7 100x20"},
        shown={120: {OF_ACTION: 0}, 180: {}},
    ),
    "what was done before the webhook was started again has no mark": Look(
        expr=_mark(annotations.ACTIONS),
        series={BEGUN: "100x12 _x30 100x8"},
        shown={660: {}, 720: {}},
    ),
    "a deployment has a mark however long the project was silent": Look(
        expr=_mark(annotations.DEPLOYMENTS),
        series={DEPLOYED: "50x4 stale _x28 500x20"},
        shown={480: {}, 540: {'{project="chatbot"}': 500}, 600: {}},
    ),
    "the first of a series that is new is counted": Look(
        expr=events.risen("calls_total", "kind"),
        series={CALLS: "_x5 1x20"},
        shown={120: {'{kind="a"}': 1}, 180: {'{kind="a"}': 0}},
    ),
    "a program that begins anew takes nothing away": Look(
        expr=events.risen("calls_total", "kind"),
        series={CALLS: "3x5 0x4 2x20"},
        shown={120: {'{kind="a"}': 0}, 180: {'{kind="a"}': 2}},
    ),
}


@pytest.mark.parametrize("look", SEEN.values(), ids=list(SEEN))
def test_it_is_seen(look: Look, tmp_path: Path) -> None:
    filled = look.expr.replace("$__interval_ms", "60000").replace("$__interval", "60s")
    expr = filled.replace("$project", ".+")
    test = {
        "interval": f"{look.every}s",
        "input_series": [{"series": name, "values": told} for name, told in look.series.items()],
        "promql_expr_test": [
            {
                "expr": expr,
                "eval_time": f"{at}s",
                "exp_samples": [{"labels": name, "value": value} for name, value in each.items()],
            }
            for at, each in look.shown.items()
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(json.dumps({"evaluation_interval": "15s", "tests": [test]}), encoding="utf-8")
    tools = binaries.find(os.environ, Path(ruleset.ROOT, ".tools"))  # noqa: TID251  as the demo does
    done = subprocess.run(  # noqa: S603  a program that the user chose, no shell
        [tools.promtool, "test", "rules", path],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
