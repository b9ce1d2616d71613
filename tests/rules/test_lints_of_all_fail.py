"""Each lint of the whole, and of the routing, finds what it is there for."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.rules import alertmanager, ruleset, whole
from tests.rules.alertmanager import Fleet
from tests.rules.ruleset import Eval, Group, Ruleset
from tests.rules.test_lints_fail import ALERT, GUARD, KNOWN

FILE = "availability.yml"
RULE = replace(ALERT, file=FILE)
GROUP = Group(
    file=FILE,
    name="availability",
    keys=frozenset({"name", "rules"}),
    rule_keys=frozenset({"alert", "expr"}),
    rules=(RULE,),
)


def _tests(fires: str, alert: str = RULE.name) -> ruleset.TestFile:
    evals = tuple(Eval(timedelta(minutes=at), alert, each == "!") for at, each in enumerate(fires))
    return ruleset.TestFile(
        path=ruleset.TESTS / FILE,
        rule_files=(f"../../rules/{FILE}",),
        interval=RULE.interval,
        tests=(ruleset.Test("it works", evals, {}),),
    )


TESTS = _tests("-!-")  # silent, firing, silent
WHOLE = Ruleset(
    folder=ruleset.RULES, files=(FILE,), loaded=(FILE,), groups=(GROUP,), tests=(TESTS,)
)


def _group(**change: Any) -> dict[str, Any]:  # noqa: ANN401  any field
    return {"groups": (replace(GROUP, **change),)}


def _tested(fires: str, alert: str = RULE.name) -> dict[str, Any]:
    return {"tests": (_tests(fires, alert=alert),)}


BROKEN: list[tuple[whole.Lint, dict[str, Any]]] = [
    (whole.only_keys_of_both_versions, _group(keys=frozenset({"name", "labels"}))),
    (whole.only_keys_of_both_versions, _group(keys=frozenset({"name", "query_offset"}))),
    (whole.groups_are_small, _group(rules=(RULE,) * 21)),
    (whole.group_names_are_short_and_unique, _group(name="availability" * 4)),
    (whole.group_names_are_short_and_unique, {"groups": (GROUP, GROUP)}),
    (whole.rules_are_unique, _group(rules=(RULE, replace(RULE, expr="vector(1)")))),
    (whole.every_file_is_loaded, {"files": (FILE, "slo.yml")}),
    (whole.no_pattern_is_empty, {"loaded": (FILE, "none*.yml")}),
    (whole.no_pattern_is_empty, {"tests": (replace(TESTS, rule_files=("../none.yml",)),)}),
    (whole.every_file_has_its_tests, {"tests": ()}),
    (whole.every_file_has_its_tests, {"tests": (replace(TESTS, rule_files=("slo.yml",)),)}),
    (whole.every_file_has_its_tests, {"tests": (replace(TESTS, path=Path("slo.yml")),)}),
    (whole.every_tested_alert_exists, _tested("-", alert="ProjectDwon")),
    (whole.every_alert_fires_in_a_test, _tested("--")),
    (whole.every_alert_is_silent_in_a_test, _tested("!-")),
    (whole.every_alert_ends_in_a_test, _tested("-!")),
    (
        whole.the_production_interval_is_tested,
        {"tests": (replace(TESTS, interval=timedelta(seconds=1)),)},
    ),
    (
        whole.the_production_interval_is_tested,
        {"tests": (replace(TESTS, interval=timedelta(minutes=5)),)},
    ),
    (
        whole.the_production_interval_is_tested,
        {"tests": (replace(TESTS, path=ruleset.TESTS / "x.yml", interval=timedelta(minutes=1)),)},
    ),
    (whole.the_production_interval_is_tested, _tested("--")),
]


def test_no_lint_has_anything_to_say_of_a_good_whole() -> None:
    assert [finding for lint in whole.LINTS for finding in lint(WHOLE)] == []


@pytest.mark.parametrize(("lint", "change"), BROKEN)
def test_a_lint_finds_a_broken_whole(lint: whole.Lint, change: dict[str, Any]) -> None:
    assert lint(replace(WHOLE, **change))


def test_what_always_fires_has_no_edge_and_no_end() -> None:
    watchdog = replace(RULE, name="Watchdog")
    always = replace(WHOLE, **_group(rules=(watchdog,)), **_tested("!", alert="Watchdog"))
    assert [finding for lint in whole.LINTS for finding in lint(always)] == []


@pytest.mark.parametrize(
    ("expr", "minutes", "is_good"),
    [
        ("max_over_time(project_up[2h]) == 0", 5, True),
        ("max_over_time(project_up[1h] offset 1h) == 0", 5, True),
        ("max_over_time((project_up offset 30m)[1h:1m] offset 30m) == 0", 5, True),
        ("max_over_time(project_up[1h59m]) == 0", 5, False),
        ("max_over_time(project_up[2h]) == 0", 4, False),
    ],
)
def test_what_looks_back_for_hours_may_be_tested_at_five_minutes(
    expr: str, minutes: int, *, is_good: bool
) -> None:
    groups = (replace(GROUP, rules=(replace(RULE, expr=expr),)),)
    tests = (replace(TESTS, interval=timedelta(minutes=minutes)),)
    found = whole.the_production_interval_is_tested(replace(WHOLE, groups=groups, tests=tests))
    assert (found == []) is is_good


SLOW = replace(
    RULE, name="ProjectSlow", labels={"severity": "warning"}, expr=f"project_up == 0 {GUARD}"
)
FLEET = Fleet((RULE, SLOW), KNOWN)
WEBHOOK = {"url": "u", "max_alerts": 0, "http_config": {"follow_redirects": False}}
INHIBITION = {
    "source_matchers": ['alertname="ProjectDown"'],
    "target_matchers": ['alertname=~"ProjectSlow|X"', 'remediate!="true"'],
    "equal": ["project"],
}
ROUTING = {
    "route": {
        "receiver": "people",
        "repeat_interval": "3h59m",
        "routes": [{"matchers": ['domain="support"'], "group_wait": "0s"}],
    },
    "receivers": [{"name": "people", "webhook_configs": [WEBHOOK]}],
    "inhibit_rules": [INHIBITION],
}


def _route(**change: Any) -> dict[str, Any]:  # noqa: ANN401  any value
    return {"route": {**ROUTING["route"], **change}}  # type: ignore[dict-item]  # a route


def _webhook(**change: Any) -> dict[str, Any]:  # noqa: ANN401  any value
    return {"receivers": [{"name": "people", "webhook_configs": [{**WEBHOOK, **change}]}]}


def _inhibition(**change: Any) -> dict[str, Any]:  # noqa: ANN401  any value
    return {"inhibit_rules": [{**INHIBITION, **change}]}


MISROUTED: list[tuple[alertmanager.Lint, dict[str, Any]]] = [
    (alertmanager.repeats_come_when_they_are_due, _route(repeat_interval="5m")),
    (alertmanager.repeats_come_when_they_are_due, _route(repeat_interval="4h")),
    (alertmanager.repeats_come_when_they_are_due, _route(routes=[{"group_interval": "3h59m"}])),
    (alertmanager.repeats_come_when_they_are_due, _route(routes=[{"group_interval": "1m"}])),
    (alertmanager.matchers_are_classic, _route(matchers=["domain=support"])),
    (alertmanager.matchers_are_classic, _route(routes=[{"match": {"domain": "support"}}])),
    (alertmanager.matchers_are_classic, _inhibition(source_matchers=["a.b=c"])),
    (alertmanager.webhooks_follow_no_redirect, _webhook(http_config={})),
    (alertmanager.webhooks_follow_no_redirect, _webhook(http_config={"follow_redirects": True})),
    (alertmanager.webhooks_cut_nothing, _webhook(max_alerts=100)),
    (alertmanager.webhooks_cut_nothing, _webhook(max_alerts=None)),
    (alertmanager.webhooks_are_of_both_versions, _webhook(payload={})),
    (alertmanager.inhibitions_are_of_both_versions, _inhibition(name="down")),
    (
        alertmanager.inhibitions_spare_what_is_remediated,
        _inhibition(target_matchers=['alertname="ProjectSlow"']),
    ),
    (
        alertmanager.inhibitions_compare_labels_that_are_there,
        _inhibition(equal=["project", "client"]),
    ),
    (alertmanager.inhibitions_compare_labels_that_are_there, _inhibition(equal=[])),
    (
        alertmanager.inhibitions_are_of_something,
        _inhibition(target_matchers=['alertname="ProjectSlwo"', 'remediate!="true"']),
    ),
    (
        alertmanager.no_source_is_a_target,
        _inhibition(source_matchers=['severity=~"warning|critical"']),
    ),
]


def test_no_lint_has_anything_to_say_of_good_routing() -> None:
    assert [finding for lint in alertmanager.LINTS for finding in lint(ROUTING, FLEET)] == []


@pytest.mark.parametrize(("lint", "change"), MISROUTED)
def test_a_lint_finds_broken_routing(lint: alertmanager.Lint, change: dict[str, Any]) -> None:
    assert lint({**ROUTING, **change}, FLEET)


def test_every_lint_of_the_whole_and_of_the_routing_is_shown_to_find_something() -> None:
    assert {lint for lint, _ in BROKEN} == set(whole.LINTS)
    assert {lint for lint, _ in MISROUTED} == set(alertmanager.LINTS)
