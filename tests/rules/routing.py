"""The routing as values: every alert that is routed, the table of the docs, and the examples."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.rules import ruleset
from tests.rules.ruleset import Rule
from tests.webhook import make
from webhook import briefing, escalate, watchdog
from webhook.briefing import Briefing
from webhook.case import Case
from webhook.diagnosis import Gathered
from webhook.store.paging import Page

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


def _posted(told: Briefing) -> dict[str, str]:
    page = Page(
        id=1,
        kind="",
        incident=None,
        project=None,
        reason="",
        labels=told.labels,
        annotations=told.annotations,
        started_at=NOW,
    )
    labels = escalate.alert(page, now=NOW)["labels"]
    assert isinstance(labels, dict)
    return labels


_CASE = Case(incident=make.incident(), episodes=(), action=None, attempts=())
_POSTED = [
    _posted(told)
    for told in (
        briefing.escalation(_CASE, None, "", Gathered(), url=""),
        briefing.approval(make.action(), None, "", NOW, url=""),
        briefing.fleet([], 0, url=""),
        Briefing(labels=watchdog.LABELS, annotations=watchdog.ANNOTATIONS),
    )
]
RULES = ruleset.load().alerts
ALERTS = [*(_labels(rule) for rule in RULES), *_POSTED]
ROWS = {  # of the table: alert -> its severity, its receivers
    name: (severity, re.findall(r"`(\w+)`", receivers))
    for name, severity, receivers in re.findall(
        r"(?m)^\| `(\w+)`[^|]* \| (\w+) \| ([^|]+) \|$", PAGE
    )
}


def promised(labels: Labels) -> list[str]:
    """Return the receivers that the table promises to an alert, none when it has no row."""
    return ROWS.get(labels["alertname"], ("", []))[1]
