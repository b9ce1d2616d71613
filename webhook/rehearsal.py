"""Rehearsal: what stands in for the world under --dry-run: it takes notes, and sends nothing."""

import logging
from collections.abc import Sequence

from orchestrator.project import Project
from webhook.action import Action
from webhook.escalate import Json
from webhook.executor import Outcome, Refused

NOTED = 10_000  # pages that are remembered, so that each is noted once

logger = logging.getLogger(__name__)


def execute(project: Project, action: Action) -> Outcome:
    """Note that *action* was to be carried out; the guards let none come so far."""
    logger.warning("would act", extra={"project": project.name, "action": action.name})
    return Refused("--dry-run: nothing was sent")


class Notebook:
    """Notes what people would be told, each page once and its end. Lives as long as its stage."""

    def __init__(self) -> None:
        self._noted: dict[str, bool] = {}  # whether the page has ended, in the order of its start

    async def post(self, _: str, alerts: Sequence[Json]) -> list[bool]:
        """Take *alerts* as a peer of Alertmanager would, and tell it nothing."""
        for alert in alerts:
            self._note(alert)
        return [True] * len(alerts)

    def _note(self, alert: Json) -> None:
        labels, annotations = _texts(alert["labels"]), _texts(alert["annotations"])
        page, over = labels.get("escalation", ""), alert["startsAt"] == alert["endsAt"]
        if self._noted.get(page) is over:
            return
        self._noted[page] = over
        if len(self._noted) > NOTED:
            del self._noted[next(iter(self._noted))]
        logger.warning(
            "would tell people that it is over" if over else "would tell people",
            extra={
                "page": page,
                "alertname": labels.get("alertname"),
                "project": labels.get("project"),
                "summary": annotations.get("summary"),
            },
        )


def _texts(said: object) -> dict[str, str]:
    return said if isinstance(said, dict) else {}
