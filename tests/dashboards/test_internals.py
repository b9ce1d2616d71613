"""What internals draws of our own programs is what the rules about them judge."""

import re

import pytest
import yaml

from dashboards import alarm
from tests.dashboards.written import EVERY, filled, panels, targets, used, variables
from tests.rules import ruleset

INTERNALS = EVERY["orchestrator-internals"]
PANELS = {each["id"]: each for each in panels(INTERNALS)}
# What happens some times a minute: over a window of one, it is there or not by chance.
SELDOM = (
    "webhook_notifications_total",
    "webhook_alerts_total",
    "webhook_duplicate_alerts_total",
    "webhook_request_duration_seconds_bucket",
    "prometheus_notifications_",
    "alertmanager_notification",
)


def _bare(expr: str) -> str:
    """Return *expr* with one length for all its windows, and without its blanks."""
    return re.sub(r"\[\w+\]", "[5m]", re.sub(r"\s+", "", filled(expr)))


@pytest.mark.parametrize("number", [71, 72])
def test_one_curve_of_overhead_is_what_the_rule_judges(number: int) -> None:
    drawn = {_bare(each["expr"]) for each in PANELS[number]["targets"]}
    rules = [rule.expr for rule in ruleset.load().alerts if rule.name == "OrchestratorOverhead"]
    judged = {_bare(expr).rpartition(">")[0] for expr in rules}
    assert len(drawn & judged) == 1


def test_what_is_thrown_away_is_drawn_of_each_exporter_as_the_rule_judges_it() -> None:
    assert [each["legendFormat"] for each in PANELS[32]["targets"]] == [
        "{{instance}}",
        "{{reason}}",
    ]


def test_the_line_of_scrapes_is_where_prometheus_gives_up() -> None:
    jobs = yaml.safe_load((ruleset.RULES / "prometheus.yml").read_text())["scrape_configs"]
    health = next(each for each in jobs if each["job_name"] == "exporter-health")
    assert health["scrape_timeout"] == f"{alarm.SCRAPED_WITHIN:g}s"


def test_what_happens_about_once_a_minute_is_not_looked_for_within_one() -> None:
    found = [
        target
        for _, target in targets(INTERNALS)
        if "rate(" in target["expr"] and any(each in target["expr"] for each in SELDOM)
    ]
    assert {target["interval"] for target in found} == {"1m"}


def test_what_never_came_yet_is_not_decades_ago() -> None:
    assert all(
        "_seconds > 0)" in target["expr"]
        for number in (2, 3)
        for target in PANELS[number]["targets"]
    )


def test_no_panel_is_narrowed_by_a_choice_that_nobody_sees() -> None:
    hidden = {
        name
        for name, each in variables(INTERNALS).items()
        if each["hide"] and each["type"] == "query"
    }
    read = {name for _, target in targets(INTERNALS) for name in used(target["expr"])}
    assert (hidden, hidden & read) == ({"client", "project"}, set())
