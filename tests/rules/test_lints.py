"""The rules, their tests and the routing keep every law that promtool and amtool do not know."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from tests.rules import alertmanager, expression, lints, routing, ruleset, whole
from tests.rules.alertmanager import Fleet
from tests.rules.known import Known
from tests.rules.ruleset import Kind

EVERY = ruleset.load()
KNOWN = Known(EVERY.records)
ROUTING = {"as it is": routing.config(), "filled in": yaml.safe_load(routing.filled_in())}
LAWS = [
    pytest.param(kind, lint, id=f"{lint.__name__}-{kind}")
    for kind in Kind
    for lint in (*lints.LINTS[kind], *expression.LINTS[kind])
]


@pytest.mark.parametrize(("kind", "lint"), LAWS)
def test_every_rule_keeps_the_law(kind: Kind, lint: lints.Lint) -> None:
    rules = EVERY.alerts if kind is Kind.ALERT else EVERY.records
    assert rules
    findings = [f"{rule}: {finding}" for rule in rules for finding in lint(rule, KNOWN)]
    assert not findings, "\n".join(findings)


@pytest.mark.parametrize("lint", whole.LINTS, ids=lambda lint: lint.__name__)
def test_the_rules_together_keep_the_law(lint: whole.Lint) -> None:
    findings = lint(EVERY)
    assert not findings, "\n".join(findings)


@pytest.mark.parametrize("config", ROUTING.values(), ids=list(ROUTING))
@pytest.mark.parametrize("lint", alertmanager.LINTS, ids=lambda lint: lint.__name__)
def test_the_routing_keeps_the_law(lint: alertmanager.Lint, config: Mapping[str, Any]) -> None:
    findings = lint(config, Fleet(EVERY.alerts, KNOWN))
    assert not findings, "\n".join(findings)
