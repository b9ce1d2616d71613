"""Each lint of a rule finds what it is there for: a good rule, broken in one way each."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.rules import expression, lints, ruleset
from tests.rules.known import Known
from tests.rules.ruleset import Kind, Rule

GUARD = "unless on (project) last_over_time(orchestrator_project_maintenance[5m]) == 1"
CPU = "max without (instance, job) (project_cpu_usage_ratio)"
LIMIT = 'max by (project) (project_threshold_ratio{resource="cpu"})'
ALERT = Rule(
    file="saturation.yml",
    group="saturation",
    interval=timedelta(seconds=15),
    kind=Kind.ALERT,
    name="ProjectDown",
    expr=f"{CPU} > on (project) group_left () {LIMIT} {GUARD}",
    hold="2m",
    labels={"severity": "critical", "remediate": "true"},
    annotations={
        "summary": "{{ $labels.project }} is down.",
        "description": "{{ $labels.project }} is down, {{ $value }}.",
        "runbook_url": "docs/runbooks/ProjectDown.md",
        "dashboard_url": "/d/orchestrator-project?var-project={{ $labels.project }}",
        "settle": "2s",
    },
)
RECORD = Rule(
    file="recording.yml",
    group="project",
    interval=timedelta(minutes=5),
    kind=Kind.RECORD,
    name="project:project_up:max",
    expr="max without (instance, job) (project_up)",
)
KNOWN = Known((RECORD,))


def _labelled(**labels: str) -> dict[str, Any]:
    return {"labels": {**ALERT.labels, **labels}}


def _told(**annotations: str) -> dict[str, Any]:
    return {"annotations": {**ALERT.annotations, **annotations}}


def _reads(expr: str) -> dict[str, Any]:
    return {"expr": expr}


BROKEN: list[tuple[lints.Lint, dict[str, Any]]] = [
    (lints.severity, _labelled(severity="page")),
    (lints.severity, _labelled(severity="none")),
    (lints.severity, {"labels": {}}),
    (lints.summary, {"annotations": {}}),
    (lints.summary, _told(summary="it is down.")),
    (lints.summary, _told(summary="It is down")),
    (lints.summary, _told(summary="{{ $labels.resource }} is down.")),
    (lints.summary, _told(summary="It is at {{ $value }}.")),
    (lints.description, {"annotations": {}}),
    (lints.runbook, _told(runbook_url="docs/runbooks/ProjectSlow.md")),
    (lints.runbook, {"name": "Nobody", **_told(runbook_url="docs/runbooks/Nobody.md")}),
    (lints.dashboard, {"annotations": {}}),
    (lints.dashboard, _told(dashboard_url="/d/orchestrator-project")),
    (lints.dashboard, _told(dashboard_url="/d/x?var-project={{ $labels.project }}")),
    (lints.comparison, _reads("vector(1)")),
    (lints.comparison, _reads(f"{CPU} {GUARD.removesuffix(' == 1')}")),
    (lints.camel_case, {"name": "project_down"}),
    (lints.camel_case, {"name": "Project" + "Down" * 10}),
    (lints.steady_labels, _labelled(value="{{ $value }}")),
    (lints.remediate, {"labels": {"severity": "critical"}}),
    (lints.remediate, {"name": "ProjectSlow"}),
    (lints.scope, {"file": "exporter.yml"}),
    (lints.scope, _labelled(scope="self")),
    (lints.settle, {"annotations": {}}),
    (lints.settle, _told(settle="soon")),
    (lints.settle, {"name": "ProjectSlow"}),
    (lints.told_labels, _told(description="{{ $labels.instance }} is down.")),
    (lints.told_labels, _told(description="{{ $labels.client }} has {{ $value }}.")),
    (lints.hold, {"hold": "0s"}),
    (lints.hold, {"hold": 0}),
    (lints.survives_a_restart, {"keep_firing_for": "1h"}),
    (expression.keeps_its_project, _reads("project_up == 0")),
    (expression.keeps_its_project, _reads("max(project_up) == 0")),
    (expression.keeps_its_project, _reads("max by (project) (project_up) == 0")),
    (expression.keeps_its_project, _reads(f"{CPU} > on (project) {LIMIT}")),
    (expression.keeps_its_project, _reads(f"{CPU} > 1 or project_up == 0")),
    (expression.honours_maintenance, _reads(f"{CPU} > 1")),
    (expression.honours_maintenance, _reads(f"{CPU} > 1 {GUARD.removesuffix(' == 1')}")),
    (expression.honours_maintenance, _reads(f"{CPU} > 1 or {CPU} < 0 {GUARD}")),
    (expression.honours_maintenance, _reads(f"{CPU} > 1 {GUARD.replace('on (project)', '')}")),
    *(
        (expression.honours_maintenance, _reads(f"{CPU} > 1 {GUARD.replace(part, other)}"))
        for part, other in (
            ("== 1", "== 0"),
            ("== 1", "!= 1"),
            ("== 1", "> 1"),
            ("== 1", "== bool 1"),
            ("last_over_time", "min_over_time"),
            ("[5m]", "[5m] offset 5m"),
            ("[5m]", '{project="chatbot"}[5m]'),
            (
                "last_over_time(orchestrator_project_maintenance[5m])",
                "orchestrator_project_maintenance",
            ),
        )
    ),
    (expression.aggregates, _reads("project_up == 0")),
    (expression.aggregates, _reads("max without (instance) (project_up) == 0")),
    (expression.aggregates, _reads(f"{CPU} > {LIMIT.replace('max', 'min')}")),
    (expression.aggregates, _reads("max by (project) (project_up) and project_up == 0")),
    (expression.reads_what_is_declared, _reads("project_upp == 0")),
    (expression.reads_what_is_declared, _reads("webhook_request_duration_seconds > 1")),
    (expression.reads_what_is_declared, _reads('{job="x"} == 0')),
    (expression.selects_by_declared_labels, _reads('project_up{resource="cpu"} == 0')),
    (expression.selects_by_declared_labels, _reads('project_up{client="acme"} == 0')),
    (expression.groups_by_declared_labels, _reads("max by (state) (project_up) == 0")),
    (expression.groups_by_declared_labels, _reads("max without (state) (project_up) == 0")),
    (expression.matches_on_declared_labels, _reads(f"{CPU} > on (resource) {LIMIT}")),
    (expression.matches_on_declared_labels, _reads(f"{CPU} > ignoring (reason) {LIMIT}")),
    (expression.ranges_hold_enough_samples, _reads("max_over_time(project_up[3s]) == 0")),
    (expression.ranges_hold_enough_samples, _reads("deriv(project_queue_length[45s]) > 0")),
    (expression.ranges_hold_enough_samples, _reads(f"max_over_time({RECORD.name}[10m]) == 0")),
    (expression.ranges_hold_enough_samples, _reads(f"max_over_time(({CPU})[5m:2m]) == 0")),
    (expression.ranges_hold_enough_samples, _reads("last_over_time(project_up[1s]) == 0")),
    (
        expression.ranges_hold_enough_samples,
        _reads("last_over_time(project_queue_length[15s]) > 9"),
    ),
    (expression.ranges_hold_enough_samples, _reads(f"present_over_time({RECORD.name}[5m]) == 1")),
    (
        expression.looks_back_less_than_it_waits,
        _reads("last_over_time(project_queue_length[2m]) > 9"),
    ),
    (
        expression.looks_back_less_than_it_waits,
        _reads("project_up and present_over_time(project_queue_length[5m])"),
    ),
    (expression.looks_back_less_than_it_waits, _reads(f"(last_over_time(project_up[2m])) {GUARD}")),
    (expression.latest_sample_is_found, _reads(f"{RECORD.name} == 0")),
    (expression.rates_are_of_counters, _reads("rate(project_queue_length[5m]) > 0")),
    (expression.both_versions_know_it, _reads("holt_winters(project_up[5m], 0.1, 0.1) > 1")),
    (expression.both_versions_know_it, _reads('sort_by_label(project_up, "project") > 1')),
    (expression.both_versions_know_it, _reads('{"project.up"} == 0')),
    (expression.both_versions_know_it, _labelled(**{"a.b": "c"})),
]
BROKEN_RECORDS: list[tuple[lints.Lint, dict[str, Any]]] = [
    (lints.record_name, {"name": "project_up_max"}),
    (lints.record_name, {"name": "project:project_up"}),
    (expression.aggregates, _reads("project_up")),
    (expression.reads_what_is_declared, _reads("avg_over_time(project:nothing:max[5m])")),
]


@pytest.mark.parametrize("rule", [ALERT, RECORD], ids=str)
def test_no_lint_has_anything_to_say_of_a_good_rule(rule: Rule) -> None:
    laws = (*lints.LINTS[rule.kind], *expression.LINTS[rule.kind])
    assert [finding for lint in laws for finding in lint(rule, KNOWN)] == []


@pytest.mark.parametrize(("lint", "change"), BROKEN)
def test_a_lint_finds_a_broken_alert(lint: lints.Lint, change: dict[str, Any]) -> None:
    assert lint(replace(ALERT, **change), KNOWN)


@pytest.mark.parametrize(("lint", "change"), BROKEN_RECORDS)
def test_a_lint_finds_a_broken_record(lint: lints.Lint, change: dict[str, Any]) -> None:
    assert lint(replace(RECORD, **change), KNOWN)


def test_every_lint_is_shown_to_find_something() -> None:
    shown = {lint for lint, _ in (*BROKEN, *BROKEN_RECORDS)}
    laws = {each for kind in Kind for each in (*lints.LINTS[kind], *expression.LINTS[kind])}
    assert shown == laws


@pytest.mark.parametrize(
    "expr",
    [
        f"({CPU} > 1 or {CPU} < 0) {GUARD}",
        f"{CPU} > 1 {GUARD} or {CPU} < 0 {GUARD}",
        f"{CPU} > 1 {GUARD} and on (project) max by (project) (project_up) == 1",
        f"{CPU} > 1 {GUARD.replace('last', 'max').replace('5m', '1h30m')}",
    ],
)
def test_maintenance_may_be_honoured_in_any_place_that_holds_for_all(expr: str) -> None:
    assert expression.honours_maintenance(replace(ALERT, expr=expr), KNOWN) == []


def test_what_is_only_asked_for_by_project_may_be_there_twice() -> None:
    rule = replace(ALERT, expr="max by (project) (project_up) and on (project) project_up == 0")
    assert expression.aggregates(rule, KNOWN) == []


@pytest.mark.parametrize(
    "expr",
    [
        f"last_over_time(project_queue_length[45s]) > 9 {GUARD}",
        f"present_over_time(project_queue_length[90s]) unless (project_up or ({CPU} {GUARD}))",
        f"max_over_time(project_queue_length[10m]) > 9 {GUARD}",
        "project_up == 0 and present_over_time(project_queue_length[10m] offset 1h)",
    ],
)
def test_a_figure_may_be_looked_for_back_less_than_the_alert_waits(expr: str) -> None:
    rule = replace(ALERT, expr=expr)
    assert expression.looks_back_less_than_it_waits(rule, KNOWN) == []
    assert expression.ranges_hold_enough_samples(rule, KNOWN) == []


def test_an_alert_that_does_not_wait_may_look_back_at_will() -> None:
    rule = replace(ALERT, expr="last_over_time(project_up[1h]) == 0", hold=None)
    assert expression.looks_back_less_than_it_waits(rule, KNOWN) == []


def test_the_rules_there_are_can_be_read() -> None:
    every = ruleset.load()
    assert {"ProjectDown"} <= {rule.name for rule in every.alerts}
    assert every.records
