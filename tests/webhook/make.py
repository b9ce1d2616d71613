"""Values for tests, with everything that a test does not care about filled in."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.config import Analyzer, Config
from orchestrator.guards import Guarding, Guards, WrittenGuards
from orchestrator.project import Control, Mode, Project
from webhook import action as law
from webhook.action import Action
from webhook.alert import Notification, parse
from webhook.guard import Scene, Surroundings
from webhook.incident import Episode, Incident, State
from webhook.verification import Standing

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def project(**changes: Any) -> Project:  # noqa: ANN401  any field of it
    """Make email-blast."""
    url = "http://127.0.0.1:3010"
    given = {"name": "email-blast", "url": url, "control": Control(url=f"{url}/control")}
    return Project(**{**given, "mode": Mode.ACT, **changes})


NOBODY = ("http://127.0.0.1:1",)


def config(**changes: Any) -> Config:  # noqa: ANN401  any field of it
    """Make a configuration with email-blast and a playbook for ProjectDown."""
    given: dict[str, Any] = {
        "projects": {"email-blast": project()},
        "playbooks": {"ProjectDown": ("restart_service",)},
        "alertmanagers": NOBODY,  # else a test tells those of whoever runs it of its troubles
        "prometheus": NOBODY[0],
        "analyzer": Analyzer(mode="off"),  # test_advice.py and test_analyst.py are about it
    }
    return Config(**{**given, **changes})


def guarding(**limits: Any) -> Guarding:  # noqa: ANN401  any key of the file
    """Make guards as `guards` in orchestrator.yml writes them."""
    return Guarding(general=WrittenGuards(**limits))


def incident(**changes: Any) -> Incident:  # noqa: ANN401  any field of it
    """Make an open incident of email-blast that is due."""
    given: dict[str, Any] = {
        "id": 1,
        "project": "email-blast",
        "state": State.OPEN,
        "since": NOW,
        "opened_at": NOW,
        "due_at": NOW,
    }
    return Incident(**{**given, **changes})


def episode(**changes: Any) -> Episode:  # noqa: ANN401  any field of it
    """Make an open ProjectDown episode."""
    given: dict[str, Any] = {
        "id": 1,
        "fingerprint": "4143cc85196c12e8",
        "alertname": "ProjectDown",
        "project": "email-blast",
        "started_at": NOW - 2 * SECOND,
        "received_at": NOW,
    }
    return Episode(**{**given, **changes})


def action(**changes: Any) -> Action:  # noqa: ANN401  any field of it
    """Make a restart whose intent was committed just now."""
    given: dict[str, Any] = {
        "key": "key-1",
        "incident": 1,
        "project": "email-blast",
        "name": "restart_service",
        "alertname": "ProjectDown",
        "attempt": 1,
        "state": law.State.EXECUTING,
        "created_at": NOW,
        "executed_at": NOW,
        "opened_at": NOW,
    }
    return Action(**{**given, **changes})


def standing(**changes: Any) -> Standing:  # noqa: ANN401  any field of it
    """Make what Prometheus says while ProjectDown fires."""
    given: dict[str, Any] = {"firing": True, "holds": True, "settle": 2 * SECOND}
    return Standing(**{**given, **changes})


def scene(**changes: Any) -> Scene:  # noqa: ANN401  any field of it
    """Make a scene: email-blast is down, and nothing speaks against anything."""
    given = {
        "incident": incident(),
        "project": project(),
        "action": "",
        "episode": episode(),
        "attempts": (),
        "guards": Guards(),
        "around": Surroundings(),
        "now": NOW,
    }
    return Scene(**{**given, **changes})


def body(*alerts: dict[str, Any], **changes: Any) -> bytes:  # noqa: ANN401  any field of it
    """Make the body of a notification with *alerts*, each as `alert` makes it."""
    given = {"version": "4", "status": "firing", "receiver": "webhook", "alerts": list(alerts)}
    return json.dumps({**given, **changes}).encode()


def alert(
    *,
    started: datetime = NOW,
    ended: datetime | None = None,
    fingerprint: str = "4143cc85196c12e8",
    **labels: str,
) -> dict[str, Any]:
    """Make one alert of a body: firing, or resolved when it has *ended*."""
    named = {"alertname": "ProjectDown", "project": "email-blast", "remediate": "true", **labels}
    return {
        "status": "firing" if ended is None else "resolved",
        "labels": {name: value for name, value in named.items() if value},
        "annotations": {"summary": "email-blast is down."},
        "startsAt": started.isoformat(),
        "endsAt": "0001-01-01T00:00:00Z" if ended is None else ended.isoformat(),
        "fingerprint": fingerprint,
    }


def notification(*alerts: dict[str, Any]) -> Notification:
    """Make a parsed notification."""
    return parse(body(*alerts))
