"""A line that is drawn is the line at which somebody is called."""

import re

import pytest
import yaml

from dashboards import limits
from dashboards.limits import Step, Steps
from tests.rules import ruleset

ALERTS = {rule.name: rule.expr for rule in ruleset.load().alerts}
EXAMPLE = yaml.safe_load((ruleset.ROOT / "orchestrator.example.yml").read_text())


@pytest.mark.parametrize(
    ("alert", "wanted"),
    [
        ("ProjectErrorBudgetBurnFast", {limits.BURN_FAST, limits.BURN_QUICK}),
        ("ProjectErrorBudgetBurnSlow", {limits.BURN_SLOW, limits.BURN_SPENT}),
        ("ProjectQueueBacklog", {limits.QUEUE}),
    ],
)
def test_the_figures_are_those_of_the_rule(alert: str, wanted: set[float]) -> None:
    assert wanted <= {float(each) for each in re.findall(r" > ([\d.]+)(?!\S| \*)", ALERTS[alert])}


def test_the_thresholds_are_those_of_a_project_that_names_none() -> None:
    assert EXAMPLE["thresholds"] == {
        "cpu": limits.CPU[-1].value,
        "memory": limits.MEMORY[-1].value,
        "errors": limits.ERRORS[-1].value,
    }


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        (limits.above(), "green"),
        (limits.above(orange=1), "green, orange from 1"),
        (limits.above(red=1), "green, red from 1"),
        (limits.above(orange=1, red=2), "green, orange from 1, red from 2"),
        (limits.below(), "green"),
        (limits.below(orange=1), "orange, green from 1"),
        (limits.below(red=1), "red, green from 1"),
        (limits.below(red=1, orange=2), "red, orange from 1, green from 2"),
    ],
)
def test_steps_go_from_good_to_bad(steps: Steps, wanted: str) -> None:
    assert ", ".join(_told(step) for step in steps) == wanted


def _told(step: Step) -> str:
    return step.color if step.value is None else f"{step.color} from {step.value}"
