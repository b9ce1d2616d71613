"""What every test of the dashboards may ask for."""

import pytest

from dashboards import limits
from dashboards.look import About


@pytest.fixture
def about() -> About:
    """Return what a panel says of itself that nobody will see."""
    return About(
        id=7,
        title="Requests",
        unit="reqps",
        shows="Requests a second.",
        good="Some.",
        act="Ask.",
        empty="none",
        runbook="ProjectTrafficAnomalous",
    )


@pytest.fixture
def steps() -> limits.Steps:
    """Return steps that are green, orange and red."""
    return limits.above(orange=1, red=2)
