"""Looks at a project, with everything that a test does not care about filled in."""

from datetime import timedelta

from orchestrator.health import Probe, State
from webhook.remedy import Look

HOUR = timedelta(hours=1)


def look(state: State, *, deployed_ago: timedelta | None = None) -> Look:
    """Make a look at a project in *state*; a deployment is recent for a day."""
    return Look(probe=Probe(state=state, reason=None, seconds=0.01), deployed_ago=deployed_ago)
