"""The routing as values: every alert that is routed, the table of the docs, and the examples."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.rules import ruleset
from tests.rules.ruleset import Rule
from webhook import escalate
from webhook.store.paging import Escalation

CONFIG = ruleset.RULES / "alertmanager.yml"
PAGE = (ruleset.ROOT / "docs/routing.md").read_text(encoding="utf-8")
NOW = datetime(2026, 1, 1, tzinfo=UTC)

Labels = Mapping[str, str]
Json = dict[str, Any]


def config() -> Json:
    """Return alertmanager.yml as it is shipped."""
    content: Json = ruleset.read(CONFIG)
    return content


def filled_in() -> str:
    """Return alertmanager.yml with every example uncommented."""
    head, receivers = CONFIG.read_text(encoding="utf-8").split("\nreceivers:\n")
    return f"{head}\nreceivers:\n" + re.sub(r"(?m)^    # ", "    ", receivers)


def _labels(rule: Rule) -> dict[str, str]:
    about = {"project": "chatbot"} if rule.is_about_a_project else {}
    return {"alertname": rule.name, **about, **rule.labels}


def _escalation() -> dict[str, str]:
    asked = Escalation(
        id=1, incident=1, project="chatbot", reason="", started_at=NOW, ended_at=None
    )
    labels = escalate.alert(asked, now=NOW)["labels"]
    assert isinstance(labels, dict)
    return labels


RULES = ruleset.load().alerts
ALERTS = [*(_labels(rule) for rule in RULES), _escalation()]
ROWS = {  # of the table: alert -> its severity, its receivers
    name: (severity, re.findall(r"`(\w+)`", receivers))
    for name, severity, receivers in re.findall(
        r"(?m)^\| `(\w+)`[^|]* \| (\w+) \| ([^|]+) \|$", PAGE
    )
}


def promised(labels: Labels) -> list[str]:
    """Return the receivers that the table promises to an alert, none when it has no row."""
    return ROWS.get(labels["alertname"], ("", []))[1]
