"""Lints of alertmanager.yml: what would be told late, twice, to nobody, or on one version only."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator import duration
from tests.rules import promql
from tests.rules.known import Known
from tests.rules.ruleset import Rule

Config = Mapping[str, Any]

USUAL = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}  # Alertmanager's own
CLASSIC = re.compile(r'(?P<label>[a-zA-Z_][a-zA-Z0-9_]*)(?P<op>=~|!~|!=|=)"(?P<value>[^"\\]*)"')
MATCHERS = {"matchers", "source_matchers", "target_matchers"}
OLD = {"match", "match_re", "source_match", "target_match", "source_match_re", "target_match_re"}
OURS_ONLY = 'remediate!="true"'  # on the target of every inhibition


@dataclass(frozen=True, slots=True)
class Fleet:
    """The alerts that there are, and what is known of their labels."""

    alerts: tuple[Rule, ...]
    known: Known


Lint = Callable[[Config, Fleet], list[str]]


def _mappings(node: object) -> Iterator[Mapping[str, Any]]:
    """Yield every mapping in *node*, however deep."""
    if isinstance(node, Mapping):
        yield node
    inner = node.values() if isinstance(node, Mapping) else node
    for each in inner if isinstance(node, Mapping | list) else ():  # type: ignore[attr-defined]
        yield from _mappings(each)


def _routes(route: Config, above: Config) -> Iterator[Config]:
    """Yield every route, with the times that it inherits."""
    whole = {**above, **route}
    yield whole
    times = {key: whole[key] for key in USUAL}
    for each in route.get("routes", ()):
        yield from _routes(each, times)


def repeats_come_when_they_are_due(config: Config, _fleet: Fleet) -> list[str]:
    """Find a repeat_interval that is over just after a flush, and so waits for one more."""
    findings = []
    for route in _routes(config["route"], USUAL):
        repeat, flush = (duration.parse(route[f"{each}_interval"]) for each in ("repeat", "group"))
        if not repeat % flush:
            who = f"{route.get('matchers', 'all')} -> {route.get('receiver', 'inherited')}"
            findings.append(
                f"{who}: repeat_interval {duration.text(repeat)} is a multiple of"
                f" group_interval {duration.text(flush)}"
            )
    return findings


def matchers_are_classic(config: Config, _fleet: Fleet) -> list[str]:
    return [
        f'{each} is not of the form label="value"'
        for mapping in _mappings(config)
        for key in sorted(MATCHERS & mapping.keys())
        for each in mapping[key]
        if not CLASSIC.fullmatch(each)
    ] + [f"{key} is old" for mapping in _mappings(config) for key in sorted(OLD & mapping.keys())]


def _webhooks(config: Config) -> list[Config]:
    return [each for who in config["receivers"] for each in who.get("webhook_configs", ())]


def webhooks_follow_no_redirect(config: Config, _fleet: Fleet) -> list[str]:
    """Refuse to take a login page in between for a delivery."""
    return [
        f"{each['url']} follows redirects"
        for each in _webhooks(config)
        if each.get("http_config", {}).get("follow_redirects") is not False
    ]


def webhooks_cut_nothing(config: Config, _fleet: Fleet) -> list[str]:
    """Lose no alert: what max_alerts leaves out is never sent again."""
    return [
        f"{each['url']} has max_alerts {each.get('max_alerts')}, not 0"
        for each in _webhooks(config)
        if each.get("max_alerts") != 0
    ]


def webhooks_are_of_both_versions(config: Config, _fleet: Fleet) -> list[str]:
    allowed = {"url", "send_resolved", "max_alerts", "http_config"}
    return [
        f"{each['url']} has {key}, which 0.25 does not know"
        for each in _webhooks(config)
        for key in sorted(each.keys() - allowed)
    ]


def _inhibitions(config: Config) -> list[Config]:
    return list(config.get("inhibit_rules") or ())


def inhibitions_are_of_both_versions(config: Config, _fleet: Fleet) -> list[str]:
    allowed = {"source_matchers", "target_matchers", "equal"}
    return [
        f"inhibition has {key}, which 0.25 does not know"
        for each in _inhibitions(config)
        for key in sorted(each.keys() - allowed - OLD)
    ]


def inhibitions_spare_what_is_remediated(config: Config, _fleet: Fleet) -> list[str]:
    """Let every alert that the webhook acts on reach it."""
    return [
        f"{each['target_matchers']} lacks {OURS_ONLY}"
        for each in _inhibitions(config)
        if OURS_ONLY not in each["target_matchers"]
    ]


def inhibitions_compare_labels_that_are_there(config: Config, fleet: Fleet) -> list[str]:
    """Find a label that both sides lack, which counts as equal: everything would be inhibited."""
    return [
        f"{rule} lacks {label}, which an inhibition compares"
        for each in _inhibitions(config)
        for side in ("source_matchers", "target_matchers")
        for rule in fleet.alerts
        if _matches(rule, each[side], fleet)
        for label in each.get("equal", ())
        if any(label not in labels for labels in _labels(rule, fleet))
    ] + [f"{each} compares nothing" for each in _inhibitions(config) if not each.get("equal")]


def inhibitions_are_of_something(config: Config, fleet: Fleet) -> list[str]:
    """Find a name in an inhibition that no alert has."""
    return [
        f"no alert is {each[side]}"
        for each in _inhibitions(config)
        for side in ("source_matchers", "target_matchers")
        if not any(_matches(rule, each[side], fleet) for rule in fleet.alerts)
    ]


def no_source_is_a_target(config: Config, fleet: Fleet) -> list[str]:
    return [
        f"{rule} is the source and the target of an inhibition"
        for each in _inhibitions(config)
        for rule in fleet.alerts
        if _matches(rule, each["source_matchers"], fleet)
        and _matches(rule, each["target_matchers"], fleet)
    ]


def _labels(rule: Rule, fleet: Fleet) -> list[frozenset[str]]:
    made = promql.results(promql.parse(rule.expr), fleet.known.labels)
    return [labels.union(rule.labels) for labels in made or {frozenset[str]()}]


def _matches(rule: Rule, matchers: list[str], fleet: Fleet) -> bool:
    """Return whether *matchers* may match the alert; any value is possible for a series' label."""
    fixed = {**rule.labels, "alertname": rule.name}
    loose = frozenset().union(*_labels(rule, fleet)) - fixed.keys()
    found = [CLASSIC.fullmatch(each) for each in matchers]
    return all(
        each["label"] in loose or _is_true(each["op"], fixed.get(each["label"], ""), each["value"])
        for each in found
        if each
    )


def _is_true(op: str, value: str, wanted: str) -> bool:
    same = bool(re.fullmatch(wanted, value)) if "~" in op else value == wanted
    return same is not op.startswith("!")


LINTS: tuple[Lint, ...] = (
    repeats_come_when_they_are_due,
    matchers_are_classic,
    webhooks_follow_no_redirect,
    webhooks_cut_nothing,
    webhooks_are_of_both_versions,
    inhibitions_are_of_both_versions,
    inhibitions_spare_what_is_remediated,
    inhibitions_compare_labels_that_are_there,
    inhibitions_are_of_something,
    no_source_is_a_target,
)
