"""The uptime that is recorded is that of each second, and of each only once."""

from datetime import timedelta

import promql_parser

from orchestrator import duration
from tests.rules import promql, ruleset
from tests.rules.ruleset import Rule


def _uptime() -> tuple[Rule, promql_parser.SubqueryExpr]:
    [record] = [rule for rule in ruleset.load().records if rule.name == "project:project_up:max"]
    nodes = [node for node, _ in promql.walk(promql.parse(record.expr))]
    [asked] = [node for node in nodes if isinstance(node, promql_parser.SubqueryExpr)]
    return record, asked


def _scrape_of_health() -> timedelta:
    jobs = ruleset.read(ruleset.RULES / "prometheus.yml")["scrape_configs"]
    [each] = [job["scrape_interval"] for job in jobs if job["job_name"] == "exporter-health"]
    return duration.parse(each)


def test_uptime_looks_back_to_where_it_looked_before() -> None:
    record, asked = _uptime()
    assert asked.range == record.interval


def test_uptime_asks_as_often_as_project_up_is_scraped() -> None:
    _, asked = _uptime()
    assert asked.step == _scrape_of_health()


def test_uptime_keeps_its_own_pace_where_rules_are_evaluated_at_another() -> None:
    [group] = [each for each in ruleset.load().groups if each.name == "project"]
    assert "interval" in group.keys
