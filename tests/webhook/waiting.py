"""What the tests of waiting have in common: an alert on the processor, its end, and the pause."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from orchestrator.health import Probe
from orchestrator.health import State as Health
from tests.webhook import make
from tests.webhook.make import NOW
from webhook import action as law
from webhook.incident import Incident, State
from webhook.restraint import Kind, Restraint

MINUTE = timedelta(minutes=1)
PAUSED = Probe(state=Health.PAUSED, reason=None, seconds=0.01)
HOT = make.episode(alertname="ProjectHighCPU")
COOL = replace(HOT, ended_at=NOW)
CRITICAL = make.config(
    projects={"email-blast": make.project(critical=True)},
    playbooks={"ProjectDown": ("restart_service",), "ProjectHighCPU": ("pause_service",)},
)
HOLD = Restraint(
    id=1,
    kind=Kind.HOLD,
    project=None,
    reason="not now",
    set_by="ann",
    starts_at=NOW - MINUTE,
    ends_at=None,
)
PAUSE = make.action(name="pause_service", alertname="ProjectHighCPU", state=law.State.COMPLETED)
PAUSES = make.config(playbooks={"ProjectHighCPU": ("pause_service",)})


def mitigated(**changes: Any) -> Incident:  # noqa: ANN401  any field of it
    """Make an incident of what was paused."""
    return make.incident(state=State.MITIGATED, **changes)
