"""Lints of how a rule is labelled and explained. A finding is a sentence; no finding is good."""

import re
from collections.abc import Callable

from orchestrator import duration
from tests.rules import promql
from tests.rules.known import OWN, Known
from tests.rules.promql import COMPARISONS
from tests.rules.ruleset import Kind, Rule

Lint = Callable[[Rule, Known], list[str]]

SEVERITIES = {"critical", "warning", "info"}
REMEDIABLE = {
    "ProjectDown",
    "ProjectHighCPU",
    "ProjectHighMemory",
    "ProjectHighErrorRate",
    "ProjectQueueBacklog",
}
OURS = {"exporter.yml", "webhook.yml", "analyzer.yml", "stack.yml"}  # alerts about ourselves
DASHBOARDS = {"fleet", "project", "remediation", "slo", "internals"}
TEMPLATE = re.compile(r"\{\{(.*?)\}\}")


def severity(rule: Rule, _known: Known) -> list[str]:
    # The Watchdog alone has none: it says nothing that anybody should act on.
    allowed = {"none"} if rule.name == "Watchdog" else SEVERITIES
    found = rule.labels.get("severity")
    return [] if found in allowed else [f"severity is {found}, not one of {sorted(allowed)}"]


def summary(rule: Rule, _known: Known) -> list[str]:
    # One sentence for a whole group of alerts: only `project` is the same in all of them.
    said = rule.annotations.get("summary", "")
    shape = [] if re.fullmatch(r"(?:[A-Z]|\{\{)[^\n]*\.", said) else ["summary is no sentence"]
    inside = [each.strip() for each in TEMPLATE.findall(said)]
    return shape + [
        f"summary shows {each}, by which nothing is grouped"
        for each in inside
        if each != "$labels.project"
    ]


def description(rule: Rule, _known: Known) -> list[str]:
    said = rule.annotations.get("description", "")
    return [] if re.fullmatch(r"(?:[A-Z]|\{\{).*\.", said) else ["description is no sentence"]


def runbook(rule: Rule, known: Known) -> list[str]:
    page = f"docs/runbooks/{rule.name}.md"
    named = rule.annotations.get("runbook_url")
    return ([] if named == page else [f"runbook_url is {named}, not {page}"]) + (
        [] if (known.folder / page).exists() else [f"{page} does not exist"]
    )


def dashboard(rule: Rule, _known: Known) -> list[str]:
    named = rule.annotations.get("dashboard_url", "")
    variable = re.escape("?var-project={{ $labels.project }}")
    must = "" if rule.is_about_a_project else "?"
    shape = rf"/d/orchestrator-(?:{'|'.join(sorted(DASHBOARDS))})(?:{variable}){must}"
    return [] if re.fullmatch(shape, named) else [f"dashboard_url is {named!r}"]


def comparison(rule: Rule, _known: Known) -> list[str]:
    ops = {str(node.op) for node in promql.binaries(promql.parse(rule.expr))}
    return [] if ops & COMPARISONS else ["compares nothing, so it fires for every series"]


def camel_case(rule: Rule, _known: Known) -> list[str]:
    good = re.fullmatch(r"[A-Z][A-Za-z0-9]{2,39}", rule.name)
    return [] if good else ["name is not CamelCase, or longer than 40"]


def steady_labels(rule: Rule, _known: Known) -> list[str]:
    # A value in a label is another alert at each evaluation, and `for` is never over.
    moving = [name for name, value in rule.labels.items() if "{{" in str(value)]
    return [f"label {name} is a template" for name in moving]


def remediate(rule: Rule, _known: Known) -> list[str]:
    wanted = "true" if rule.name in REMEDIABLE else None
    found = rule.labels.get("remediate")
    return [] if found == wanted else [f"remediate is {found}, not {wanted}"]


def scope(rule: Rule, _known: Known) -> list[str]:
    wanted = "self" if rule.file in OURS else None
    found = rule.labels.get("scope")
    return [] if found == wanted else [f"scope is {found}, not {wanted}"]


def settle(rule: Rule, _known: Known) -> list[str]:
    # How long the webhook has to wait before this rule can know of a repair.
    found = rule.annotations.get("settle")
    if rule.name not in REMEDIABLE:
        return [] if found is None else ["settle is of no use to what is never remediated"]
    try:
        duration.parse(found or "")
    except ValueError as error:
        return [f"settle: {error}"]
    return []


def told_labels(rule: Rule, known: Known) -> list[str]:
    # A label that the result lacks would leave a gap in the sentence.
    told = " ".join([*rule.annotations.values()])
    named = {each for inside in TEMPLATE.findall(told) for each in _labels(inside)}
    results = promql.results(promql.parse(rule.expr), known.labels)
    return [
        f"shows the label {label}, which its result lacks"
        for label in sorted(named - rule.labels.keys())
        if any(label not in labels - {OWN} for labels in results)
    ]


def _labels(inside: str) -> list[str]:
    return re.findall(r"\$labels\.(\w+)", inside)


def hold(rule: Rule, _known: Known) -> list[str]:
    is_none = rule.hold is not None and not re.search("[1-9]", str(rule.hold))
    return ["for of no time; leave it out"] if is_none else []


def survives_a_restart(rule: Rule, _known: Known) -> list[str]:
    # What `for` has seen is restored when Prometheus is started again; of this nothing is.
    kept = rule.keep_firing_for
    return [] if kept is None else [f"keep_firing_for of {kept}, which a restart forgets"]


def record_name(rule: Rule, _known: Known) -> list[str]:
    part = r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*"
    good = re.fullmatch(f"{part}:{part}:{part}", rule.name)
    return [] if good else ["is not named level:metric:operations"]


LINTS: dict[Kind, tuple[Lint, ...]] = {
    Kind.ALERT: (
        severity,
        summary,
        description,
        runbook,
        dashboard,
        comparison,
        camel_case,
        steady_labels,
        remediate,
        scope,
        settle,
        told_labels,
        hold,
        survives_a_restart,
    ),
    Kind.RECORD: (record_name,),
}
